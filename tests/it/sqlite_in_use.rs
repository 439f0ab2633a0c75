//! A SQLite file that a server uses: which other programs may use it, what may happen to it, and its backup.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::StatusCode;

use crate::support::app::{App, order, with_test_database};
use crate::support::eventually::eventually;
use crate::support::program::{Started, Workplace};
use crate::support::test_database::TestDatabase;

/// A folder with a running demo.
fn with_server() -> (Workplace, Started) {
    let workplace = Workplace::sqlite();
    let (server, _) = workplace.demo();
    (workplace, server)
}

fn database(workplace: &Workplace) -> PathBuf {
    workplace.path().join("innkeeper.db")
}

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

#[test]
fn a_second_server_is_refused_and_the_first_is_named() {
    let (workplace, server) = with_server();
    let link = workplace.path().join("link.db");
    std::os::unix::fs::symlink(database(&workplace), &link).unwrap();
    for url in [url(&database(&workplace)), url(&link)] {
        let refused = workplace.run(&["serve", "--listen", "127.0.0.1:0", "--database-url", &url]).failed(1);
        assert!(refused.contains(&format!("process {} on ", server.0.id())), "{refused}");
        assert!(refused.contains("at http://127.0.0.1:") && refused.contains(", since 20"), "{refused}");
        assert!(refused.contains(url.trim_start_matches("sqlite://")), "{refused}");
    }
    assert_eq!(server.terminate(), Some(0));
    assert!(!workplace.path().join("innkeeper.db.lock").exists());
}

#[test]
fn a_server_whose_lock_file_was_removed_stops_and_leaves_the_next_ones_alone() {
    let workplace = Workplace::sqlite();
    let (server, greeting) = workplace.demo();
    let url =
        greeting.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches("/v1/hotels");
    let is_ready = || workplace.run(&["ready", url]).code == Some(0);
    assert!((0..1_000).any(|_| is_ready()), "it builds its index first");
    let lock = workplace.path().join("innkeeper.db.lock");
    fs::remove_file(&lock).unwrap();
    assert!((0..100).any(|_| !is_ready()), "it notices");
    let (successor, _) = workplace.demo();
    assert_eq!(server.terminate(), Some(0));
    assert!(lock.exists(), "the successor holds it");
    assert!(workplace.run(&["migrate"]).failed(1).contains("is in use by process"));
    assert_eq!(successor.terminate(), Some(0));
    assert!(!lock.exists());
    workplace.run(&["verify"]).succeeded();
}

#[test]
fn commands_that_read_may_run_beside_a_server_and_others_may_not() {
    let (workplace, server) = with_server();
    workplace.run(&["verify"]).succeeded();
    workplace.run(&["export", "nights", "--csv"]).succeeded();
    let file = workplace.file("empty.csv", "hotel\n");
    for change in [&["migrate"][..], &["migrate", "--demo"], &["import", "bookings", file.to_str().unwrap()]] {
        let ended = workplace.run(change);
        assert_eq!(ended.code, Some(1), "{change:?}: {ended:?}");
    }
    assert!(workplace.run(&["migrate"]).failed(1).contains("is in use by process"));
    assert_eq!(server.terminate(), Some(0));
    workplace.run(&["migrate"]).succeeded();
}

