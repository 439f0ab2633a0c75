-- A capacity below what is sold can be forced. What that leaves beyond the capacity is counted on the night: it ends with
-- the guests it was made for. Before, `force` set the night's allowance instead, which stayed for ever.
CREATE TABLE new_nights (
    room_type_id        TEXT    NOT NULL REFERENCES room_types (id),
    date                TEXT    NOT NULL,
    physical            INTEGER, -- null: the room type's rooms; a night of the past says what they were
    out_of_order        INTEGER NOT NULL DEFAULT 0,
    allowance           INTEGER, -- null: the room type's, likewise
    stop_sell           INTEGER NOT NULL DEFAULT 0,
    closed_to_arrival   INTEGER NOT NULL DEFAULT 0,
    closed_to_departure INTEGER NOT NULL DEFAULT 0,
    min_nights_arrival  INTEGER NOT NULL DEFAULT 0,
    max_nights_arrival  INTEGER NOT NULL DEFAULT 0,
    min_nights_through  INTEGER NOT NULL DEFAULT 0,
    max_nights_through  INTEGER NOT NULL DEFAULT 0,
    -- physical − out of order + allowance, never below zero; `verify` compares
    capacity            INTEGER NOT NULL,
    sold                INTEGER NOT NULL DEFAULT 0 CHECK (sold >= 0),
    held                INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    -- sold and held beyond the capacity, because a lower capacity was forced; `verify` compares
    forced              INTEGER NOT NULL DEFAULT 0 CHECK (forced >= 0),
    PRIMARY KEY (room_type_id, date),
    CONSTRAINT never_oversold CHECK (sold + held <= capacity + forced)
) STRICT, WITHOUT ROWID;

-- A present allowance that a forced change brought is taken for such an exception; the night follows its room type again.
-- Where the events of that time have been deleted nothing tells it from the operator's own, and it stays.
WITH told AS (
    SELECT
        e.room_type_id,
        night.value->>'$[0]' AS date,
        night.value->>'$[1].allowance' AS allowance,
        e.payload->>'$.forced_by' IS NOT NULL AS was_forced,
        e.sequence
    FROM events AS e
    CROSS JOIN json_each(e.payload, '$.nights') AS night
    WHERE e.cause = 'nights_set'
),
compared AS (
    SELECT *, lag(allowance) OVER (PARTITION BY room_type_id, date ORDER BY sequence) AS previous
    FROM told
),
brought AS (
    SELECT DISTINCT room_type_id, date, allowance
    FROM compared
    WHERE was_forced AND allowance IS NOT NULL AND allowance IS NOT previous
),
repaired AS (
    SELECT
        n.*,
        b.allowance IS NOT NULL AS is_forced,
        CASE WHEN b.allowance IS NULL THEN n.capacity ELSE min(max(
            coalesce(n.physical, t.rooms) - n.out_of_order + t.overbooking_allowance,
            0), 65535)
        END AS due
    FROM nights AS n
    JOIN room_types AS t ON t.id = n.room_type_id
    LEFT JOIN brought AS b ON b.room_type_id = n.room_type_id AND b.date = n.date AND b.allowance = n.allowance
)
INSERT INTO new_nights (
    room_type_id, date, physical, out_of_order, allowance, stop_sell, closed_to_arrival, closed_to_departure,
    min_nights_arrival, max_nights_arrival, min_nights_through, max_nights_through, capacity, sold, held, forced
)
SELECT
    room_type_id, date, physical, out_of_order, CASE WHEN is_forced THEN NULL ELSE allowance END, stop_sell,
    closed_to_arrival, closed_to_departure, min_nights_arrival, max_nights_arrival, min_nights_through,
    max_nights_through, due, sold, held, max(sold + held - due, 0)
FROM repaired;

DROP TABLE nights;
ALTER TABLE new_nights RENAME TO nights;
