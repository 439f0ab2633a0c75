//! A database that cannot be written for a while, because of another program or a full disk.

use std::path::Path;
use std::process::Command;

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{assert_503, book_until_answered, sold};
use crate::support::app::{order, with_database, with_test_database};
use crate::support::eventually::eventually;
use crate::support::test_database::TestDatabase;

#[test]
fn a_database_locked_by_another_program_is_a_503_until_it_is_let_go() {
    let place = TestDatabase::new();
    with_test_database(&place, &[("lock_wait_secs", "0")], async |app| {
        let room_type = app.room_type(3).await;
        let lock = place.lock().await;
        for _ in 0..3 {
            assert_503(&app.book("k", &order(&room_type, 1, 2)).await, &["interrupted", "unavailable"]);
        }
        let hotel = json!({"name": "Casa", "city": "Lisbon", "country": "PT", "timezone": "Europe/Lisbon",
            "currency": "EUR"});
        assert_503(&app.admin(Method::POST, "/v1/hotels", &hotel).await, &["unavailable"]);
        assert_eq!(app.get(&format!("/v1/room-types/{room_type}")).await.status, StatusCode::OK, "reading goes on");

        lock.release().await;
        // A claim that found it locked may still be about to fail.
        assert_eq!(book_until_answered(app, "k", &room_type).await.status, StatusCode::CREATED);
        assert_eq!(app.admin(Method::POST, "/v1/hotels", &hotel).await.status, StatusCode::CREATED);
        assert_eq!(sold(app, &room_type).await, 1);
    });
}

/// A separate file system, so small that it is soon full.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=4m", "innkeeper-test"];
        let mounted = Command::new("mount").args(mount).arg(folder.path()).output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.path().join("ballast")
    }

    /// Fills the file system.
    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.ballast()).unwrap();
        let full = std::io::copy(&mut std::io::repeat(0), &mut ballast).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_is_a_503_until_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("this needs the right to mount a small disk");
        return;
    };
    let file = format!("sqlite://{}", disk.path().join("test.db").display());
    with_database(&file, &[], async |app| {
        let room_type = app.room_type(50).await;
        disk.fill();
        let mut booked = 0;
        // The last page of the log may still hold a booking or two.
        let refused = loop {
            let answer = app.book(&format!("k{booked}"), &order(&room_type, 1, 2)).await;
            if answer.status != StatusCode::CREATED {
                break answer;
            }
            booked += 1;
            assert!(booked < 50, "the disk is never full");
        };
        assert_503(&refused, &["interrupted", "unavailable"]);
        for _ in 0..3 {
            let again = app.book(&format!("k{booked}"), &order(&room_type, 1, 2)).await;
            assert_503(&again, &["interrupted", "unavailable"]);
        }
        assert_eq!(app.get("/v1/hotels").await.status, StatusCode::OK, "reading goes on");
        assert_503(&app.get("/readyz").await, &["unavailable"]);
        assert_eq!(app.get("/healthz").await.status, StatusCode::OK);

        std::fs::remove_file(disk.ballast()).unwrap();
        eventually("it is ready", async || app.get("/readyz").await.status == StatusCode::OK).await;
        let again = book_until_answered(app, &format!("k{booked}"), &room_type).await;
        assert_eq!(again.status, StatusCode::CREATED, "{}", again.body);
        assert_eq!(sold(app, &room_type).await, booked + 1);
    });
}
