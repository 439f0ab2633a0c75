-- The whole store. Nights are dates, instants are microseconds since 1970 (UTC), money is minor units. What a fact
-- touches is keyed by its room type: the unit of ownership, and of distribution. Rows that change in place (counters,
-- tokens) leave room on their pages, so that a change need not touch an index.

CREATE TABLE installation (
    id     integer NOT NULL PRIMARY KEY CHECK (id = 1),
    secret bytea   NOT NULL CHECK (length(secret) = 32)
);

CREATE TABLE hotels (
    id             uuid    NOT NULL PRIMARY KEY,
    name           text    NOT NULL,
    city           text    NOT NULL,
    city_key       text    NOT NULL, -- the city in lower case of every script, whatever the database's locale
    country        text    NOT NULL,
    timezone       text    NOT NULL,
    currency       text    NOT NULL,
    check_in_time  text    NOT NULL,
    check_out_time text    NOT NULL,
    latitude       double precision,
    longitude      double precision,
    max_nights     integer NOT NULL,
    horizon_nights integer NOT NULL,
    -- order of the last change of it, its services or its list of room types: see event_positions
    changed        bigint  NOT NULL DEFAULT 0
);

CREATE INDEX hotels_by_city ON hotels (city_key, id);
CREATE INDEX hotels_by_change ON hotels (changed);

CREATE TABLE room_types (
    id                    uuid    NOT NULL PRIMARY KEY,
    hotel_id              uuid    NOT NULL REFERENCES hotels (id),
    name                  text    NOT NULL,
    max_adults            integer NOT NULL,
    max_children          integer NOT NULL,
    max_occupancy         integer NOT NULL,
    rooms                 integer NOT NULL,
    overbooking_allowance integer NOT NULL,
    fencing_token         bigint  NOT NULL DEFAULT 0, -- the highest ever claimed; only its owner may commit
    sequence              bigint  NOT NULL DEFAULT 0  -- of the last fact
) WITH (fillfactor = 70);

CREATE INDEX room_types_by_hotel ON room_types (hotel_id, id);

CREATE TABLE rate_plans (
    id           uuid   NOT NULL PRIMARY KEY,
    room_type_id uuid   NOT NULL REFERENCES room_types (id),
    name         text   NOT NULL,
    price_minor  bigint NOT NULL,
    policy       jsonb  NOT NULL
);

CREATE INDEX rate_plans_by_room_type ON rate_plans (room_type_id, id);

-- Nights of a rate plan that differ from it.
CREATE TABLE rate_nights (
    rate_plan_id        uuid     NOT NULL REFERENCES rate_plans (id),
    date                date     NOT NULL,
    price_minor         bigint, -- null: the plan's
    stop_sell           boolean  NOT NULL DEFAULT false,
    closed_to_arrival   boolean  NOT NULL DEFAULT false,
    closed_to_departure boolean  NOT NULL DEFAULT false,
    min_nights_arrival  smallint NOT NULL DEFAULT 0,
    max_nights_arrival  smallint NOT NULL DEFAULT 0,
    min_nights_through  smallint NOT NULL DEFAULT 0,
    max_nights_through  smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (rate_plan_id, date)
);

-- Nights of a room type that somebody has touched.
CREATE TABLE nights (
    room_type_id        uuid     NOT NULL REFERENCES room_types (id),
    date                date     NOT NULL,
    physical            integer, -- null: the room type's rooms; a night of the past says what they were
    out_of_order        integer  NOT NULL DEFAULT 0,
    allowance           integer, -- null: the room type's, likewise
    stop_sell           boolean  NOT NULL DEFAULT false,
    closed_to_arrival   boolean  NOT NULL DEFAULT false,
    closed_to_departure boolean  NOT NULL DEFAULT false,
    min_nights_arrival  smallint NOT NULL DEFAULT 0,
    max_nights_arrival  smallint NOT NULL DEFAULT 0,
    min_nights_through  smallint NOT NULL DEFAULT 0,
    max_nights_through  smallint NOT NULL DEFAULT 0,
    -- physical − out of order + allowance, never below zero; `verify` compares
    capacity            integer  NOT NULL,
    sold                integer  NOT NULL DEFAULT 0 CHECK (sold >= 0),
    held                integer  NOT NULL DEFAULT 0 CHECK (held >= 0),
    PRIMARY KEY (room_type_id, date),
    CONSTRAINT never_oversold CHECK (sold + held <= capacity)
) WITH (fillfactor = 70);

CREATE TABLE services (
    id          uuid   NOT NULL PRIMARY KEY,
    hotel_id    uuid   NOT NULL REFERENCES hotels (id),
    name        text   NOT NULL,
    basis       text   NOT NULL,
    price_minor bigint NOT NULL
);

CREATE INDEX services_by_hotel ON services (hotel_id, id);

