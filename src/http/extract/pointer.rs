//! Turns serde's error messages into violations with a JSON pointer and a rule.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Path, Segment};

use super::object::Object;
use crate::domain::Violation;

/// The longest message, in characters. serde quotes the input, which may be long.
const LONGEST_MESSAGE: usize = 200;

/// Why the input is no `T`.
#[derive(Debug)]
pub enum Error {
    /// The input is not JSON.
    Malformed(String),
    Violation(Violation),
}

/// Reads a JSON object with no bytes after it. A text that is not JSON is malformed, even if its beginning breaks a
/// rule.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut input = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize(&mut input) {
        Ok(Object(value)) => input.end().map(|()| value).map_err(malformed),
        Err(error) => Err(syntax(bytes).err().unwrap_or_else(|| json_error(error))),
    }
}

/// Whether the bytes are JSON.
fn syntax(bytes: &[u8]) -> Result<(), Error> {
    str::from_utf8(bytes).map_err(|error| Error::Malformed(short(&error.to_string())))?;
    serde_json::from_slice::<IgnoredAny>(bytes).map(drop).map_err(malformed)
}

fn malformed(error: serde_json::Error) -> Error {
    Error::Malformed(short(&error.to_string()))
}

/// Reads the query of an address.
pub fn from_query<T: DeserializeOwned>(query: &str) -> Result<T, Violation> {
    let input = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(input).map_err(|error| violation(error.path(), &error.inner().to_string()))
}

/// Reads a parsed JSON object.
pub fn from_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Violation> {
    let read = serde_path_to_error::deserialize(value);
    let value = read.map_err(|error| violation(error.path(), &error.inner().to_string()));
    value.map(|Object(value)| value)
}

/// The error in a text whose syntax is right. Some errors that serde_json reports as syntax are values out of range.
fn json_error(error: serde_path_to_error::Error<serde_json::Error>) -> Error {
    let message = error.inner().to_string();
    let unpaired = "must not contain half of a surrogate pair";
    if message.starts_with("lone leading surrogate") || message.starts_with("unexpected end of hex escape") {
        return Error::Violation(Violation::new(pointer(error.path()), "no_noncharacters", unpaired));
    }
    // A number such as 1e999 is valid JSON, but too large.
    match error.inner().is_data() || message.starts_with("number out of range") {
        true => Error::Violation(violation(error.path(), &message)),
        false => Error::Malformed(short(&message)),
    }
}

fn violation(path: &Path, message: &str) -> Violation {
    let mut pointer = pointer(path);
    let (rule, named) = rule(message);
    if let Some(member) = named.map(escape)
        && !pointer.ends_with(&format!("/{member}"))
    {
        pointer.push('/');
        pointer.push_str(&member);
    }
    Violation::new(pointer, rule, short(&plain(without_position(message))))
}

/// The rule that serde's message is about, and the member that the message names.
fn rule(message: &str) -> (&'static str, Option<&str>) {
    const RULES: [(&str, &str); 3] =
        [("missing field", "required"), ("unknown field", "unknown_field"), ("duplicate field", "duplicate_field")];
    match RULES.iter().find(|(words, _)| message.starts_with(words)) {
        Some((_, rule)) => (rule, message.split('`').nth(1)),
        None => ("type", None),
    }
}

