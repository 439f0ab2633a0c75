//! Concurrent changes of the catalogue: no change is lost, and a condition protects against changes of others.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{ADMIN, Answer, App, answer, in_system, with_app, with_test_database};
use crate::support::test_database::TestDatabase;

/// One object of every kind, and two members of it that different clients change.
async fn entries(app: &App) -> Vec<(String, [Value; 2])> {
    let room_type = app.room_type(3).await;
    let hotel = app.get(&format!("/v1/room-types/{room_type}")).await.body["hotel_id"].as_str().unwrap().to_owned();
    let plans = app.get(&format!("/v1/room-types/{room_type}/rate-plans")).await.body;
    let service = json!({"name": "Breakfast", "basis": "per_person_night", "price_minor": 900});
    let service = app.create(&format!("/v1/hotels/{hotel}/services"), &service).await;
    vec![
        (format!("/v1/hotels/{hotel}"), [json!({"name": "Casa Nova"}), json!({"max_nights": 60})]),
        (format!("/v1/room-types/{room_type}"), [json!({"name": "Suite"}), json!({"rooms": 9})]),
        (
            format!("/v1/rate-plans/{}", plans["items"][0]["id"].as_str().unwrap()),
            [json!({"name": "Semi"}), json!({"price_minor": 1})],
        ),
        (format!("/v1/services/{service}"), [json!({"name": "Brunch"}), json!({"price_minor": 2})]),
    ]
}

async fn patch_if(app: &App, path: &str, tag: &str, body: &Value) -> Answer {
    answer(app.request(Method::PATCH, path).bearer_auth(ADMIN).header("If-Match", tag).json(body)).await
}

#[test]
fn two_changes_of_different_members_both_count() {
    with_app(async |app| {
        for (path, changes) in entries(app).await {
            for round in 0..10 {
                let before = app.get(&path).await.body;
                let changes =
                    changes.clone().map(|change| if round % 2 == 0 { change } else { over(&change, &before) });
                let all = join_all(changes.iter().map(|change| app.admin(Method::PATCH, &path, change))).await;
                assert!(all.iter().all(|answer| answer.status == StatusCode::OK), "{all:?}");
                let after = app.get(&path).await.body;
                for change in changes {
                    for (name, value) in change.as_object().unwrap() {
                        assert_eq!(&after[name], value, "{path}, round {round}");
                    }
                }
            }
        }
    });
}

/// Another value for the members of a change.
fn over(change: &Value, before: &Value) -> Value {
    let other = |(name, _): (&String, &Value)| {
        let value = match &before[name] {
            Value::String(text) => json!(format!("{text}!")),
            number => json!(number.as_i64().unwrap() + 1),
        };
        (name.clone(), value)
    };
    change.as_object().unwrap().iter().map(other).collect()
}

#[test]
fn a_change_can_require_the_version_that_was_read() {
    with_app(async |app| {
        for (path, [one, other]) in entries(app).await {
            let seen = app.get(&path).await;
            let tag = seen.headers["etag"].to_str().unwrap();
            let changed = patch_if(app, &path, tag, &one).await;
            assert_eq!(changed.status, StatusCode::OK, "{path}: {}", changed.body);
            let stale = patch_if(app, &path, tag, &other).await;
            assert_eq!((stale.status, &stale.body["code"]), (StatusCode::PRECONDITION_FAILED, &json!("stale")));
            assert_eq!(app.get(&path).await.body, changed.body, "{path}: the stale change did nothing");
            let now = changed.headers["etag"].to_str().unwrap();
            assert_eq!(patch_if(app, &path, now, &other).await.status, StatusCode::OK, "{path}");
        }
    });
}

#[test]
fn unchanged_content_is_not_sent_again() {
    with_app(async |app| {
        for (path, [change, _]) in entries(app).await {
            let seen = app.get(&path).await;
            let again = || answer(app.request(Method::GET, &path).header("If-None-Match", &seen.headers["etag"]));
            assert_eq!(again().await.status, StatusCode::NOT_MODIFIED, "{path}");
            app.admin(Method::PATCH, &path, &change).await;
            assert_eq!(again().await.status, StatusCode::OK, "{path}");
        }
    });
}

#[test]
fn a_misspelt_member_is_refused_also_with_null() {
    with_app(async |app| {
        for (path, _) in entries(app).await {
            let refused = app.admin(Method::PATCH, &path, &json!({"max_night": null})).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
            assert_eq!(refused.body["errors"][0]["pointer"], "/max_night");
        }
    });
}

/// Versions before the rule stored names that it refuses today.
#[test]
fn a_name_that_was_stored_before_a_rule_keeps_nobody_from_changing_the_rest() {
    let place = TestDatabase::new();
    let entries = with_test_database(&place, &[], async |app| entries(app).await);
    in_system(async {
        for table in ["hotels", "room_types", "rate_plans", "services"] {
            place.execute(&format!("UPDATE {table} SET name = name || '\u{200F}'")).await;
        }
    });
    with_test_database(&place, &[], async |app| {
        for (path, [_, rest]) in entries {
            let changed = app.admin(Method::PATCH, &path, &rest).await;
            assert_eq!(changed.status, StatusCode::OK, "{path}: {changed:?}");
            assert!(changed.body["name"].as_str().unwrap().ends_with('\u{200F}'), "{path}");
            let refused = app.admin(Method::PATCH, &path, &json!({"name": "New\u{200F}"})).await;
            assert_eq!(
                (refused.status, &refused.body["errors"][0]["pointer"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!("/name"))
            );
        }
    });
}
