-- Takes the write lock, then reads what the verdicts about a batch depend on.
BEGIN IMMEDIATE;

SELECT
    -- $1: the room types of the batch
    (
        SELECT json_group_array(json_array(t.id, t.fencing_token, t.sequence, h.timezone))
        FROM room_types AS t
        JOIN hotels AS h ON h.id = t.hotel_id
        WHERE t.id IN (SELECT value FROM json_each($1))
    ) AS room_types,
    -- $2: its idempotency keys in hexadecimal
    (
        SELECT json_group_array(json_array(lower(hex(r.key)), r.expires_at))
        FROM idempotency_records AS r
        WHERE r.key IN (SELECT unhex(value) FROM json_each($2))
    ) AS used_keys;
