//! All routes on one page.

use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, Route};

use super::bookings::FrontDesk;
use super::code::Code;
use super::dependencies::Dependencies;
use super::problem::Problem;
use super::{
    bookings, cluster, edge, events, forward, hotels, nights, openapi, rate_plans, room_types, search, services, system,
};
use crate::domain::Move;
use crate::ws;

/// The endpoints of the API.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        get("/v1/hotels", hotels::list::handle).with_query(),
        post("/v1/hotels", hotels::create::handle).with_key(),
        get("/v1/hotels/{id}", hotels::read::handle),
        patch("/v1/hotels/{id}", hotels::change::handle),
        get("/v1/hotels/{id}/calendar", hotels::calendar::handle).with_query(),
        get("/v1/hotels/{id}/room-types", room_types::list::handle).with_query(),
        post("/v1/hotels/{id}/room-types", room_types::create::handle).with_key(),
        get("/v1/room-types/{id}", room_types::read::handle),
        patch("/v1/room-types/{id}", room_types::change::handle),
        get("/v1/room-types/{id}/rate-plans", rate_plans::list::handle).with_query(),
        post("/v1/room-types/{id}/rate-plans", rate_plans::create::handle).with_key(),
        get("/v1/rate-plans/{id}", rate_plans::read::handle),
        patch("/v1/rate-plans/{id}", rate_plans::change::handle),
        get("/v1/hotels/{id}/services", services::list::handle).with_query(),
        post("/v1/hotels/{id}/services", services::create::handle).with_key(),
        get("/v1/services/{id}", services::read::handle),
        patch("/v1/services/{id}", services::change::handle),
        put("/v1/room-types/{id}/nights", nights::set::handle),
        get("/v1/room-types/{id}/availability", nights::availability::handle).with_query(),
        get("/v1/search", search::handle).with_query(),
        get("/v1/bookings", bookings::list::handle).with_query(),
        post("/v1/bookings", bookings::create::handle).with_key(),
        get("/v1/bookings/{booking_id}", bookings::read::handle),
        patch("/v1/bookings/{booking_id}", bookings::amend::handle),
        post("/v1/bookings/{booking_id}/confirm", bookings::confirm::handle).with_key(),
        post("/v1/bookings/{booking_id}/cancel", bookings::cancel::handle).with_query().with_key(),
        post("/v1/bookings/{booking_id}/check-in", FrontDesk(Move::CheckIn)).with_key(),
        post("/v1/bookings/{booking_id}/check-out", FrontDesk(Move::CheckOut)).with_key(),
        post("/v1/bookings/{booking_id}/no-show", FrontDesk(Move::NoShow)).with_key(),
        get("/v1/events", events::list::handle).with_query(),
        get("/v1/ws", ws::handle),
        get("/v1/cluster", cluster::read::handle).with_query(),
        post("/v1/cluster/drain", cluster::drain::handle),
        get("/healthz", system::health::live),
        get("/readyz", system::health::ready),
        get("/metrics", system::metrics::handle),
        get("/openapi.json", openapi::handler::openapi),
        get("/asyncapi.json", openapi::handler::asyncapi),
        get("/docs", openapi::handler::redirect),
    ]
}

/// Which endpoints a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// All endpoints: there is only one listener.
    Everybody,
    /// All endpoints except those for operators, which have their own listener.
    Public,
    /// The endpoints for operators.
    Operators,
}

impl Audience {
    fn has(self, path: &str) -> bool {
        let is_operators = ["/healthz", "/readyz", "/metrics"].contains(&path);
        match self {
            Self::Everybody => true,
            Self::Public => !is_operators,
            Self::Operators => is_operators,
        }
    }
}

/// Configures a worker of the server: its dependencies, its middleware and its routes.
pub fn configure(dependencies: Dependencies, audience: Audience) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |config| {
        dependencies.register(config);
        let mut scope =
            web::scope("").wrap(from_fn(forward::around)).wrap(Compress::default()).wrap(from_fn(edge::around));
        for resource in resources(audience) {
            scope = scope.service(resource);
        }
        if audience != Audience::Operators {
            scope = scope.service(user_interface());
        }
        let scope = scope.default_service(web::to(not_found));
        // `OPTIONS *` has no path, so no scope matches it.
        let elsewhere = web::to(not_found).wrap(from_fn(edge::around));
        config.service(scope).default_service(elsewhere);
    }
}

/// Swagger UI. It is no part of the API, so the OpenAPI document does not describe it.
fn user_interface() -> Resource {
    let page = get("/docs/{file:.*}", openapi::handler::user_interface);
    resource(page.path, vec![page])
}

/// One method of one path.
pub struct Endpoint {
    pub method: Method,
    pub path: &'static str,
    route: Route,
    query: bool,
    key: bool,
}

impl Endpoint {
    fn new(method: Method, path: &'static str, route: Route) -> Self {
        // Tools of operators may add parameters. Within the API an unknown parameter is an error.
        let query = !path.starts_with("/v1/");
        // A repeated PUT or PATCH has no second effect.
        let key = method != Method::POST;
        Self { method, path, route, query, key }
    }

    /// The handler reads query parameters. Without this, query parameters are refused.
    fn with_query(self) -> Self {
        Self { query: true, ..self }
    }

    /// The handler records idempotency keys. Without this, the header Idempotency-Key is refused.
    fn with_key(self) -> Self {
        Self { key: true, ..self }
    }

    fn route(self) -> Route {
        let route = if self.query { self.route } else { self.route.wrap(from_fn(edge::no_query)) };
        if self.key { route } else { route.wrap(from_fn(edge::no_key)) }
    }
}

fn get<F, Args>(path: &'static str, handler: F) -> Endpoint
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    let reading = guard::fn_guard(|head| guard::Get().check(head) || guard::Head().check(head));
    Endpoint::new(Method::GET, path, Route::new().guard(reading).to(handler))
}

fn post<F, Args>(path: &'static str, handler: F) -> Endpoint
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    Endpoint::new(Method::POST, path, web::post().to(handler))
}

fn put<F, Args>(path: &'static str, handler: F) -> Endpoint
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    Endpoint::new(Method::PUT, path, web::put().to(handler))
}

fn patch<F, Args>(path: &'static str, handler: F) -> Endpoint
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    Endpoint::new(Method::PATCH, path, web::patch().to(handler))
}

/// The endpoints, grouped by path. Each path refuses other methods and lists its own.
fn resources(audience: Audience) -> Vec<Resource> {
    let mut gathered: Vec<(&'static str, Vec<Endpoint>)> = Vec::new();
    for endpoint in endpoints().into_iter().filter(|endpoint| audience.has(endpoint.path)) {
        match gathered.iter_mut().find(|(path, _)| *path == endpoint.path) {
            Some((_, endpoints)) => endpoints.push(endpoint),
            None => gathered.push((endpoint.path, vec![endpoint])),
        }
    }
    gathered.into_iter().map(|(path, endpoints)| resource(path, endpoints)).collect()
}

fn resource(path: &'static str, endpoints: Vec<Endpoint>) -> Resource {
    let names = endpoints.iter().map(|endpoint| match endpoint.method {
        Method::GET => "GET, HEAD".to_owned(),
        ref method => method.to_string(),
    });
    let allow = names.collect::<Vec<_>>().join(", ");
    let refuse = move || {
        let problem = Problem::method_not_allowed(allow.clone());
        async move { Err::<HttpResponse, _>(problem) }
    };
    let resource = web::resource(path).default_service(web::to(refuse));
    endpoints.into_iter().fold(resource, |resource, endpoint| resource.route(endpoint.route()))
}

async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::of(Code::NotFound))
}
