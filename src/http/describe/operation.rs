//! A builder for the description of one operation: its parameters, body, answers and problems.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Deprecated, Ref, RefOr, Required, ResponseBuilder, Schema};

use super::example;
use super::schemas::{self, Kind};
use crate::domain::Date;
use crate::http::code::Code;
use crate::http::limits::MAX_IDEMPOTENCY_KEY;
use crate::http::page::MAX_LIMIT;
use crate::http::wire::PROBLEM_JSON;

/// The security scheme of the administrator's token.
pub const ADMINISTRATOR: &str = "administrator";
/// The security scheme of a booking's manage token.
pub const MANAGER: &str = "manage_token";

/// The header that marks the answer to a repeated request.
pub const REPLAYED: (&str, &str) =
    ("Idempotent-Replayed", "`true` if this is the answer to an earlier request with the same key.");
/// The response headers of a catalogue resource.
pub const VERSION: &[(&str, &str)] = &[("ETag", "The version of the resource.")];
/// The description of If-Match for a change of a catalogue resource.
pub const UNCHANGED: &str = "The change takes effect only if the resource still has this ETag. Without the header, \
                             concurrent changes of different members are all kept.";

/// The description of one operation.
pub struct Doc {
    method: HttpMethod,
    path: &'static str,
    operation: OperationBuilder,
    answers: Vec<(u16, Answer)>,
    problems: BTreeMap<u16, Vec<Code>>,
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

/// A successful answer.
struct Answer {
    response: ResponseBuilder,
    body: Option<Shown>,
}

/// The body of an answer, and the name of its example in [`example::answer`].
struct Shown {
    media: String,
    schema: RefOr<Schema>,
    name: String,
}

pub fn get(path: &'static str, id: &'static str) -> Doc {
    Doc::new(HttpMethod::Get, path, id)
}

pub fn post(path: &'static str, id: &'static str) -> Doc {
    Doc::new(HttpMethod::Post, path, id)
}

pub fn put(path: &'static str, id: &'static str) -> Doc {
    Doc::new(HttpMethod::Put, path, id)
}

pub fn patch(path: &'static str, id: &'static str) -> Doc {
    Doc::new(HttpMethod::Patch, path, id)
}

impl Doc {
    fn new(method: HttpMethod, path: &'static str, id: &'static str) -> Self {
        let operation = OperationBuilder::new().operation_id(Some(id)).securities(Some([]));
        let (answers, problems, schemas) = (Vec::new(), BTreeMap::new(), Vec::new());
        let doc = Self { method, path, operation, answers, problems, schemas };
        let doc = doc.refuses(&[Code::UriTooLong, Code::HeadersTooLarge, Code::Internal]);
        let doc = doc.string_header(
            "X-Request-ID",
            "The id of the request: 1 to 128 visible ASCII characters. The server creates one if it is absent.",
        );
        // Every endpoint of the API refuses unknown query parameters.
        let doc = if path.starts_with("/v1/") { doc.refuses(&[Code::InvalidRequest, Code::RateLimited]) } else { doc };
        let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names.fold(doc, Self::id_in_path)
    }

    pub fn tag(mut self, tag: &str) -> Self {
        self.operation = self.operation.tag(tag);
        self
    }

    pub fn says(mut self, summary: &str, description: &str) -> Self {
        self.operation = self.operation.summary(Some(summary));
        if !description.is_empty() {
            self.operation = self.operation.description(Some(description));
        }
        self
    }

    /// Needs the administrator's token.
    pub fn administrator(self) -> Self {
        self.secured(&[ADMINISTRATOR]).refuses(&[Code::Unauthorized])
    }

    /// Needs the administrator's token or the booking's manage token.
    pub fn manager(self) -> Self {
        self.secured(&[ADMINISTRATOR, MANAGER]).refuses(&[Code::Unauthorized, Code::NoSuchBooking])
    }

    fn secured(mut self, schemes: &[&str]) -> Self {
        for scheme in schemes {
            self.operation = self.operation.security(SecurityRequirement::new::<_, [&str; 0], _>(*scheme, []));
        }
        self
    }

    fn id_in_path(self, name: &str) -> Self {
        let id = example::id_for(self.path);
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        let parameter = parameter.schema(Some(Kind::Id.schema())).example(id.map(|id| Value::from(id.to_string())));
        self.parameter(parameter).refuses(&[Code::NotFound])
    }

    /// Adds a required query parameter.
    pub fn needs(self, name: &str, kind: Kind, words: &str, example: impl Into<Value>) -> Self {
        self.query(Required::True, name, kind, words, Some(example.into()))
    }