CREATE TABLE bookings (
    id                 uuid    NOT NULL PRIMARY KEY,
    hotel_id           uuid    NOT NULL REFERENCES hotels (id),
    room_type_id       uuid    NOT NULL REFERENCES room_types (id),
    rate_plan_id       uuid    NOT NULL REFERENCES rate_plans (id),
    status             text    NOT NULL,
    expires_at         bigint, -- while it is held
    departed           date,   -- when it is checked out
    fee_minor          bigint, -- when it is cancelled or a no-show
    check_in           date    NOT NULL,
    check_out          date    NOT NULL,
    rooms              integer NOT NULL,
    prices             jsonb   NOT NULL, -- of one room, a number for each night, frozen at sale
    mobile             text    NOT NULL,
    email              text,
    external_reference text,
    policy             jsonb   NOT NULL, -- as it was at sale
    currency           text    NOT NULL,
    created_at         bigint  NOT NULL,
    changed_at         bigint  NOT NULL,
    sequence           bigint  NOT NULL  -- of the fact that changed it last
);

-- Lists are read in order of id, so every index but the first ends with it. Each of them costs every commit: what it is
-- for is in src/store/sqlite/list.rs.
CREATE INDEX bookings_held ON bookings (room_type_id) WHERE status = 'held';
CREATE INDEX bookings_by_hotel ON bookings (hotel_id, id);
CREATE INDEX bookings_by_room_type ON bookings (room_type_id, id);
CREATE INDEX bookings_by_arrival ON bookings (hotel_id, check_in, id);
CREATE INDEX bookings_by_status ON bookings (status, id);
CREATE INDEX bookings_by_hotel_and_status ON bookings (hotel_id, status, id);
CREATE INDEX bookings_by_mobile ON bookings (mobile, id);
-- The same ASCII lower case as elsewhere, whatever the database's locale.
CREATE INDEX bookings_by_email ON bookings (lower(email COLLATE "C"), id) WHERE email IS NOT NULL;
CREATE INDEX bookings_by_reference ON bookings (external_reference, id) WHERE external_reference IS NOT NULL;

CREATE TABLE booking_guests (
    booking_id uuid     NOT NULL REFERENCES bookings (id),
    position   integer  NOT NULL,
    name       text     NOT NULL,
    age        smallint NOT NULL,
    PRIMARY KEY (booking_id, position)
);

CREATE TABLE booking_services (
    booking_id       uuid    NOT NULL REFERENCES bookings (id),
    position         integer NOT NULL,
    service_id       uuid    NOT NULL REFERENCES services (id),
    name             text    NOT NULL,
    basis            text    NOT NULL,
    unit_price_minor bigint  NOT NULL,
    quantity         integer NOT NULL,
    amount_minor     bigint  NOT NULL,
    PRIMARY KEY (booking_id, position)
);

-- The history of every room type, without a gap: the whole, or its end. Says what changed, never whom it concerns: no guests, no contacts.
CREATE TABLE events (
    position     bigint NOT NULL PRIMARY KEY, -- in the order of commits, over all room types: see event_positions
    room_type_id uuid   NOT NULL REFERENCES room_types (id),
    sequence     bigint NOT NULL,
    fact_id      uuid   NOT NULL,
    at           bigint NOT NULL,
    cause        text   NOT NULL,
    booking_id   uuid,
    payload      jsonb  NOT NULL,
    UNIQUE (room_type_id, sequence)
);

CREATE UNIQUE INDEX events_by_fact ON events (fact_id);

-- A position is base + transaction number × 4096 + place in the transaction: an order of commits that nobody waits for.
-- Readers stop at the oldest transaction that is still under way. A changed hotel is numbered the same way. The base grows when a dump comes to a cluster whose
-- transactions have lower numbers.
CREATE TABLE event_positions (
    id   integer NOT NULL PRIMARY KEY CHECK (id = 1),
    base bigint  NOT NULL
);

INSERT INTO event_positions (id, base) VALUES (1, 0);

-- Up to where old events have been deleted. The last one of a room type always stays, however old: so a position is
-- never given again.
CREATE TABLE event_trim (
    id       integer NOT NULL PRIMARY KEY CHECK (id = 1),
    position bigint  NOT NULL
);

INSERT INTO event_trim (id, position) VALUES (1, 0);

-- Idempotency keys. No foreign key to the booking: `verify` looks whether it exists. Answers are only ever read whole.
CREATE TABLE attempts (
    key          bytea  NOT NULL PRIMARY KEY,
    fingerprint  bytea  NOT NULL,
    room_type_id uuid   NOT NULL,
    booking_id   uuid   NOT NULL,
    answer       json   NOT NULL,
    expires_at   bigint NOT NULL
);

CREATE INDEX attempts_by_expiry ON attempts (expires_at);

-- Side effects to be done after their cause is durable.
CREATE TABLE jobs (
    id         bigint  NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind       text    NOT NULL,
    booking_id uuid    NOT NULL REFERENCES bookings (id),
    dedup_key  text    NOT NULL UNIQUE,
    state      text    NOT NULL DEFAULT 'ready',
    attempts   integer NOT NULL DEFAULT 0,
    next_at    bigint  NOT NULL
);
