-- Writes everything that a batch changes, in the order that references and CHECKs of the schema need. Every argument is
-- a JSON array of rows; most are empty. Each statement begins with its argument (CROSS JOIN fixes the order), so that
-- an empty argument costs nothing. jsonb_each reads it: json_each would write a row's text again for every column.

-- $1: room types. Past nights keep the values that the room type had.
UPDATE nights
SET physical = past.physical, allowance = past.allowance
FROM (
    SELECT
        n.room_type_id,
        n.date,
        coalesce(n.physical, t.rooms) AS physical,
        coalesce(n.allowance, t.overbooking_allowance) AS allowance
    FROM jsonb_each($1) AS new
    CROSS JOIN room_types AS t ON t.id = new.value->>'id'
    CROSS JOIN nights AS n ON n.room_type_id = t.id AND n.date < new.value->>'today'
    WHERE n.physical IS NULL OR n.allowance IS NULL
) AS past
WHERE nights.room_type_id = past.room_type_id AND nights.date = past.date;

UPDATE room_types
SET name = new.name,
    max_adults = new.max_adults,
    max_children = new.max_children,
    max_occupancy = new.max_occupancy,
    rooms = new.rooms,
    overbooking_allowance = new.overbooking_allowance
FROM (
    SELECT
        value->>'id' AS id,
        value->>'name' AS name,
        value->>'$.occupancy.max_adults' AS max_adults,
        value->>'$.occupancy.max_children' AS max_children,
        value->>'$.occupancy.max_occupancy' AS max_occupancy,
        value->>'rooms' AS rooms,
        value->>'overbooking_allowance' AS overbooking_allowance
    FROM jsonb_each($1)
) AS new
WHERE room_types.id = new.id;

-- $2: new and changed rate plans
INSERT INTO rate_plans (id, room_type_id, name, price_minor, policy)
SELECT value->>'id', value->>'room_type_id', value->>'name', value->>'price', value->'policy'
FROM jsonb_each($2)
WHERE true
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, price_minor = excluded.price_minor, policy = excluded.policy;

-- $3: nights of rate plans
INSERT INTO rate_nights (
    rate_plan_id, date, price_minor, stop_sell, closed_to_arrival, closed_to_departure, min_nights_arrival,
    max_nights_arrival, min_nights_through, max_nights_through
)
SELECT
    value->>'rate_plan_id', value->>'date', value->>'price', value->>'stop_sell', value->>'closed_to_arrival',
    value->>'closed_to_departure', value->>'min_nights_arrival', value->>'max_nights_arrival',
    value->>'min_nights_through', value->>'max_nights_through'
FROM jsonb_each($3)
WHERE true
ON CONFLICT (rate_plan_id, date) DO UPDATE
SET price_minor = excluded.price_minor,
    stop_sell = excluded.stop_sell,
    closed_to_arrival = excluded.closed_to_arrival,
    closed_to_departure = excluded.closed_to_departure,
    min_nights_arrival = excluded.min_nights_arrival,
    max_nights_arrival = excluded.max_nights_arrival,
    min_nights_through = excluded.min_nights_through,
    max_nights_through = excluded.max_nights_through;

-- $4: settings of nights. The capacity of an existing night is written below, and a forced exception that became
-- smaller too.
INSERT INTO nights (
    room_type_id, date, physical, out_of_order, allowance, forced, stop_sell, closed_to_arrival, closed_to_departure,
    min_nights_arrival, max_nights_arrival, min_nights_through, max_nights_through, capacity
)
SELECT
    t.id, new.value->>'date', new.value->>'physical', new.value->>'out_of_order', new.value->>'allowance',
    new.value->>'forced', new.value->>'stop_sell', new.value->>'closed_to_arrival', new.value->>'closed_to_departure',
    new.value->>'min_nights_arrival', new.value->>'max_nights_arrival', new.value->>'min_nights_through',
    new.value->>'max_nights_through',
    min(max(
        coalesce(new.value->>'physical', t.rooms) - (new.value->>'out_of_order')
            + coalesce(new.value->>'allowance', t.overbooking_allowance),
        0), 65535)
FROM jsonb_each($4) AS new
CROSS JOIN room_types AS t ON t.id = new.value->>'room_type_id'
WHERE true
ON CONFLICT (room_type_id, date) DO UPDATE
SET physical = excluded.physical,
    out_of_order = excluded.out_of_order,
    allowance = excluded.allowance,
    forced = max(nights.forced, excluded.forced),
    stop_sell = excluded.stop_sell,
    closed_to_arrival = excluded.closed_to_arrival,
    closed_to_departure = excluded.closed_to_departure,
    min_nights_arrival = excluded.min_nights_arrival,
    max_nights_arrival = excluded.max_nights_arrival,
    min_nights_through = excluded.min_nights_through,
    max_nights_through = excluded.max_nights_through;

-- $5: room types whose capacity may change from a date on. A batch may raise a night and then sell it, or free a night
-- and then lower it. So the order is: raise, count, lower. The CHECK then sees each night as it is at the end.
UPDATE nights
SET capacity = due.capacity
FROM (
    SELECT
        n.room_type_id,
        n.date,
        min(max(
            coalesce(n.physical, t.rooms) - n.out_of_order + coalesce(n.allowance, t.overbooking_allowance),
            0), 65535) AS capacity
    FROM jsonb_each($5) AS resized
    CROSS JOIN room_types AS t ON t.id = resized.value->>'room_type_id'
    CROSS JOIN nights AS n ON n.room_type_id = t.id AND n.date >= resized.value->>'from'
) AS due
WHERE nights.room_type_id = due.room_type_id AND nights.date = due.date AND nights.capacity < due.capacity;

