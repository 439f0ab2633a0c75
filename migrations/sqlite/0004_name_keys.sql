-- Which edition of `domain::name::key` made the keys of names (`hotels.city_key`). The program computes them anew when
-- it has another edition.

CREATE TABLE name_keys (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    edition INTEGER NOT NULL
) STRICT;

INSERT INTO name_keys (id, edition) VALUES (1, 1);
