-- Continues lock.sql.
)
SELECT
    -- $1: the room types of the batch
    (
        SELECT coalesce(json_agg(json_build_array(
            t.id, t.fencing_token, t.sequence, (SELECT timezone FROM hotels WHERE id = t.hotel_id)
        )), '[]')
        FROM locked AS t
    ) AS room_types,
    -- $2: its idempotency keys
    (
        SELECT coalesce(json_agg(json_build_array(encode(r.key, 'hex'), r.expires_at)), '[]')
        FROM idempotency_records AS r
        WHERE r.key = ANY($2)
    ) AS used_keys,
    -- whether a commit of one of these room types ended after this statement began, so that it had to wait
    (SELECT array_agg(sequence ORDER BY id) FROM locked)
        IS DISTINCT FROM (
            SELECT array_agg(sequence ORDER BY id) FROM room_types WHERE id = ANY(ARRAY(SELECT id FROM locked))
        ) AS waited
