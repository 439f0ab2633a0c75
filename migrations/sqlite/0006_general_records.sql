-- Three tables become general: idempotency records hold the answer of any request, jobs have their final columns, and
-- events hold facts of a hotel or of the installation.

-- Idempotency records. `kind` names the type of `answer`, such as `booking`. Rows that were there keep their answers, all
-- of them bookings; the dropped ids are in the answer too. Keys are random and answers are large, so the rows stay in
-- order of arrival, and only the index of keys is written in random places.
CREATE TABLE idempotency_records (
    key         BLOB    NOT NULL UNIQUE,
    fingerprint BLOB    NOT NULL,
    answer      TEXT    NOT NULL, -- JSON
    expires_at  INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    principal   TEXT -- account or API key that used the key; null until there are accounts
) STRICT;

INSERT INTO idempotency_records (key, fingerprint, answer, expires_at, kind)
SELECT key, fingerprint, answer, expires_at, 'booking' FROM attempts ORDER BY rowid;

DROP TABLE attempts;

CREATE INDEX idempotency_records_by_expiry ON idempotency_records (expires_at);

-- Jobs: tasks to be done after their cause is durable. The old rows are discarded: no version ever ran them.
DROP TABLE jobs;

-- Ids are numbers from the database: they grow in the order of insertion, are never given again (AUTOINCREMENT), and a
-- statement can insert jobs without ids from the program.
CREATE TABLE jobs (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind         TEXT    NOT NULL,
    tenant       TEXT    REFERENCES hotels (id), -- null: the job belongs to the installation
    payload      TEXT    NOT NULL, -- JSON
    priority     INTEGER NOT NULL DEFAULT 0, -- lower runs first
    state        TEXT    NOT NULL DEFAULT 'ready',
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0), -- counted when a worker claims the job
    max_attempts INTEGER NOT NULL CHECK (max_attempts > 0),
    next_at      INTEGER NOT NULL, -- a ready job is not claimed before
    lease_token  TEXT,             -- random; each later write of the worker checks it
    lease_until  INTEGER,
    dedup_key    TEXT,
    once         INTEGER NOT NULL DEFAULT 0, -- the dedup key stays taken after the job has finished
    again        INTEGER NOT NULL DEFAULT 0, -- its dedup key was used while it ran: run it once more
    last_error   TEXT,
    created_at   INTEGER NOT NULL,
    finished_at  INTEGER,
    CONSTRAINT known_state CHECK (state IN ('ready', 'running', 'done', 'dead', 'cancelled')),
    CONSTRAINT lease_while_running CHECK (
        (state = 'running') = (lease_token IS NOT NULL) AND (lease_token IS NULL) = (lease_until IS NULL)
    ),
    CONSTRAINT finished_at_the_end CHECK ((state IN ('done', 'dead', 'cancelled')) = (finished_at IS NOT NULL))
) STRICT;

-- One unfinished job per dedup key, or one ever.
CREATE UNIQUE INDEX jobs_by_dedup_key ON jobs (dedup_key)
WHERE dedup_key IS NOT NULL AND (once OR state IN ('ready', 'running'));
-- Due jobs, by tenant: the first jobs of one tenant are found without reading the jobs of another.
CREATE INDEX jobs_ready ON jobs (tenant, priority, next_at, id) WHERE state = 'ready';
-- Jobs whose worker has gone.
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running';
-- Jobs that are old enough to be deleted.
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

-- Events. A fact of a room type names its room type and has a sequence number there. A fact of a hotel names its hotel, a
-- fact of the installation neither; their order is that of positions. SQLite cannot drop a NOT NULL, so the table is
-- copied.
CREATE TABLE new_events (
    position     INTEGER NOT NULL PRIMARY KEY, -- in the order of commits, over all scopes
    room_type_id TEXT    REFERENCES room_types (id),
    sequence     INTEGER,
    fact_id      TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    cause        TEXT    NOT NULL,
    booking_id   TEXT,
    payload      TEXT    NOT NULL, -- JSON
    hotel_id     TEXT    REFERENCES hotels (id), -- null for a fact of a room type: the room type names the hotel
    UNIQUE (room_type_id, sequence),
    CONSTRAINT one_scope CHECK (
        (room_type_id IS NULL) = (sequence IS NULL) AND (room_type_id IS NULL OR hotel_id IS NULL)
    )
) STRICT;

INSERT INTO new_events (position, room_type_id, sequence, fact_id, at, cause, booking_id, payload)
SELECT position, room_type_id, sequence, fact_id, at, cause, booking_id, payload FROM events ORDER BY position;

DROP TABLE events;
ALTER TABLE new_events RENAME TO events;

CREATE UNIQUE INDEX events_by_fact ON events (fact_id);
