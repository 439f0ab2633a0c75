-- The whole store. Ids are UUIDs as text, nights are dates as YYYY-MM-DD, instants are microseconds since 1970 (UTC),
-- money is minor units. What a fact touches is keyed by its room type: the unit of ownership, and of distribution.

CREATE TABLE installation (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    secret BLOB    NOT NULL CHECK (length(secret) = 32)
) STRICT;

CREATE TABLE hotels (
    id             TEXT    NOT NULL PRIMARY KEY,
    name           TEXT    NOT NULL,
    city           TEXT    NOT NULL,
    city_key       TEXT    NOT NULL, -- the city in lower case of every script, which SQL cannot do
    country        TEXT    NOT NULL,
    timezone       TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    check_in_time  TEXT    NOT NULL,
    check_out_time TEXT    NOT NULL,
    latitude       REAL,
    longitude      REAL,
    max_nights     INTEGER NOT NULL,
    horizon_nights INTEGER NOT NULL,
    changed        INTEGER NOT NULL DEFAULT 0 -- order of the last change of it, its services or its list of room types
) STRICT, WITHOUT ROWID;

CREATE INDEX hotels_by_city ON hotels (city_key, id);
CREATE INDEX hotels_by_change ON hotels (changed);

CREATE TABLE room_types (
    id                    TEXT    NOT NULL PRIMARY KEY,
    hotel_id              TEXT    NOT NULL REFERENCES hotels (id),
    name                  TEXT    NOT NULL,
    max_adults            INTEGER NOT NULL,
    max_children          INTEGER NOT NULL,
    max_occupancy         INTEGER NOT NULL,
    rooms                 INTEGER NOT NULL,
    overbooking_allowance INTEGER NOT NULL,
    fencing_token         INTEGER NOT NULL DEFAULT 0, -- the highest ever claimed; only its owner may commit
    sequence              INTEGER NOT NULL DEFAULT 0  -- of the last fact
) STRICT, WITHOUT ROWID;

CREATE INDEX room_types_by_hotel ON room_types (hotel_id, id);

