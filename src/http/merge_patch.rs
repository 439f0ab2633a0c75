//! JSON Merge Patch (RFC 7386): a PATCH has the members that change, and `null` resets a member to its default.
//!
//! The patch is merged into the body that would create the present state. The result is checked like the body of a new
//! resource. So create and update follow the same rules.

use serde::de::{self, DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::code::Code;
use super::extract::pointer;
use super::problem::Problem;
use crate::domain::nights_change::Patch;

/// A merge patch of a resource: a JSON object.
#[derive(Debug)]
pub struct MergePatch(Map<String, Value>);

impl MergePatch {
    /// Whether the patch has a member.
    pub fn names(&self, member: &str) -> bool {
        self.0.contains_key(member)
    }

    /// The value of a member of the patch.
    pub fn get(&self, member: &str) -> Option<&Value> {
        self.0.get(member)
    }

    /// Removes a member from the patch. For members that are no members of the resource.
    pub fn take(&mut self, member: &str) -> Option<Value> {
        self.0.remove(member)
    }

    /// The body after the patch. An unknown member is refused, even if its value is null.
    pub fn over<T: Serialize + DeserializeOwned>(&self, present: &T) -> Result<T, Problem> {
        let mut body = serde_json::to_value(present).map_err(|_| Problem::of(Code::Internal))?;
        let unknown: Vec<_> = self.0.keys().filter(|name| body.get(name.as_str()).is_none()).cloned().collect();
        merge(&mut body, Value::Object(self.0.clone()));
        for name in unknown {
            body.as_object_mut().map(|body| body.entry(name).or_insert(Value::Null));
        }
        Ok(pointer::from_value(body)?)
    }
}

/// The algorithm of RFC 7386, section 2. The limit of the parser bounds the depth.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        match value {
            Value::Null => drop(target.remove(&name)),
            value => merge(target.entry(name).or_insert(Value::Null), value),
        }
    }
}

impl<'de> Deserialize<'de> for MergePatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Unique::deserialize(deserializer)?.0 {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(de::Error::custom("must be a JSON object")),
        }
    }
}

/// A JSON value without repeated member names. Which of two equal names counts would be undefined.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(de::Error::custom(format!("duplicate field `{name}`")));
            }
            let Unique(value) = members.next_value()?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// For members that do not change when absent. Use with `#[serde(default)]`.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Reset, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    // From the table in RFC 7386, appendix A.
    #[rstest]
    #[case(json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"}))]
    #[case(json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"}))]
    #[case(json!({"a": "b"}), json!({"a": null}), json!({}))]
    #[case(json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"}))]
    #[case(json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}}))]
    #[case(json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]}))]
    #[case(json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1}))]
    #[case(json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}}))]
    fn patches_merge_as_the_rfc_defines(#[case] mut target: Value, #[case] patch: Value, #[case] expected: Value) {
        merge(&mut target, patch);
        assert_eq!(target, expected);
    }

    #[test]
    fn a_patch_is_an_object_without_repeated_names() {
        assert!(serde_json::from_str::<MergePatch>("[]").is_err());
        let twice = serde_json::from_str::<MergePatch>(r#"{"a":{"b":1,"b":2}}"#).unwrap_err();
        assert!(twice.to_string().starts_with("duplicate field `b`"));
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Night {
        rooms: Patch<i64>,
    }

    #[rstest]
    #[case("{}", Patch::Keep)]
    #[case(r#"{"rooms":null}"#, Patch::Reset)]
    #[case(r#"{"rooms":3}"#, Patch::Set(3))]
    fn absent_null_and_a_value_are_different(#[case] json: &str, #[case] rooms: Patch<i64>) {
        assert_eq!(serde_json::from_str::<Night>(json).unwrap(), Night { rooms });
    }
}
