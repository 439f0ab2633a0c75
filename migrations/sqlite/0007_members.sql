-- One row for each start of a node that shares this database: see the twin of this step for PostgreSQL. Nodes do not share
-- a SQLite file, so the table stays empty here.

CREATE TABLE members (
    instance TEXT    NOT NULL PRIMARY KEY, -- a random id of this start
    node     TEXT    NOT NULL,
    beat     INTEGER NOT NULL,
    at       INTEGER NOT NULL -- when `beat` was last incremented
) STRICT, WITHOUT ROWID;
