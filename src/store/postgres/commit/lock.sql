-- Locks the room types of a batch, in one order for everybody, then reads what the verdicts depend on. A claim waits for
-- this lock, and this lock for a claim: the token is read from the row as it is when the lock is had.
WITH locked AS MATERIALIZED (
    SELECT id, hotel_id, fencing_token, sequence
    FROM room_types
    WHERE id = ANY($1)
    ORDER BY id
    FOR NO KEY UPDATE
