-- Locks the room types of a batch, always ordered by id, then reads what the verdicts depend on. A claim waits for this
-- lock, and this lock waits for a claim. The token is read from the row as it is once the lock is held.
WITH locked AS MATERIALIZED (
    SELECT id, hotel_id, fencing_token, sequence
    FROM room_types
    WHERE id = ANY($1)
    ORDER BY id
    FOR NO KEY UPDATE
