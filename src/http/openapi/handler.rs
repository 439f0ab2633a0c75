//! Serves the descriptions of the API, and Swagger UI. All files are part of the binary.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use utoipa_swagger_ui::{Config, SwaggerFile};

use super::{Pages, openapi_on};
use crate::clock::Clock;
use crate::domain::Date;
use crate::http::code::Code;
use crate::http::extract::IfNoneMatch;
use crate::http::problem::Problem;
use crate::ws::{self, Gate};

const JSON: &str = "application/json";

/// `GET /openapi.json`. The dates of its examples lie in the future, so that the examples can be sent.
pub async fn openapi(
    clock: Data<dyn Clock>,
    pages: Data<Pages>,
    request: HttpRequest,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let today = today(&**clock);
    let render = move || Some((JSON.to_owned(), serde_json::to_vec(&openapi_on(today)).ok()?));
    pages.show("openapi.json", Some(today), render, &request, &known).await
}

/// `GET /asyncapi.json`, with examples that can be sent today.
pub async fn asyncapi(
    (clock, gate): (Data<dyn Clock>, Data<Gate>),
    pages: Data<Pages>,
    request: HttpRequest,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let (today, options) = (today(&**clock), gate.options().clone());
    let render = move || Some((JSON.to_owned(), serde_json::to_vec(&ws::asyncapi::document(today, &options)).ok()?));
    pages.show("asyncapi.json", Some(today), render, &request, &known).await
}

/// `GET /docs`: redirects to the folder of Swagger UI.
pub async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// `GET /docs/…`: a file of Swagger UI.
pub async fn user_interface(
    pages: Data<Pages>,
    file: Path<String>,
    request: HttpRequest,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let file = file.into_inner();
    let name = format!("docs/{file}");
    // An unknown name costs a look-up, but no thread.
    if !pages.has(&name) && file_of_swagger_ui(&file).is_none() {
        return Err(Problem::of(Code::NotFound));
    }
    let render = move || {
        let found = file_of_swagger_ui(&file)?;
        Some((found.content_type, found.bytes.into_owned()))
    };
    pages.show(&name, None, render, &request, &known).await
}

fn file_of_swagger_ui(name: &str) -> Option<SwaggerFile<'static>> {
    let config = Config::from("/openapi.json").try_it_out_enabled(true);
    utoipa_swagger_ui::serve(name, Arc::new(config)).ok()?
}

fn today(clock: &dyn Clock) -> Date {
    clock.now().to_zoned(jiff::tz::TimeZone::UTC).date()
}
