//! Properties for any input: no body, message or cursor causes a panic, and the length of the errors is bounded by the
//! length of the input.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::bookings::order::{AmendmentBody, OrderBody};
use super::describe::example;
use super::events::list::Window;
use super::extract::ExpectedSequence;
use super::extract::pointer::{Error, from_json, from_query};
use super::hotels::body::HotelBody;
use super::merge_patch::MergePatch;
use super::nights::item::NightsItem;
use super::nights::set::SetNights;
use super::page::Paging;
use super::rate_plans::body::RatePlanBody;
use super::room_types::body::RoomTypeBody;
use super::search::query::SearchQuery;
use super::services::body::ServiceBody;
use crate::domain::{HotelId, RatePlanId, RoomTypeId, ServiceId, Violation};
use crate::ws::{self, request};

/// The longest message of one violation, beside the input that it quotes, in bytes.
const MESSAGE: usize = 500;

fn is_bounded(violations: &[Violation], sent: usize) -> bool {
    let one =
        |violation: &Violation| violation.message.len() <= MESSAGE && violation.pointer.len() <= 2 * sent + MESSAGE;
    violations.len() <= sent + 10 && violations.iter().all(one)
}

/// Parses a body and checks it.
fn body<T: DeserializeOwned, V>(sent: &[u8], check: impl FnOnce(T) -> Result<V, Vec<Violation>>) {
    match from_json(sent).map(check) {
        Ok(Ok(_)) => {}
        Ok(Err(violations)) => assert!(is_bounded(&violations, sent.len()), "{violations:?}"),
        Err(Error::Malformed(why)) => assert!(why.len() <= MESSAGE, "{why}"),
        Err(Error::Violation(violation)) => assert!(is_bounded(&[violation], sent.len())),
    }
}

fn every_body(sent: &[u8]) {
    let id = Uuid::nil();
    body(sent, |it: HotelBody| it.check(HotelId(id), None));
    body(sent, |it: RoomTypeBody| it.check(RoomTypeId(id), HotelId(id), None));
    body(sent, |it: RatePlanBody| it.check(RatePlanId(id), RoomTypeId(id), None));
    body(sent, |it: ServiceBody| it.check(ServiceId(id), HotelId(id), None));
    body(sent, |it: OrderBody| it.check(ExpectedSequence::default()));
    body(sent, AmendmentBody::check);
    body(sent, |it: NightsItem| it.check(Some(RatePlanId(id))));
    body(sent, |it: SetNights| Ok(it));
    body(sent, |it: MergePatch| Ok(it));
    if let Err(wrong) = request::read(&String::from_utf8_lossy(sent), &ws::Options::default()) {
        assert!(is_bounded(wrong.problem.errors(), sent.len()));
    }
}

/// JSON of any shape, with member names that some body has.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        select(Vec::from(["2026-06-10", "mon", "percent", "\u{0}", "+351912345678", "subscribe"]))
            .prop_map(Value::from),
    ];
    let name = prop_oneof!["items", "from", "to", "fee", "type", "guests", "name", "age", "rooms", "after", ".{0,6}"];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(name.clone(), inner, 0..5).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// The pointers to all values inside.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => (0..).zip(items).for_each(|(n, item)| places(item, &format!("{at}/{n}"), found)),
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found))
        }
        _ => {}
    }
}

fn examples() -> Vec<Value> {
    let today = example::DAY;
    let nights = example::nights(today);
    let item = nights["items"][0].clone();
    let catalogue = [example::hotel(), example::room_type(), example::rate_plan(), example::service()];
    catalogue.into_iter().chain([nights, item, example::booking(today), example::amendment(today)]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(sent in vec(any::<u8>(), 0..200)) {
        every_body(&sent);
    }

    #[test]
    fn any_json_is_read_or_refused(sent in json()) {
        every_body(sent.to_string().as_bytes());
    }

    #[test]
    fn a_good_body_with_something_else_in_one_place_is_read_or_refused(
        which in any::<Index>(), place in any::<Index>(), other in json()
    ) {
        let mut sent = which.get(&examples()).clone();
        let mut found = Vec::new();
        places(&sent, "", &mut found);
        if let Some(member) = sent.pointer_mut(place.get::<String>(&found)) {
            *member = other;
        }
        every_body(sent.to_string().as_bytes());
    }

    #[test]
    fn any_cursor_is_read_or_refused(cursor in prop_oneof![".{0,40}", "[A-Za-z0-9_-]{0,80}", "[0-9]{0,25}"]) {
        let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("cursor", &cursor).finish();
        let bounded = |violation: &Violation| is_bounded(std::slice::from_ref(violation), query.len());
        if let Err(violation) = from_query::<Paging>(&query).and_then(|paging| paging.page(HotelId).map(drop)) {
            prop_assert!(bounded(&violation));
        }
        if let Err(violation) = from_query::<Window>(&query).and_then(|window| window.position().map(drop)) {
            prop_assert!(bounded(&violation));
        }
        let search = format!("{query}&city=Lisbon&checkin_date=2027-01-15&checkout_date=2027-01-16");
        if let Err(violations) = from_query::<SearchQuery>(&search).map_err(|one| vec![one]).and_then(|it| it.check().map(drop)) {
            prop_assert!(is_bounded(&violations, search.len()));
        }
    }
}

#[test]
fn a_body_of_brackets_is_refused() {
    for sent in ["[".repeat(100_000), r#"{"guests":"#.repeat(100_000), r#"{"items":["#.repeat(50_000)] {
        every_body(sent.as_bytes());
    }
}
