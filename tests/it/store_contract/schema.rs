//! The schemas of both databases are twins: the same tables, columns, types, nullability, unique keys and references.

use std::collections::BTreeSet;

use super::fixture;

/// What one database alone needs: PostgreSQL numbers events by its transactions; SQLite finds overlapping stays in a room
/// through an index, where PostgreSQL has an exclusion constraint.
const OF_ONE_ALONE: &[&str] = &["event_positions", "room_assignments_by_room "];
/// Tables of the databases and of the migrations.
const NOT_OURS: &str = "('_sqlx_migrations', 'sqlite_sequence')";

/// Columns as `table.column type null?`. A type is the one that SQLite has for it.
const SQLITE_COLUMNS: &str = "
    SELECT t.name || '.' || c.name || ' ' || c.type || CASE c.\"notnull\" WHEN 0 THEN ' NULL' ELSE '' END
    FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND t.name NOT IN {not_ours}";
const POSTGRES_COLUMNS: &str = "
    SELECT table_name || '.' || column_name || ' ' || CASE
            WHEN data_type IN ('uuid', 'text', 'date', 'json', 'jsonb') THEN 'TEXT'
            WHEN data_type IN ('bigint', 'integer', 'smallint', 'boolean') THEN 'INTEGER'
            WHEN data_type = 'bytea' THEN 'BLOB'
            WHEN data_type = 'double precision' THEN 'REAL'
            ELSE data_type
        END || CASE is_nullable WHEN 'YES' THEN ' NULL' ELSE '' END
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name NOT IN {not_ours}";

/// Unique keys, primary or not, as `table (columns) partial?`. An index that is ordered by an expression has none here.
const SQLITE_KEYS: &str = "
    SELECT t.name || ' (' || (
            SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)
        ) || ')' || CASE i.partial WHEN 1 THEN ' partial' ELSE '' END
    FROM sqlite_schema AS t, pragma_index_list(t.name) AS i
    WHERE t.type = 'table' AND i.\"unique\" AND t.name NOT IN {not_ours}
    UNION
    SELECT t.name || ' (' || c.name || ')'
    FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND t.name NOT IN {not_ours} AND c.pk = 1
        AND (SELECT count(*) FROM pragma_table_info(t.name) WHERE pk > 0) = 1";
const POSTGRES_KEYS: &str = "
    SELECT t.relname || ' (' || (
            SELECT string_agg(a.attname, ', ' ORDER BY place)
            FROM unnest(i.indkey) WITH ORDINALITY AS key (number, place)
            JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = key.number
        ) || ')' || CASE WHEN i.indpred IS NULL THEN '' ELSE ' partial' END
    FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid
    WHERE t.relnamespace = 'public'::regnamespace AND i.indisunique AND t.relname NOT IN {not_ours}";

/// References as `table (columns) -> table`.
const SQLITE_REFERENCES: &str = "
    SELECT name || ' (' || group_concat(\"from\", ', ') || ') -> ' || \"table\" FROM (
        SELECT t.name, f.id, f.\"from\", f.\"table\"
        FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS f
        WHERE t.type = 'table'
        ORDER BY t.name, f.id, f.seq
    )
    GROUP BY name, id, \"table\"";
const POSTGRES_REFERENCES: &str = "
    SELECT c.conrelid::regclass || ' (' || (
            SELECT string_agg(a.attname, ', ' ORDER BY place)
            FROM unnest(c.conkey) WITH ORDINALITY AS key (number, place)
            JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = key.number
        ) || ') -> ' || c.confrelid::regclass
    FROM pg_constraint AS c
    WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace";

/// Indexes by name.
const SQLITE_INDEXES: &str = "
    SELECT name || ' of ' || tbl_name FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite_%'";
const POSTGRES_INDEXES: &str = "
    SELECT i.relname || ' of ' || t.relname
    FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS t ON t.oid = x.indrelid
    WHERE t.relnamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.oid AND contype IN ('p', 'u', 'x'))";

#[tokio::test]
async fn the_schemas_of_both_databases_are_twins() {
    let (sqlite, postgres) = (fixture::sqlite().await, fixture::postgres().await);
    for (what, of_sqlite, of_postgres) in [
        ("columns", SQLITE_COLUMNS, POSTGRES_COLUMNS),
        ("unique keys", SQLITE_KEYS, POSTGRES_KEYS),
        ("references", SQLITE_REFERENCES, POSTGRES_REFERENCES),
        ("indexes", SQLITE_INDEXES, POSTGRES_INDEXES),
    ] {
        let of = |sql: &str| sql.replace("{not_ours}", NOT_OURS);
        let is_shared = |line: &String| !OF_ONE_ALONE.iter().any(|name| line.starts_with(name));
        let shared = |lines: Vec<String>| lines.into_iter().filter(is_shared).collect::<BTreeSet<String>>();
        let of_sqlite = shared(sqlite.place.texts(&of(of_sqlite)).await);
        let of_postgres = shared(postgres.place.texts(&of(of_postgres)).await);
        assert!(of_sqlite.len() > 5, "{what} are found: {of_sqlite:?}");
        let only =
            |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect::<Vec<_>>();
        let differences = (only(&of_sqlite, &of_postgres), only(&of_postgres, &of_sqlite));
        assert_eq!(differences, (vec![], vec![]), "{what} of SQLite alone, and of PostgreSQL alone");
    }
}
