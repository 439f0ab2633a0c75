-- Writes everything that the bookings of a batch change, in one statement with one array per column. Parts of a
-- statement do not see each other's writes, so no row is written by two parts.
--
-- It writes everything or nothing. It writes only if the room types are as the batch was decided on, both when it began
-- and after it has locked them. What it reads is as old as its beginning. If it had to wait for a commit of the same
-- owner whose answer got lost, the lock alone would let it count from outdated nights. Sequence numbers only grow, and
-- every change of a night raises that of its room type. So if they are equal both times, nothing was committed in
-- between.
WITH locked AS MATERIALIZED (
    -- ordered by id in every statement; a claim waits for this lock, and this lock waits for a claim
    SELECT id, fencing_token, sequence
    FROM room_types
    WHERE id = ANY($1)
    ORDER BY id
    FOR NO KEY UPDATE
),
granted AS MATERIALIZED (
    -- $1 to $4, ordered by id: room types, the token and the sequence number on which the batch was decided, and the
    -- sequence number of its last fact
    SELECT coalesce(
        array_agg(fencing_token ORDER BY id) = $2::bigint[]
            AND array_agg(sequence ORDER BY id) = $3::bigint[]
            AND (SELECT array_agg(t.sequence ORDER BY t.id) FROM room_types AS t WHERE t.id = ANY($1)) = $3,
        false
    ) AS yes
    FROM locked
),
counted AS (
    -- what the bookings take and give back, summed per night; a forced exception ends with its guests
    INSERT INTO nights (room_type_id, date, capacity, sold, held, forced)
    SELECT
        moved.room_type_id,
        moved.date,
        coalesce(n.capacity, (
            SELECT least(greatest(t.rooms + t.overbooking_allowance, 0), 65535)
            FROM room_types AS t
            WHERE t.id = moved.room_type_id
        )),
        coalesce(n.sold, 0) + moved.sold,
        coalesce(n.held, 0) + moved.held,
        CASE WHEN n.forced > 0 THEN least(n.forced, greatest(n.sold + moved.sold + n.held + moved.held - (
            SELECT least(greatest(
                coalesce(n.physical, t.rooms) - n.out_of_order + coalesce(n.allowance, t.overbooking_allowance),
                0), 65535)
            FROM room_types AS t
            WHERE t.id = moved.room_type_id
        ), 0)) ELSE 0 END
    FROM unnest($5::uuid[], $6::date[], $7::bigint[], $8::bigint[]) AS moved (room_type_id, date, sold, held)
    LEFT JOIN LATERAL (
        -- LIMIT keeps the look-up night by night, also in a plan that was made while the table was empty
        SELECT capacity, sold, held, forced, physical, out_of_order, allowance
        FROM nights
        WHERE room_type_id = moved.room_type_id AND date = moved.date
        LIMIT 1
    ) AS n ON true
    WHERE (SELECT yes FROM granted)
    ON CONFLICT (room_type_id, date) DO UPDATE
    SET sold = excluded.sold, held = excluded.held, forced = excluded.forced
),
booked AS (
    -- new bookings; an insert must not replace an existing one
    INSERT INTO bookings (
        id, hotel_id, room_type_id, rate_plan_id, status, expires_at, departed, fee_minor, check_in, check_out, rooms,
        prices, mobile, email, external_reference, policy, currency, created_at, changed_at, sequence
    )
    SELECT * FROM unnest(
        $9::uuid[], $10::uuid[], $11::uuid[], $12::uuid[], $13::text[], $14::bigint[], $15::date[], $16::bigint[],
        $17::date[], $18::date[], $19::integer[], $20::jsonb[], $21::text[], $22::text[], $23::text[], $24::jsonb[],
        $25::text[], $26::bigint[], $27::bigint[], $28::bigint[]
    )
    WHERE (SELECT yes FROM granted)
),
changed AS (
    -- existing bookings; hotel, room type and time of creation never change
    INSERT INTO bookings (
        id, hotel_id, room_type_id, rate_plan_id, status, expires_at, departed, fee_minor, check_in, check_out, rooms,
        prices, mobile, email, external_reference, policy, currency, created_at, changed_at, sequence
    )
    SELECT * FROM unnest(
        $29::uuid[], $30::uuid[], $31::uuid[], $32::uuid[], $33::text[], $34::bigint[], $35::date[], $36::bigint[],
        $37::date[], $38::date[], $39::integer[], $40::jsonb[], $41::text[], $42::text[], $43::text[], $44::jsonb[],
        $45::text[], $46::bigint[], $47::bigint[], $48::bigint[]
    )
    WHERE (SELECT yes FROM granted)
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
    SELECT * FROM unnest($49::uuid[], $50::integer[], $51::text[], $52::smallint[])
    WHERE (SELECT yes FROM granted)
),
served AS (
    INSERT INTO booking_services (
        booking_id, position, service_id, name, basis, unit_price_minor, quantity, amount_minor
    )
    SELECT * FROM unnest(
        $53::uuid[], $54::integer[], $55::uuid[], $56::text[], $57::text[], $58::bigint[], $59::integer[],
        $60::bigint[]
    )
    WHERE (SELECT yes FROM granted)
),
told AS (
    -- $61: how many events of this transaction are written already
    INSERT INTO events (position, room_type_id, sequence, fact_id, at, cause, booking_id, payload)
    SELECT
        positions.base + (pg_current_xact_id()::text::bigint << 12) + $61 + new.place - 1,
        new.room_type_id, new.sequence, new.fact_id, new.at, new.cause, new.booking_id, new.payload
    FROM unnest(
        $62::uuid[], $63::bigint[], $64::uuid[], $65::bigint[], $66::text[], $67::uuid[], $68::jsonb[]
    ) WITH ORDINALITY AS new (room_type_id, sequence, fact_id, at, cause, booking_id, payload, place)
    CROSS JOIN event_positions AS positions
    WHERE (SELECT yes FROM granted)
),
remembered AS (
    -- ordered by key, so that of two batches with the same keys only one waits for the other (except a batch that first
    -- deleted expired records)
    INSERT INTO idempotency_records (key, fingerprint, kind, answer, expires_at)
    SELECT * FROM unnest($69::bytea[], $70::bytea[], $71::text[], $72::text[]::json[], $73::bigint[])
    WHERE (SELECT yes FROM granted)
),
to_do AS (
    -- stored once ever: a dedup key belongs to one fact
    INSERT INTO jobs (kind, tenant, payload, priority, max_attempts, dedup_key, once, next_at, created_at)
    SELECT new.kind, new.tenant, new.payload, new.priority, new.max_attempts, new.dedup_key, true, new.at, new.at
    FROM unnest(
        $74::text[], $75::uuid[], $76::jsonb[], $77::smallint[], $78::integer[], $79::text[], $80::bigint[]
    ) AS new (kind, tenant, payload, priority, max_attempts, dedup_key, at)
    WHERE (SELECT yes FROM granted)
    ON CONFLICT DO NOTHING
),
advanced AS (
    UPDATE room_types
    SET sequence = ($4::bigint[])[array_position($1, id)]
    WHERE id = ANY($1) AND (SELECT yes FROM granted)
)
SELECT yes AS granted FROM granted
