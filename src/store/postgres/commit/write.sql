-- Everything that the bookings of a batch change, in one statement; one array per column. What one part writes another
-- does not see, so no row is written by two.
WITH counted AS (
    -- what the bookings take and give back, summed per night
    INSERT INTO nights (room_type_id, date, capacity, sold, held)
    SELECT
        t.id,
        moved.date,
        coalesce(n.capacity, least(greatest(t.rooms + t.overbooking_allowance, 0), 65535)),
        coalesce(n.sold, 0) + moved.sold,
        coalesce(n.held, 0) + moved.held
    FROM unnest($1::uuid[], $2::date[], $3::bigint[], $4::bigint[]) AS moved (room_type_id, date, sold, held)
    JOIN room_types AS t ON t.id = moved.room_type_id
    LEFT JOIN nights AS n ON n.room_type_id = moved.room_type_id AND n.date = moved.date
    ON CONFLICT (room_type_id, date) DO UPDATE
    SET sold = excluded.sold, held = excluded.held
),
booked AS (
    -- what identifies a booking (hotel, room type, creation) never changes
    INSERT INTO bookings (
        id, hotel_id, room_type_id, rate_plan_id, status, expires_at, departed, fee_minor, check_in, check_out, rooms,
        prices, mobile, email, external_reference, policy, currency, created_at, changed_at, sequence
    )
    SELECT * FROM unnest(
        $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::text[], $10::bigint[], $11::date[], $12::bigint[],
        $13::date[], $14::date[], $15::integer[], $16::jsonb[], $17::text[], $18::text[], $19::text[], $20::jsonb[],
        $21::text[], $22::bigint[], $23::bigint[], $24::bigint[]
    )
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
        sequence = excluded.sequence
),
accompanied AS (
    INSERT INTO booking_guests (booking_id, position, name, age)
    SELECT * FROM unnest($25::uuid[], $26::integer[], $27::text[], $28::smallint[])
),
served AS (
    INSERT INTO booking_services (
        booking_id, position, service_id, name, basis, unit_price_minor, quantity, amount_minor
    )
    SELECT * FROM unnest(
        $29::uuid[], $30::integer[], $31::uuid[], $32::text[], $33::text[], $34::bigint[], $35::integer[],
        $36::bigint[]
    )
),
told AS (
    -- $37: how many events of this transaction are written already
    INSERT INTO events (position, room_type_id, sequence, fact_id, at, cause, booking_id, payload)
    SELECT
        positions.base + (pg_current_xact_id()::text::bigint << 12) + $37 + new.place - 1,
        new.room_type_id, new.sequence, new.fact_id, new.at, new.cause, new.booking_id, new.payload
    FROM unnest(
        $38::uuid[], $39::bigint[], $40::uuid[], $41::bigint[], $42::text[], $43::uuid[], $44::jsonb[]
    ) WITH ORDINALITY AS new (room_type_id, sequence, fact_id, at, cause, booking_id, payload, place)
    CROSS JOIN event_positions AS positions
),
remembered AS (
    -- in the order of their keys, so that two batches with the same keys do not wait for each other; one that is there
    -- already must have expired when the key was used again
    INSERT INTO attempts AS known (key, fingerprint, room_type_id, booking_id, answer, expires_at)
    SELECT new.key, new.fingerprint, new.room_type_id, new.booking_id, new.answer, new.expires_at
    FROM unnest($45::bytea[], $46::bytea[], $47::uuid[], $48::uuid[], $49::text[]::json[], $50::bigint[])
        AS new (key, fingerprint, room_type_id, booking_id, answer, expires_at)
    ON CONFLICT (key) DO UPDATE
    SET fingerprint = excluded.fingerprint,
        room_type_id = excluded.room_type_id,
        booking_id = excluded.booking_id,
        answer = excluded.answer,
        expires_at = excluded.expires_at
    WHERE known.expires_at <= (
        SELECT used.at FROM unnest($45::bytea[], $51::bigint[]) AS used (key, at) WHERE used.key = excluded.key
    )
    RETURNING 1
),
to_do AS (
    INSERT INTO jobs (kind, booking_id, dedup_key, next_at)
    SELECT * FROM unnest($52::text[], $53::uuid[], $54::text[], $55::bigint[])
    ON CONFLICT (dedup_key) DO NOTHING
),
moved_on AS (
    UPDATE room_types
    SET sequence = last.sequence
    FROM unnest($56::uuid[], $57::bigint[]) AS last (room_type_id, sequence)
    WHERE room_types.id = last.room_type_id
)
SELECT count(*) AS remembered FROM remembered