    /// Adds an optional query parameter.
    pub fn may(self, name: &str, kind: Kind, words: &str) -> Self {
        self.query(Required::False, name, kind, words, None)
    }

    /// Adds a deprecated query parameter.
    pub fn deprecated(self, name: &str, kind: Kind, words: &str) -> Self {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(Required::False);
        let parameter = parameter.deprecated(Some(Deprecated::True)).description(Some(words));
        self.parameter(parameter.schema(Some(kind.schema())))
    }

    /// Adds an optional query parameter with an example.
    pub fn may_with_example(self, name: &str, kind: Kind, words: &str, example: impl Into<Value>) -> Self {
        self.query(Required::False, name, kind, words, Some(example.into()))
    }

    fn query(self, required: Required, name: &str, kind: Kind, words: &str, example: Option<Value>) -> Self {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(required);
        let parameter = parameter.description(Some(words)).schema(Some(kind.schema())).example(example);
        self.parameter(parameter)
    }

    /// Adds the query parameters of every list.
    pub fn paged(self) -> Self {
        self.may("limit", Kind::Whole(1, MAX_LIMIT.into()), "Items on the page. Default: 20.").may(
            "cursor",
            Kind::Text,
            "The `next_cursor` of the previous page.",
        )
    }

    /// Accepts the header Idempotency-Key.
    pub fn idempotent(self) -> Self {
        self.takes_key(
            "A repeated request gets the first answer. 1 to 255 visible ASCII characters, such as a UUID. Without a \
             token, the key belongs to the contact details in the body.",
        )
    }

    /// Accepts the header Idempotency-Key, always with the administrator's token.
    pub fn idempotent_by_administrator(self) -> Self {
        self.takes_key("A repeated request gets the first answer. 1 to 255 visible ASCII characters, such as a UUID.")
            .refuses(&[Code::Interrupted])
    }

    fn takes_key(self, words: &str) -> Self {
        let key = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[!-~]+$"))
            .max_length(Some(MAX_IDEMPOTENCY_KEY));
        self.header("Idempotency-Key", words, key).refuses(&[Code::MalformedHeader, Code::KeyReused])
    }

    /// Refuses the header Idempotency-Key, although the method is POST.
    pub fn without_key(self) -> Self {
        self.refuses(&[Code::KeyUnsupported])
    }

    /// Accepts the header If-Match.
    pub fn conditional(self, description: &str) -> Self {
        self.string_header("If-Match", description).refuses(&[Code::MalformedHeader, Code::Stale])
    }

    /// Accepts the header If-None-Match, and answers 304.
    pub fn cacheable(mut self) -> Self {
        let response = ResponseBuilder::new().description("Your version is current.");
        self.answers.push((304, Answer { response, body: None }));
        self.string_header("If-None-Match", "The ETag of your version.")
    }

    fn string_header(self, name: &str, description: &str) -> Self {
        self.header(name, description, ObjectBuilder::new().schema_type(Type::String))
    }

    fn header(self, name: &str, description: &str, schema: ObjectBuilder) -> Self {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header);
        self.parameter(parameter.required(Required::False).description(Some(description)).schema(Some(schema)))
    }

    fn parameter(mut self, parameter: ParameterBuilder) -> Self {
        self.operation = self.operation.parameter(parameter);
        self
    }

    /// Needs a JSON body.
    pub fn body<T: ToSchema>(mut self, example: Value) -> Self {
        self.schemas.extend(schemas::of::<T>());
        let schema = RefOr::Ref(Ref::from_schema_name(T::name()));
        self.takes("application/json", schema, example)
    }

    /// Needs a merge patch of the body `T`.
    pub fn merge_patch<T: ToSchema>(mut self, example: Value) -> Self {
        let (name, schema) = schemas::patch::<T>();
        self.schemas.extend(schemas::of::<T>().into_iter().filter(|(known, _)| *known != name));
        let reference = RefOr::Ref(Ref::from_schema_name(&name));
        self.schemas.push((name, schema));
        self.takes("application/merge-patch+json", reference, example)
    }

    fn takes(mut self, media: &str, schema: RefOr<Schema>, example: Value) -> Self {
        let content = ContentBuilder::new().schema(Some(schema)).example(Some(example)).build();
        let body = RequestBodyBuilder::new().required(Some(Required::True)).content(media, content).build();
        self.operation = self.operation.request_body(Some(body));
        self.refuses(&[Code::MalformedRequest, Code::MalformedJson, Code::UnsupportedMediaType, Code::BodyTooLarge])
            .refuses(&[Code::BodyTimeout])
    }

