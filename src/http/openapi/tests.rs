//! Rules of the OpenAPI document.

use std::collections::BTreeSet;

use serde_json::{Value, json as object};

use super::*;
use crate::http::routes::endpoints;

fn json() -> serde_json::Value {
    serde_json::to_value(openapi()).unwrap()
}

/// Calls `see` with every object in a value.
fn walk(value: &serde_json::Value, see: &mut impl FnMut(&serde_json::Map<String, serde_json::Value>)) {
    match value {
        serde_json::Value::Object(members) => {
            see(members);
            members.values().for_each(|value| walk(value, see));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| walk(value, see)),
        _ => {}
    }
}

#[test]
fn the_document_describes_exactly_the_routes() {
    let document = json();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let there: BTreeSet<_> =
        endpoints().iter().map(|endpoint| format!("{} {}", endpoint.method, endpoint.path)).collect();
    assert_eq!(described, there);
}

#[test]
fn every_reference_is_resolved() {
    let document = json();
    let mut references = BTreeSet::new();
    walk(&document, &mut |object| references.extend(object.get("$ref").and_then(|to| to.as_str()).map(str::to_owned)));
    assert!(!references.is_empty());
    for reference in references {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn operation_ids_are_unique_and_every_operation_has_problems() {
    let document = json();
    let mut names = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{operation}");
            assert!(operation["responses"]["500"].is_object(), "{operation}");
        }
    }
}

#[test]
fn every_body_has_an_example() {
    let document = json();
    walk(&document, &mut |object| {
        if let Some(content) = object.get("requestBody").map(|body| &body["content"]) {
            for media in content.as_object().unwrap().values() {
                assert!(media.get("example").is_some(), "{media}");
            }
        }
    });
}

/// Why a value does not match a schema. `None` if it matches.
fn mismatch(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return mismatch(value, root.pointer(&reference[1..]).unwrap(), root);
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let fits = choices.iter().any(|choice| mismatch(value, choice, root).is_none());
        return (!fits).then(|| format!("{value} is none of {schema}"));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = types.is_empty() || types.contains(&is) || (is == "integer" && types.contains(&"number"));
    let known = schema["enum"].as_array().is_none_or(|names| names.contains(value));
    if !fits || !known {
        return Some(format!("{value} is no {schema}"));
    }
    match value {
        Value::Array(items) => items.iter().find_map(|item| mismatch(item, &schema["items"], root)),
        Value::Object(members) => {
            let properties = schema["properties"].as_object()?;
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let missing = required.into_iter().find(|name| !members.contains_key(*name));
            let wrong = members.iter().find_map(|(name, value)| match properties.get(name) {
                Some(schema) => mismatch(value, schema, root).map(|why| format!("{name}: {why}")),
                None => Some(format!("{name} is not described")),
            });
            missing.map(|name| format!("{name} is missing")).or(wrong)
        }
        _ => None,
    }
}

#[test]
fn every_body_of_an_answer_has_an_example_that_fits_its_schema() {
    let document = json();
    let mut seen = 0;
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                for media in answer["content"].as_object().into_iter().flat_map(|content| content.values()) {
                    let several = media["examples"].as_object().into_iter().flat_map(|all| all.values());
                    let examples: Vec<_> =
                        media.get("example").into_iter().chain(several.map(|it| &it["value"])).collect();
                    assert!(!examples.is_empty(), "{} {status}", operation["operationId"]);
                    for example in examples {
                        let why = mismatch(example, &media["schema"], &document);
                        assert_eq!(why, None, "{} {status}", operation["operationId"]);
                        seen += 1;
                    }
                }
            }
        }
    }
    assert!(seen > 300, "{seen}");
}

#[test]
fn every_operation_states_its_security() {
    let document = json();
    let security = |method: &str, path: &str| document["paths"][path][method]["security"].clone();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(item.as_object().unwrap().values().all(|operation| operation["security"].is_array()), "{path}");
    }
    assert_eq!(security("get", "/v1/search"), object!([]));
    assert_eq!(security("post", "/v1/bookings"), object!([]));
    assert_eq!(security("get", "/v1/events"), object!([{ "administrator": [] }]));
    assert_eq!(
        security("get", "/v1/bookings/{booking_id}"),
        object!([{ "administrator": [] }, { "manage_token": [] }])
    );
}

#[test]
fn every_summary_is_a_short_sentence_that_begins_with_a_verb() {
    const VERBS: &[&str] = &[
        "Amend", "Book", "Cancel", "Check", "Confirm", "Create", "Drain", "Get", "List", "Mark", "Open", "Search",
        "Set", "Update", "Watch",
    ];
    let document = json();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let summary = operation["summary"].as_str().unwrap();
            let verb = summary.split(' ').next().unwrap();
            assert!(VERBS.contains(&verb) && summary.len() <= 60 && !summary.ends_with(['.', '?']), "{summary}");
        }
    }
}

#[test]
fn closed_lists_of_names_are_enums() {
    let schemas = &json()["components"]["schemas"];
    for (schema, member, name) in [
        ("Booking", "status", "BookingStatus"),
        ("Event", "cause", "EventCause"),
        ("Problem", "code", "ProblemCode"),
        ("NightInTheWay", "reason", "NightReason"),
        ("Health", "status", "HealthStatus"),
    ] {
        let reference = schemas[schema]["properties"][member]["$ref"].as_str();
        assert_eq!(reference, Some(format!("#/components/schemas/{name}").as_str()), "{schema}.{member}");
        assert!(schemas[name]["enum"].is_array(), "{name}");
    }
}

#[test]
fn a_member_with_a_default_is_optional() {
    let document = json();
    walk(&document["components"]["schemas"], &mut |object| assert!(object.get("default").is_none(), "{object:?}"));
    let hotel = &document["components"]["schemas"]["NewHotel"];
    assert_eq!(hotel["required"], object!(["name", "city", "country", "timezone", "currency"]));
    assert!(hotel["properties"]["max_nights"]["description"].as_str().unwrap().ends_with("Default: `30`."));
    assert!(document["components"]["schemas"]["HotelPatch"].get("required").is_none());
    assert_eq!(document["components"]["schemas"]["Hotel"]["required"].as_array().unwrap().len(), 11);
}

#[test]
fn the_document_is_openapi_3_1() {
    assert!(json()["openapi"].as_str().unwrap().starts_with("3.1"));
}
