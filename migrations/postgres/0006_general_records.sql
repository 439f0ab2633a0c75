-- Three tables become general: idempotency records hold the answer of any request, jobs have their final columns, and
-- events hold facts of a hotel or of the installation.

-- Idempotency records. `kind` names the type of `answer`, such as `booking`. Rows that were there keep their answers, all
-- of them bookings; the dropped ids are in the answer too. PostgreSQL rewrites no row for any of this.
ALTER TABLE attempts RENAME TO idempotency_records;
ALTER INDEX attempts_pkey RENAME TO idempotency_records_pkey;
ALTER INDEX attempts_by_expiry RENAME TO idempotency_records_by_expiry;

ALTER TABLE idempotency_records
    DROP COLUMN room_type_id,
    DROP COLUMN booking_id,
    ADD COLUMN kind      text NOT NULL DEFAULT 'booking',
    ADD COLUMN principal text; -- account or API key that used the key; null until there are accounts

-- The default was for the rows that were there.
ALTER TABLE idempotency_records ALTER COLUMN kind DROP DEFAULT;

-- Jobs: tasks to be done after their cause is durable. The old rows are discarded: no version ever ran them.
DROP TABLE jobs;

-- Ids are numbers from the database: they grow in the order of insertion, are never given again, and a statement can
-- insert jobs without ids from the program.
CREATE TABLE jobs (
    id           bigint   NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind         text     NOT NULL,
    tenant       uuid     REFERENCES hotels (id), -- null: the job belongs to the installation
    payload      jsonb    NOT NULL,
    priority     smallint NOT NULL DEFAULT 0, -- lower runs first
    state        text     NOT NULL DEFAULT 'ready',
    attempts     integer  NOT NULL DEFAULT 0 CHECK (attempts >= 0), -- counted when a worker claims the job
    max_attempts integer  NOT NULL CHECK (max_attempts > 0),
    next_at      bigint   NOT NULL, -- a ready job is not claimed before
    lease_token  uuid,              -- random; each later write of the worker checks it
    lease_until  bigint,
    dedup_key    text,
    once         boolean  NOT NULL DEFAULT false, -- the dedup key stays taken after the job has finished
    again        boolean  NOT NULL DEFAULT false, -- its dedup key was used while it ran: run it once more
    last_error   text,
    created_at   bigint   NOT NULL,
    finished_at  bigint,
    CONSTRAINT known_state CHECK (state IN ('ready', 'running', 'done', 'dead', 'cancelled')),
    CONSTRAINT lease_while_running CHECK (
        (state = 'running') = (lease_token IS NOT NULL) AND (lease_token IS NULL) = (lease_until IS NULL)
    ),
    CONSTRAINT finished_at_the_end CHECK ((state IN ('done', 'dead', 'cancelled')) = (finished_at IS NOT NULL))
);

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
-- fact of the installation neither; their order is that of positions. No stored row can break the CHECK, so none is read
-- for it.
ALTER TABLE events
    ALTER COLUMN room_type_id DROP NOT NULL,
    ALTER COLUMN sequence DROP NOT NULL,
    ADD COLUMN hotel_id uuid REFERENCES hotels (id), -- null for a fact of a room type: the room type names the hotel
    ADD CONSTRAINT one_scope CHECK (
        (room_type_id IS NULL) = (sequence IS NULL) AND (room_type_id IS NULL OR hotel_id IS NULL)
    ) NOT VALID;