/// serde's message about a wrong type, in terms of JSON.
fn plain(message: &str) -> String {
    const WORDS: [(&str, &str); 4] = [
        ("i64", "a whole number"),
        ("a formatted UUID string", "a UUID"),
        ("a sequence", "a list"),
        ("a JSON object", "an object"),
    ];
    let types = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    let Some((found, expected)) = types.and_then(|types| types.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    let expected = WORDS.iter().find(|(serde, _)| *serde == expected).map_or(expected, |(_, plain)| plain);
    let found = match found {
        "sequence" => "a list".to_owned(),
        "map" => "an object".to_owned(),
        found => found.replacen("floating point", "number", 1),
    };
    format!("must be {expected}, not {found}")
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escape(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// A member's name, escaped as in RFC 6901.
fn escape(name: &str) -> String {
    short(&name.replace('~', "~0").replace('/', "~1"))
}

fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(words, _)| words)
}

fn short(message: &str) -> String {
    message.chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde::Deserialize;

    use super::*;
    use crate::http::value::Day;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by serde alone")]
    struct Stay {
        on: Day,
        guests: Vec<Guest>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by serde alone")]
    struct Guest {
        age: i64,
    }

    #[rstest]
    #[case(r#"{"on":"2026-02-30","guests":[]}"#, "/on", "type")]
    #[case(r#"{"on":"2026-02-01","guests":[{"age":1},{"age":"x"}]}"#, "/guests/1/age", "type")]
    #[case(r#"{"on":"2026-02-01","guests":[{}]}"#, "/guests/0/age", "required")]
    #[case(r#"{"on":"2026-02-01","guests":[{"age":1,"name/x":1}]}"#, "/guests/0/name~1x", "unknown_field")]
    #[case(r#"{"on":"2026-02-01","on":"2026-02-01"}"#, "/on", "duplicate_field")]
    #[case(r#"{"on":"2026-02-01","guests":[{"age":1,"age":2}]}"#, "/guests/0/age", "duplicate_field")]
    #[case(r#"{"on":"2026-02-01","guests":[{"age":99999999999999999999}]}"#, "/guests/0/age", "type")]
    #[case(r#"{"on":"2026-02-01","guests":[{"age":1e999}]}"#, "/guests/0/age", "type")]
    #[case(r#"{"on":"2026-02-01","guests":[{"age":1.5}]}"#, "/guests/0/age", "type")]
    #[case("[]", "", "type")]
    #[case(r#"["2026-02-01",[]]"#, "", "type")]
    #[case("{}", "/on", "required")]
    fn a_violation_names_the_pointer_and_the_rule(#[case] json: &str, #[case] pointer: &str, #[case] rule: &str) {
        match from_json::<Stay>(json.as_bytes()).unwrap_err() {
            Error::Violation(violation) => assert_eq!((violation.pointer.as_str(), violation.rule), (pointer, rule)),
            Error::Malformed(why) => panic!("malformed: {why}"),
        }
    }

    #[rstest]
    #[case(r#"{"age":"x"}"#, "must be a whole number, not string \"x\"")]
    #[case(r#"{"age":1.5}"#, "must be a whole number, not number `1.5`")]
    #[case(r#"{"age":[]}"#, "must be a whole number, not a list")]
    #[case("[1]", "must be an object, not a list")]
    #[case("null", "must be an object, not null")]
    fn a_wrong_type_is_described_in_plain_words(#[case] json: &str, #[case] message: &str) {
        match from_json::<Guest>(json.as_bytes()).unwrap_err() {
            Error::Violation(violation) => assert_eq!(violation.message, message),
            Error::Malformed(why) => panic!("malformed: {why}"),
        }
    }

    #[rstest]
    #[case("")]
    #[case("{")]
    #[case("{'on':1}")]
    #[case(r#"{"on":"2026-02-01","guests":[]} x"#)]
    #[case("\u{feff}{}")]
    #[case(r#"{"a":"#)]
    #[case(r#"{"a""#)]
    #[case(r#"{"a"}"#)]
    #[case(r#"{"on":"2026-02-30","guests":["#)]
    #[case(r#"{"on":1,}"#)]
    #[case(r#"{"on":1 "guests":[]}"#)]
    #[case(r#"{"on":01}"#)]
    #[case(r#"{"on":NaN}"#)]
    #[case(r#"{"unknown":1}}"#)]
    #[case(r#"{"unknown":"\x"}"#)]
    #[case("{\"unknown\":\"\n\"}")]
    #[case(r#"[1,"#)]
    #[case(r#"nul"#)]
    fn a_text_that_is_not_json_is_malformed(#[case] text: &str) {
        assert!(matches!(from_json::<Stay>(text.as_bytes()), Err(Error::Malformed(_))));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_malformed() {
        for json in [&b"{\"on\":\"\xff\"}"[..], b"{\"unknown\":\"\xc3\"}", b"\xff"] {
            assert!(matches!(from_json::<Stay>(json), Err(Error::Malformed(_))));
        }
    }

    #[rstest]
    #[case(r#"{"on":"\ud800"}"#)]
    #[case(r#"{"on":"\udc00"}"#)]
    #[case(r#"{"on":"\ud83dx"}"#)]
    #[case(r#"{"on":"\ud83d\u0041"}"#)]
    fn half_of_a_surrogate_pair_breaks_a_rule(#[case] json: &str) {
        match from_json::<Stay>(json.as_bytes()).unwrap_err() {
            Error::Violation(violation) => {
                assert_eq!((violation.pointer.as_str(), violation.rule), ("/on", "no_noncharacters"));
            }
            Error::Malformed(why) => panic!("malformed: {why}"),
        }
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        from: Option<Day>,
        limit: Option<i64>,
    }

    #[test]
    fn a_query_is_as_strict_as_a_body() {
        let filter: Filter = from_query("from=2026-05-01&limit=20").unwrap();
        assert_eq!((filter.from.map(|day| day.0.day()), filter.limit), (Some(1), Some(20)));
        let rule = |query| from_query::<Filter>(query).map_err(|violation| (violation.pointer, violation.rule));
        assert_eq!(rule("from=2026-13-01").unwrap_err(), ("/from".to_owned(), "type"));
        assert_eq!(rule("limit=many").unwrap_err(), ("/limit".to_owned(), "type"));
        assert_eq!(rule("form=2026-05-01").unwrap_err(), ("/form".to_owned(), "unknown_field"));
        assert_eq!(rule("limit=1&limit=2").unwrap_err(), ("/limit".to_owned(), "duplicate_field"));
    }
}