CREATE TABLE rate_plans (
    id           TEXT    NOT NULL PRIMARY KEY,
    room_type_id TEXT    NOT NULL REFERENCES room_types (id),
    name         TEXT    NOT NULL,
    price_minor  INTEGER NOT NULL,
    policy       TEXT    NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

CREATE INDEX rate_plans_by_room_type ON rate_plans (room_type_id, id);

-- Nights of a rate plan that differ from it.
CREATE TABLE rate_nights (
    rate_plan_id        TEXT    NOT NULL REFERENCES rate_plans (id),
    date                TEXT    NOT NULL,
    price_minor         INTEGER, -- null: the plan's
    stop_sell           INTEGER NOT NULL DEFAULT 0,
    closed_to_arrival   INTEGER NOT NULL DEFAULT 0,
    closed_to_departure INTEGER NOT NULL DEFAULT 0,
    min_nights_arrival  INTEGER NOT NULL DEFAULT 0,
    max_nights_arrival  INTEGER NOT NULL DEFAULT 0,
    min_nights_through  INTEGER NOT NULL DEFAULT 0,
    max_nights_through  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (rate_plan_id, date)
) STRICT, WITHOUT ROWID;

-- Nights of a room type that somebody has touched.
CREATE TABLE nights (
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
    PRIMARY KEY (room_type_id, date),
    CONSTRAINT never_oversold CHECK (sold + held <= capacity)
) STRICT, WITHOUT ROWID;

CREATE TABLE services (
    id          TEXT    NOT NULL PRIMARY KEY,
    hotel_id    TEXT    NOT NULL REFERENCES hotels (id),
    name        TEXT    NOT NULL,
    basis       TEXT    NOT NULL,
    price_minor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX services_by_hotel ON services (hotel_id, id);

CREATE TABLE bookings (
    id                 TEXT    NOT NULL PRIMARY KEY,
    hotel_id           TEXT    NOT NULL REFERENCES hotels (id),
    room_type_id       TEXT    NOT NULL REFERENCES room_types (id),
    rate_plan_id       TEXT    NOT NULL REFERENCES rate_plans (id),
    status             TEXT    NOT NULL,
    expires_at         INTEGER, -- while it is held
    departed           TEXT,    -- when it is checked out
    fee_minor          INTEGER, -- when it is cancelled or a no-show
    check_in           TEXT    NOT NULL,
    check_out          TEXT    NOT NULL,
    rooms              INTEGER NOT NULL,
    prices             TEXT    NOT NULL, -- JSON: of one room, a number for each night, frozen at sale
    mobile             TEXT    NOT NULL,
    email              TEXT,
    external_reference TEXT,
    policy             TEXT    NOT NULL, -- JSON: as it was at sale
    currency           TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    changed_at         INTEGER NOT NULL,
    sequence           INTEGER NOT NULL  -- of the fact that changed it last
) STRICT, WITHOUT ROWID;

-- Lists are read in order of id, so every index but the first ends with it. Each of them costs every commit: what it is
-- for is in src/store/sqlite/list.rs.
CREATE INDEX bookings_held ON bookings (room_type_id) WHERE status = 'held';
CREATE INDEX bookings_by_hotel ON bookings (hotel_id, id);
CREATE INDEX bookings_by_room_type ON bookings (room_type_id, id);
CREATE INDEX bookings_by_arrival ON bookings (hotel_id, check_in, id);
CREATE INDEX bookings_by_status ON bookings (status, id);
CREATE INDEX bookings_by_hotel_and_status ON bookings (hotel_id, status, id);
CREATE INDEX bookings_by_mobile ON bookings (mobile, id);
CREATE INDEX bookings_by_email ON bookings (lower(email), id) WHERE email IS NOT NULL;
CREATE INDEX bookings_by_reference ON bookings (external_reference, id) WHERE external_reference IS NOT NULL;

CREATE TABLE booking_guests (
    booking_id TEXT    NOT NULL REFERENCES bookings (id),
    position   INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    age        INTEGER NOT NULL,
    PRIMARY KEY (booking_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE booking_services (
    booking_id       TEXT    NOT NULL REFERENCES bookings (id),
    position         INTEGER NOT NULL,
    service_id       TEXT    NOT NULL REFERENCES services (id),
    name             TEXT    NOT NULL,
    basis            TEXT    NOT NULL,
    unit_price_minor INTEGER NOT NULL,
    quantity         INTEGER NOT NULL,
    amount_minor     INTEGER NOT NULL,
    PRIMARY KEY (booking_id, position)
) STRICT, WITHOUT ROWID;

-- The history of every room type, without a gap: the whole, or its end. Says what changed, never whom it concerns: no guests, no contacts.
CREATE TABLE events (
    position     INTEGER NOT NULL PRIMARY KEY, -- in the order of commits, over all room types
    room_type_id TEXT    NOT NULL REFERENCES room_types (id),
    sequence     INTEGER NOT NULL,
    fact_id      TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    cause        TEXT    NOT NULL,
    booking_id   TEXT,
    payload      TEXT    NOT NULL, -- JSON
    UNIQUE (room_type_id, sequence)
) STRICT;

CREATE UNIQUE INDEX events_by_fact ON events (fact_id);

-- Up to where old events have been deleted. The last one of a room type always stays, however old: so a position is
-- never given again.
CREATE TABLE event_trim (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL
) STRICT;

INSERT INTO event_trim (id, position) VALUES (1, 0);

-- Idempotency keys. They are random and their answers are large, so the rows are kept in order of arrival, and only the
-- index of keys is written all over. No foreign key to the booking: `verify` looks whether it exists.
CREATE TABLE attempts (
    key          BLOB    NOT NULL UNIQUE,
    fingerprint  BLOB    NOT NULL,
    room_type_id TEXT    NOT NULL,
    booking_id   TEXT    NOT NULL,
    answer       TEXT    NOT NULL, -- JSON
    expires_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX attempts_by_expiry ON attempts (expires_at);

-- Side effects to be done after their cause is durable.
CREATE TABLE jobs (
    id         INTEGER NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    booking_id TEXT    NOT NULL REFERENCES bookings (id),
    dedup_key  TEXT    NOT NULL UNIQUE,
    state      TEXT    NOT NULL DEFAULT 'ready',
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_at    INTEGER NOT NULL
) STRICT;