    /// Adds an answer with a JSON body.
    pub fn answers<T: ToSchema>(mut self, status: u16, description: &str, headers: &[(&str, &str)]) -> Self {
        self.schemas.extend(schemas::of::<T>());
        let schema = RefOr::Ref(Ref::from_schema_name(T::name()));
        let response = with_headers(ResponseBuilder::new().description(description), headers);
        let body = Some(Shown { media: "application/json".to_owned(), schema, name: T::name().into_owned() });
        self.answers.push((status, Answer { response, body }));
        self
    }

    /// Adds an answer without a body, or with a body that has no schema of its own.
    pub fn answers_otherwise(mut self, status: u16, description: &str, media: Option<&str>) -> Self {
        let response = ResponseBuilder::new().description(description);
        let body = media.map(|media| {
            let of = if media == "application/json" { Type::Object } else { Type::String };
            let schema = ObjectBuilder::new().schema_type(of).into();
            Shown { media: media.to_owned(), schema, name: self.path.to_owned() }
        });
        self.answers.push((status, Answer { response, body }));
        self
    }

    /// Adds problems.
    pub fn refuses(mut self, codes: &[Code]) -> Self {
        for code in codes {
            let known = self.problems.entry(code.status().as_u16()).or_default();
            if !known.contains(code) {
                known.push(*code);
            }
        }
        self
    }

    /// Adds the problems of an operation that reads or writes the store.
    pub fn from_store(self) -> Self {
        self.refuses(&[Code::Unavailable, Code::Unstorable])
    }

    /// Adds the problems of an operation that calls the engine.
    pub fn from_engine(self) -> Self {
        self.refuses(&[Code::Busy, Code::Interrupted, Code::Unavailable, Code::ShuttingDown, Code::Unstorable])
            .refuses(&[Code::OwnerMoving, Code::OwnerUnreachable, Code::NotAMember, Code::Expired])
    }

    /// The finished description, with examples that are valid on `today`.
    pub fn build(self, today: Date) -> (&'static str, PathItem) {
        let answers = self.answers.into_iter().map(|(status, answer)| (status.to_string(), answer.build(today)));
        let problem = |(status, codes): (u16, Vec<Code>)| (status.to_string(), problem(status, &codes, today));
        let problems = self.problems.into_iter().map(problem);
        let operation = answers.chain(problems).fold(self.operation, |operation, (status, answer)| {
            let answer = with_headers(answer, &[("X-Request-ID", "The id of the request.")]);
            operation.response(status, answer.build())
        });
        (self.path, PathItem::new(self.method, operation))
    }
}

impl Answer {
    fn build(self, today: Date) -> ResponseBuilder {
        let Some(Shown { media, schema, name }) = self.body else { return self.response };
        let content = ContentBuilder::new().schema(Some(schema)).example(Some(example::answer(&name, today)));
        self.response.content(media, content.build())
    }
}

/// The answer for all problems with one status.
fn problem(status: u16, codes: &[Code], today: Date) -> ResponseBuilder {
    let shown = |code: &Code| {
        let example = ExampleBuilder::new().summary(code.title()).value(Some(example::problem(*code, today)));
        (code.name(), RefOr::T(example.build()))
    };
    let lines = codes.iter().map(|code| format!("`{}`: {}.", code.name(), code.title()));
    let schema = RefOr::<Schema>::Ref(Ref::from_schema_name("Problem"));
    let answer = ResponseBuilder::new().description(lines.collect::<Vec<_>>().join(" ")).content(
        PROBLEM_JSON,
        ContentBuilder::new().schema(Some(schema)).examples_from_iter(codes.iter().map(shown)).build(),
    );
    match status {
        401 => with_headers(answer, &[("WWW-Authenticate", "`Bearer`.")]),
        409 => with_headers(
            answer,
            &[(
                "Retry-After",
                "Seconds until the first hold of these nights expires. Absent if no hold prevents the request.",
            )],
        ),
        429 => with_headers(
            answer,
            &[
                ("Retry-After", "Seconds after which the request may be repeated."),
                ("RateLimit", "The rate limit that the caller has reached. Absent for other limits."),
                ("RateLimit-Policy", "The number of requests and the window in seconds of this rate limit."),
            ],
        ),
        503 => with_headers(answer, &[("Retry-After", "Seconds after which the request may be repeated.")]),
        _ => answer,
    }
}

fn with_headers(answer: ResponseBuilder, headers: &[(&str, &str)]) -> ResponseBuilder {
    let text = || Schema::from(ObjectBuilder::new().schema_type(Type::String));
    headers.iter().fold(answer, |answer, (name, words)| {
        answer.header(*name, HeaderBuilder::new().schema(Some(text())).description(Some(*words)).build())
    })
}
