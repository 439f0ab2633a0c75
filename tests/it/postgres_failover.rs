//! Another server replaces PostgreSQL, and the address leads to a standby for a while.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use reqwest::StatusCode;

use crate::support::app::{order, with_database};
use crate::support::eventually::eventually;
use crate::support::postgres::Server;
use crate::support::program::Workplace;

/// A standby with the data of a stopped primary, without replication.
fn standby(primary: &Server) -> Server {
    Server::start_in(&std::env::temp_dir(), "wal_level = replica", |data| {
        let settings = fs::read(data.join("postgresql.conf")).unwrap();
        fs::remove_dir_all(data).unwrap();
        let copied = Command::new("cp").arg("-a").arg(primary.data()).arg(data).status().unwrap();
        assert!(copied.success());
        // A file that a killed server leaves behind.
        fs::remove_file(data.join("postmaster.pid")).unwrap();
        fs::write(data.join("postgresql.conf"), settings).unwrap();
        fs::write(data.join("standby.signal"), "").unwrap();
    })
}

/// Changes the server behind the address.
fn lead(way: &Path, to: &Server) {
    let _ = fs::remove_file(way);
    symlink(to.folder(), way).unwrap();
}

fn url(way: &Path) -> String {
    format!("postgres://postgres@localhost/postgres?host={}", way.display())
}

#[test]
fn a_node_that_reached_a_standby_recovers_with_the_primary() {
    let (folder, primary) = (tempfile::tempdir().unwrap(), Server::start("wal_level = replica"));
    let way = folder.path().join("way");
    lead(&way, &primary);
    with_database(&url(&way), &[], async |app| {
        let room_type = app.room_type(50).await;
        let order = order(&room_type, 1, 3);
        assert_eq!(app.book("before", &order).await.status, StatusCode::CREATED);

        primary.kill();
        let standby = standby(&primary);
        lead(&way, &standby);
        assert_eq!(app.book("meanwhile", &order).await.status, StatusCode::SERVICE_UNAVAILABLE);

        primary.come_back();
        lead(&way, &primary);
        // The standby still answers, but the node does not use it.
        eventually("bookings are stored by the primary", async || {
            app.book("after", &order).await.status == StatusCode::CREATED
        })
        .await;
    });
}

#[test]
fn a_standby_is_refused_by_name() {
    let primary = Server::start("wal_level = replica");
    primary.kill();
    let standby = standby(&primary);
    let message = Workplace::new().run(&["migrate", "--database-url", &standby.url("postgres")]).failed(1);
    assert!(message.contains("is a standby, which stores nothing; name the primary"), "{message}");
}
