-- A capacity below what is sold can be forced. What that leaves beyond the capacity is counted on the night: it ends with
-- the guests it was made for. Before, `force` set the night's allowance instead, which stayed for ever.
ALTER TABLE nights
    -- sold and held beyond the capacity, because a lower capacity was forced; `verify` compares
    ADD COLUMN forced integer NOT NULL DEFAULT 0 CHECK (forced >= 0),
    DROP CONSTRAINT never_oversold,
    ADD CONSTRAINT never_oversold CHECK (sold + held <= capacity + forced);

-- A present allowance that a forced change brought is taken for such an exception; the night follows its room type again.
-- Where the events of that time have been deleted nothing tells it from the operator's own, and it stays.
WITH told AS (
    SELECT
        e.room_type_id,
        (night.value->>0)::date AS date,
        (night.value->1->>'allowance')::integer AS allowance,
        e.payload->>'forced_by' IS NOT NULL AS was_forced,
        e.sequence
    FROM events AS e
    CROSS JOIN LATERAL jsonb_array_elements(e.payload->'nights') AS night (value)
    WHERE e.cause = 'nights_set'
),
compared AS (
    SELECT *, lag(allowance) OVER (PARTITION BY room_type_id, date ORDER BY sequence) AS previous
    FROM told
),
brought AS (
    SELECT DISTINCT room_type_id, date, allowance
    FROM compared
    WHERE was_forced AND allowance IS NOT NULL AND allowance IS DISTINCT FROM previous
),
repaired AS (
    SELECT
        n.room_type_id,
        n.date,
        least(greatest(
            coalesce(n.physical, t.rooms) - n.out_of_order + t.overbooking_allowance,
            0), 65535) AS due
    FROM nights AS n
    JOIN room_types AS t ON t.id = n.room_type_id
    JOIN brought AS b ON b.room_type_id = n.room_type_id AND b.date = n.date AND b.allowance = n.allowance
)
UPDATE nights
SET allowance = NULL, capacity = repaired.due, forced = greatest(nights.sold + nights.held - repaired.due, 0)
FROM repaired
WHERE nights.room_type_id = repaired.room_type_id AND nights.date = repaired.date;