-- $6: what the bookings take and give back, summed per night. A forced exception ends with its guests.
INSERT INTO nights (room_type_id, date, capacity, sold, held, forced)
SELECT
    t.id,
    moved.value->>'date',
    coalesce(n.capacity, min(max(t.rooms + t.overbooking_allowance, 0), 65535)),
    coalesce(n.sold, 0) + (moved.value->>'sold'),
    coalesce(n.held, 0) + (moved.value->>'held'),
    CASE WHEN n.forced > 0 THEN min(n.forced, max(
        n.sold + (moved.value->>'sold') + n.held + (moved.value->>'held') - min(max(
            coalesce(n.physical, t.rooms) - n.out_of_order + coalesce(n.allowance, t.overbooking_allowance),
            0), 65535),
        0))
    ELSE 0 END
FROM jsonb_each($6) AS moved
CROSS JOIN room_types AS t ON t.id = moved.value->>'room_type_id'
LEFT JOIN nights AS n ON n.room_type_id = t.id AND n.date = moved.value->>'date'
WHERE true
ON CONFLICT (room_type_id, date) DO UPDATE
SET sold = excluded.sold, held = excluded.held, forced = excluded.forced;

-- $5 again: lower
UPDATE nights
SET capacity = due.capacity, forced = min(nights.forced, max(nights.sold + nights.held - due.capacity, 0))
FROM (
    SELECT
        n.room_type_id,
        n.date,
        min(max(
            coalesce(n.physical, t.rooms) - n.out_of_order + coalesce(n.allowance, t.overbooking_allowance),
            0), 65535) AS capacity
    FROM jsonb_each($5) AS resized
    CROSS JOIN room_types AS t ON t.id = resized.value->>'room_type_id'
    CROSS JOIN nights AS n ON n.room_type_id = t.id AND n.date >= resized.value->>'from'
) AS due
WHERE nights.room_type_id = due.room_type_id AND nights.date = due.date
    AND (nights.capacity > due.capacity OR nights.forced > 0);

-- $7: bookings. Hotel, room type and time of creation never change.
INSERT INTO bookings (
    id, hotel_id, room_type_id, rate_plan_id, status, expires_at, departed, fee_minor, check_in, check_out, rooms,
    prices, mobile, email, external_reference, policy, currency, created_at, changed_at, sequence
)
SELECT
    value->>'id', value->>'hotel_id', value->>'room_type_id', value->>'rate_plan_id', value->>'status',
    value->>'expires_at', value->>'departed', value->>'fee_minor', value->>'check_in', value->>'check_out',
    value->>'rooms', value->'prices', value->>'mobile', value->>'email', value->>'external_reference',
    value->'policy', value->>'currency', value->>'created_at', value->>'changed_at', value->>'sequence'
FROM jsonb_each($7)
WHERE true
ON CONFLICT (id) DO UPDATE
SET rate_plan_id = excluded.rate_plan_id,
    status = excluded.status,
    expires_at = excluded.expires_at,
    departed = excluded.departed,
    fee_minor = excluded.fee_minor,
    check_in = excluded.check_in,
    check_out = excluded.check_out,
    rooms = excluded.rooms,
    prices = excluded.prices,
    mobile = excluded.mobile,
    email = excluded.email,
    external_reference = excluded.external_reference,
    policy = excluded.policy,
    currency = excluded.currency,
    changed_at = excluded.changed_at,
    sequence = excluded.sequence;

-- $8: ids of bookings whose guests and services are replaced
DELETE FROM booking_guests WHERE booking_id IN (SELECT value FROM jsonb_each($8));
DELETE FROM booking_services WHERE booking_id IN (SELECT value FROM jsonb_each($8));

-- $9: guests
INSERT INTO booking_guests (booking_id, position, name, age)
SELECT value->>'booking_id', value->>'position', value->>'name', value->>'age'
FROM jsonb_each($9);

-- $10: booked services
INSERT INTO booking_services (
    booking_id, position, service_id, name, basis, unit_price_minor, quantity, amount_minor
)
SELECT
    value->>'booking_id', value->>'position', value->>'service_id', value->>'name', value->>'basis',
    value->>'unit_price', value->>'quantity', value->>'amount'
FROM jsonb_each($10);

-- $11: events
INSERT INTO events (room_type_id, sequence, fact_id, at, cause, booking_id, payload)
SELECT
    value->>'room_type_id', value->>'sequence', value->>'fact_id', value->>'at', value->>'cause',
    value->>'booking_id', value->'payload'
FROM jsonb_each($11);

-- $12: idempotency records. A stored record with the same key has expired.
INSERT INTO idempotency_records (key, fingerprint, kind, answer, expires_at)
SELECT
    unhex(value->>'key'), unhex(value->>'fingerprint'), value->>'kind', value->'answer', value->>'expires_at'
FROM jsonb_each($12)
WHERE true
ON CONFLICT (key) DO UPDATE
SET fingerprint = excluded.fingerprint,
    kind = excluded.kind,
    principal = excluded.principal,
    answer = excluded.answer,
    expires_at = excluded.expires_at;

-- $13: jobs, stored once ever: a dedup key belongs to one fact
INSERT INTO jobs (kind, tenant, payload, priority, max_attempts, dedup_key, once, next_at, created_at)
SELECT
    value->>'kind', value->>'tenant', value->'payload', value->>'priority', value->>'max_attempts',
    value->>'dedup_key', true, value->>'at', value->>'at'
FROM jsonb_each($13)
WHERE true
ON CONFLICT DO NOTHING;

-- $14: the last sequence number of each room type
UPDATE room_types
SET sequence = last.sequence
FROM (SELECT value->>'room_type_id' AS id, value->>'sequence' AS sequence FROM jsonb_each($14)) AS last
WHERE room_types.id = last.id;
