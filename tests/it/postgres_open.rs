//! Errors when a PostgreSQL database is opened: one line with the next step, without the password.

use rstest::rstest;
use sqlx::{Connection, PgConnection};

use crate::support::postgres::{Database, execute, server};
use crate::support::program::Workplace;

/// The error of `migrate` for a URL.
fn refusal(url: &str) -> String {
    let message = Workplace::new().run(&["migrate", "--database-url", url]).failed(1);
    assert!(!message.contains("hush"), "{message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    message
}

/// A URL of the test server with another user.
fn url(user: &str, database: &str) -> String {
    format!("postgres://{user}@localhost/{database}?host={}", server().folder().display())
}

#[rstest]
#[case("postgres://me:hush@127.0.0.1:1/inn", "no server answers at 127.0.0.1:1; check that PostgreSQL runs there")]
#[case("postgres://me:hush@nowhere.invalid/inn", "no server answers at nowhere.invalid:5432")]
#[case("postgres://me:hush@db/inn?ssl=yes", "unknown parameter \"ssl\"")]
#[case("postgres://me:pass?hush7@db/inn", "a `?` in the password must be written %3F")]
#[case("postgres://me:pass?hush=7@db/inn", "a `?` in the password must be written %3F")]
#[case("postgres://me:hush@db/inn?sslmode=maybe", "sslmode")]
#[case("postgres://me:hush@db:port/inn", "it must be like postgres://")]
fn the_fault_of_a_url_is_named(#[case] url: &str, #[case] said: &str) {
    let message = refusal(url);
    assert!(message.contains(said), "{message}");
}

#[tokio::test]
async fn a_refused_login_is_named() {
    let database = Database::empty();
    execute(
        &database.url(),
        "DO $$ BEGIN CREATE ROLE stranger LOGIN PASSWORD 'open'; EXCEPTION WHEN duplicate_object THEN END $$",
    )
    .await;
    let message = refusal(&url("stranger:hush", "postgres"));
    assert!(message.contains("does not let \"stranger\" in; check user and password"), "{message}");
}

#[test]
fn a_missing_database_is_named() {
    let message = refusal(&url("postgres", "gone"));
    assert!(message.contains("no database \"gone\"; make it with `createdb gone`"), "{message}");
}

#[test]
fn commands_that_read_create_nothing() {
    let (workplace, database) = (Workplace::new(), Database::empty());
    for command in [&["verify"][..], &["export", "nights", "--csv"]] {
        let message = workplace.run(&[command, &["--database-url", &database.url()]].concat()).failed(1);
        assert!(message.contains("there is no innkeeper in the database"), "{message}");
    }
    workplace.run(&["migrate", "--database-url", &database.url()]).succeeded();
    workplace.run(&["verify", "--database-url", &database.url()]).succeeded();
}

#[rstest]
#[case("CREATE TABLE songs (title text)", "belongs to another program")]
#[case("CREATE TABLE _sqlx_migrations (version bigint); INSERT INTO _sqlx_migrations VALUES (7)", "another program")]
#[tokio::test]
async fn a_database_of_another_program_is_refused_untouched(#[case] sql: &str, #[case] said: &str) {
    let database = Database::empty();
    execute(&database.url(), sql).await;
    let message = refusal(&database.url());
    assert!(message.contains(said), "{message}");
    execute(&database.url(), "CREATE TABLE installation ()").await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_untouched() {
    let database = Database::new();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'from the future', true, '', 0)";
    execute(&database.url(), newer).await;
    let message = refusal(&database.url());
    assert!(message.contains("comes from a newer innkeeper (schema 9999"), "{message}");
}

#[tokio::test]
async fn a_database_with_a_foreign_schema_is_not_changed() {
    let database = Database::new();
    execute(&database.url(), "UPDATE _sqlx_migrations SET checksum = ''").await;
    let message = refusal(&database.url());
    assert!(message.contains("step 1 of its schema is not the one that this innkeeper knows"), "{message}");
}

#[tokio::test]
async fn an_interrupted_first_migration_can_be_repeated() {
    let database = Database::empty();
    let left = "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL,
        installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL,
        execution_time bigint NOT NULL)";
    execute(&database.url(), left).await;
    Workplace::new().run(&["migrate", "--database-url", &database.url()]).succeeded();
}

#[test]
fn several_nodes_may_migrate_at_once() {
    let (workplace, database) = (Workplace::new(), Database::empty());
    let url = database.url();
    let mut nodes: Vec<_> = (0..4).map(|_| workplace.start(&["migrate", "--database-url", &url])).collect();
    for node in &mut nodes {
        assert_eq!(node.0.wait().unwrap().code(), Some(0));
    }
}

#[tokio::test]
async fn reading_a_database_of_an_older_version_changes_nothing() {
    let (workplace, database) = (Workplace::new(), Database::new());
    let steps = "SELECT count(*) FROM _sqlx_migrations";
    execute(
        &database.url(),
        "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
    )
    .await;
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let older: i64 = sqlx::query_scalar(steps).fetch_one(&mut connection).await.unwrap();
    for command in [&["verify"][..], &["export", "nights", "--csv"]] {
        let message = workplace.run(&[command, &["--database-url", &database.url()]].concat()).failed(1);
        assert!(message.contains("comes from an older innkeeper (schema "), "{message}");
        assert!(message.contains("read it with the version that serves it"), "{message}");
    }
    let after: i64 = sqlx::query_scalar(steps).fetch_one(&mut connection).await.unwrap();
    assert_eq!(after, older);
}
