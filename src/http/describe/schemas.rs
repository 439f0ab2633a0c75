//! Schemas of request and response bodies, with corrections of what utoipa derives.

use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{AllOf, Components, Object, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::http::value::Day;

/// The schemas of a type and of the types inside it, with their names.
pub fn of<T: ToSchema>() -> Vec<(String, RefOr<Schema>)> {
    let mut all = Vec::new();
    T::schemas(&mut all);
    all.push((T::name().into_owned(), T::schema()));
    all
}

pub fn add<T: ToSchema>(components: &mut Components) {
    components.schemas.extend(of::<T>());
}

/// The schema of a merge patch and its name: the members of the body, all optional and without defaults.
pub fn patch<T: ToSchema>() -> (String, RefOr<Schema>) {
    let name = T::name();
    let name = name.strip_prefix("New").map_or_else(|| name.to_string(), |rest| format!("{rest}Patch"));
    let mut object = match T::schema() {
        RefOr::T(Schema::Object(object)) => object,
        RefOr::T(Schema::AllOf(parts)) => united(&parts, &of::<T>().into_iter().collect()),
        other => return (name, other),
    };
    object.required.clear();
    for member in object.properties.values_mut() {
        if let RefOr::T(Schema::Object(member)) = member {
            member.default = None;
        }
    }
    (name, RefOr::T(Schema::Object(object)))
}

/// Moves defaults from the schema to the description. Client generators treat a member with a default as required.
pub fn describe_defaults(components: &mut Components) {
    for schema in components.schemas.values_mut() {
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        for member in object.properties.values_mut() {
            let RefOr::T(Schema::Object(member)) = member else { continue };
            let Some(default) = member.default.take() else { continue };
            let description = member.description.get_or_insert_default();
            let gap = if description.is_empty() { "" } else { " " };
            description.push_str(&format!("{gap}Default: `{default}`."));
        }
    }
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text that is not empty.
    Text,
    /// One of these names.
    OneOf(&'static [&'static str]),
    /// A whole number from the first to the second.
    Whole(i64, i64),
    /// A number from the first to the second.
    Number(f64, f64),
    Flag,
    /// A date, `YYYY-MM-DD`.
    Day,
    /// A UUID.
    Id,
}

impl Kind {
    pub fn schema(self) -> RefOr<Schema> {
        let of = |schema_type| ObjectBuilder::new().schema_type(schema_type);
        match self {
            Self::Text => of(Type::String).min_length(Some(1)).into(),
            Self::OneOf(names) => of(Type::String).enum_values(Some(names.iter().copied())).into(),
            Self::Whole(min, max) => of(Type::Integer).minimum(Some(min)).maximum(Some(max)).into(),
            Self::Number(min, max) => of(Type::Number).minimum(Some(min)).maximum(Some(max)).into(),
            Self::Flag => of(Type::Boolean).into(),
            Self::Day => Day::schema(),
            Self::Id => of(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).into(),
        }
    }
}

/// Replaces each `allOf` by one object. A body allows no other members, so no value could match all parts.
pub fn flatten(components: &mut Components) {
    let known = components.schemas.clone();
    for schema in components.schemas.values_mut() {
        if let RefOr::T(Schema::AllOf(parts)) = schema {
            *schema = RefOr::T(Schema::Object(united(parts, &known)));
        }
    }
}

fn united(parts: &AllOf, known: &std::collections::BTreeMap<String, RefOr<Schema>>) -> Object {
    let mut object = Object::with_type(Type::Object);
    object.description = parts.description.clone();
    for part in &parts.items {
        let is_body = matches!(part, RefOr::Ref(_));
        let part = match part {
            RefOr::Ref(to) => to.ref_location.rsplit('/').next().and_then(|name| known.get(name)),
            part => Some(part),
        };
        if let Some(RefOr::T(Schema::Object(part))) = part {
            object.properties.extend(part.properties.clone());
            // An answer has every member of the body, if need be as null.
            match is_body {
                true => object.required.extend(part.properties.keys().cloned()),
                false => object.required.extend(part.required.clone()),
            }
        }
    }
    object
}