#[test]
fn a_killed_server_leaves_no_lock_and_a_correct_file() {
    let (workplace, server) = with_server();
    server.signal("KILL");
    drop(server);
    // Reading does not change the files after the crash.
    for _ in 0..2 {
        workplace.run(&["verify"]).succeeded();
    }
    let (successor, _) = workplace.demo();
    assert_eq!(successor.terminate(), Some(0));
    workplace.run(&["verify"]).succeeded();
    let mut left: Vec<_> = fs::read_dir(workplace.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    left.retain(|name| name.to_string_lossy().starts_with("innkeeper.db"));
    assert_eq!(left, ["innkeeper.db"]);
}

#[test]
fn a_backup_of_a_running_server_is_complete_and_a_plain_copy_is_recognised() {
    let (workplace, server) = with_server();
    let copy = workplace.path().join("copy.db");
    workplace.run(&["backup", "copy.db"]).succeeded();
    let refused = workplace.run(&["backup", "copy.db"]).failed(1);
    assert!(refused.contains("is there already"), "{refused}");
    workplace.run(&["backup", "copy.db", "--overwrite"]).succeeded();
    let refused = workplace.run(&["backup", "innkeeper.db", "--overwrite"]).failed(1);
    assert!(refused.contains("is the database itself"), "{refused}");
    workplace.run(&["backup", "no/such/folder/copy.db"]).failed(1);

    let plain = workplace.path().join("plain.db");
    fs::copy(database(&workplace), &plain).unwrap();
    for (path, code) in [(&copy, 0), (&plain, 3), (&plain, 3), (&database(&workplace), 0)] {
        let ended = workplace.run(&["verify", "--database-url", &url(path)]);
        assert_eq!(ended.code, Some(code), "{path:?}: {ended:?}");
        assert_eq!(ended.stdout.contains("its log"), code == 3, "{ended:?}");
    }
    assert_eq!(server.terminate(), Some(0));

    // The restore: the copy replaces the database.
    fs::rename(&copy, database(&workplace)).unwrap();
    workplace.run(&["verify"]).succeeded();
    let (restored, _) = workplace.demo();
    assert_eq!(restored.terminate(), Some(0));
    workplace.run(&["verify"]).succeeded();
}

#[cfg(unix)]
#[test]
fn a_backup_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let workplace = Workplace::sqlite();
    workplace.run(&["migrate"]).succeeded();
    workplace.run(&["backup", "copy.db"]).succeeded();
    let copy = fs::metadata(workplace.path().join("copy.db")).unwrap();
    assert_eq!(copy.permissions().mode() & 0o777, 0o600);
    let files = fs::read_dir(workplace.path()).unwrap().count();
    assert_eq!(files, 2, "nothing else is left");
}

#[test]
fn backup_names_the_tools_of_postgresql() {
    let workplace = Workplace::sqlite();
    let arguments = ["backup", "copy.db", "--database-url", "postgres://somebody@127.0.0.1:1/innkeeper"];
    let told = workplace.run(&arguments).failed(1);
    assert!(told.contains("pg_basebackup") && told.contains("pg_dump"), "{told}");
}

/// A fault of the file and, where possible, its end.
struct Accident {
    happens: fn(&Path),
    ends: Option<fn(&Path)>,
}

const FILE: &str = "test.db";

fn aside(folder: &Path) -> PathBuf {
    folder.with_extension("aside")
}

const ACCIDENTS: [Accident; 5] = [
    Accident { happens: |folder| fs::remove_file(folder.join(FILE)).unwrap(), ends: None },
    Accident {
        happens: |folder| {
            fs::copy(folder.join(FILE), folder.join("other")).unwrap();
            fs::rename(folder.join("other"), folder.join(FILE)).unwrap();
        },
        ends: None,
    },
    Accident { happens: |folder| fs::remove_file(folder.join("test.db-wal")).unwrap(), ends: None },
    Accident { happens: |folder| fs::remove_file(folder.join("test.db-shm")).unwrap(), ends: None },
    Accident {
        happens: |folder| fs::rename(folder, aside(folder)).unwrap(),
        ends: Some(|folder| fs::rename(aside(folder), folder).unwrap()),
    },
];

#[test]
fn nothing_is_acknowledged_without_the_file() {
    for Accident { happens, ends } in ACCIDENTS {
        let place = TestDatabase::sqlite();
        let folder = place.file().parent().unwrap().to_path_buf();
        with_test_database(&place, &[], async |app| {
            let room_type = app.room_type(9).await;
            let book = async |key: &str| app.book(key, &order(&room_type, 1, 2)).await.status;
            assert_eq!(book("before").await, StatusCode::CREATED);
            assert!(is_ready(app).await);
            happens(&folder);
            eventually("it is not ready", async || !is_ready(app).await).await;
            for key in ["one", "two"] {
                assert_eq!(book(key).await, StatusCode::SERVICE_UNAVAILABLE);
            }
            assert!(!is_ready(app).await);
            if let Some(ends) = ends {
                ends(&folder);
                eventually("it is ready", async || is_ready(app).await).await;
                eventually("it books", async || book("one").await == StatusCode::CREATED).await;
            }
        });
    }
}

async fn is_ready(app: &App) -> bool {
    app.get("/readyz").await.status == StatusCode::OK
}
