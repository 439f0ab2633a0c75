-- One row for each start of a node that shares this database. The node increments `beat` as often as it sends heartbeats,
-- and announces in Redis the newest value that it has committed. A node that does not find that value in its own database
-- knows that the other one works on another database.

CREATE TABLE members (
    instance uuid   NOT NULL PRIMARY KEY, -- a random id of this start
    node     text   NOT NULL,
    beat     bigint NOT NULL,
    at       bigint NOT NULL -- when `beat` was last incremented
) WITH (fillfactor = 70);
