//! The access log: one line for each request, under its own target.
//!
//! A line never contains the client's address, a query, a path with ids, a body or a token. It names the pattern of the
//! route instead. Answers that any client can cause without a limit are sampled: errors (`CLIENT_ERRORS` and
//! `SERVER_ERRORS`), and endpoints without a rate limit (`PAGES`). The next line states how many lines were left out.
//! At level DEBUG every line is written.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::dev::ServiceRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;

use crate::http::code::Code;
use crate::http::throttle::is_unlimited;
use crate::http::throttle::net::{LoggedNet, Net};
use crate::telemetry::filter::ACCESS;

/// Logged answers with status 4xx: the burst, and the rate per second.
const CLIENT_ERRORS: (f64, f64) = (20.0, 1.0);
/// Logged answers with status 5xx: the burst, and the rate per second.
const SERVER_ERRORS: (f64, f64) = (100.0, 10.0);
/// Logged answers without an error of endpoints without a rate limit ([`is_unlimited`]): the burst, and the rate per
/// second.
const PAGES: (f64, f64) = (20.0, 1.0);

/// The access log, or none if it is switched off. Clones share one sampler.
#[derive(Debug, Clone, Default)]
pub struct AccessLog(Option<Arc<Samplers>>);

#[derive(Debug)]
struct Samplers {
    client_errors: Mutex<Sampler>,
    server_errors: Mutex<Sampler>,
    pages: Mutex<Sampler>,
}

/// What the log keeps of a request until its answer.
pub struct Asked {
    client: Option<LoggedNet>,
    trace_id: Option<String>,
}

/// The answer to a request.
pub struct Answered<'a> {
    pub method: &'static str,
    pub route: &'a str,
    pub status: StatusCode,
    pub code: Option<Code>,
    pub took: Duration,
    pub request_id: &'a str,
}

impl AccessLog {
    pub fn new(on: bool) -> Self {
        let sampler = |limits| Mutex::new(Sampler::new(limits, Instant::now()));
        let samplers = || Samplers {
            client_errors: sampler(CLIENT_ERRORS),
            server_errors: sampler(SERVER_ERRORS),
            pages: sampler(PAGES),
        };
        Self(on.then(|| Arc::new(samplers())))
    }

    /// Keeps what the line will say about the request. `None` if the log is switched off.
    pub fn asked(&self, request: &ServiceRequest, client: Option<Net>) -> Option<Asked> {
        self.0.as_ref()?;
        Some(Asked { client: client.map(LoggedNet::from), trace_id: trace_id(request.headers()) })
    }

    /// Writes the line.
    pub fn write(&self, asked: &Asked, answered: &Answered<'_>) {
        if is_routine(answered.route, answered.status) {
            return;
        }
        // A macro, because tracing needs a constant level.
        macro_rules! line {
            ($level:ident, $left_out:expr) => {
                tracing::$level!(
                    target: ACCESS,
                    method = answered.method,
                    route = answered.route,
                    status = answered.status.as_u16(),
                    code = answered.code.map(Code::name),
                    duration_ms = millis(answered.took),
                    client = asked.client.map(tracing::field::display),
                    request_id = answered.request_id,
                    trace_id = asked.trace_id.as_deref(),
                    left_out = $left_out,
                    "answered"
                )
            };
        }
        match self.sample(answered.route, answered.status) {
            Some(left_out) => line!(info, (left_out > 0).then_some(left_out)),
            None => line!(debug, None::<u64>),
        }
    }

    /// How many lines of this kind were left out since the last one. `None` if this line is left out too.
    fn sample(&self, route: &str, status: StatusCode) -> Option<u64> {
        let samplers = self.0.as_ref()?;
        let sampler = match status.as_u16() {
            400..=499 => &samplers.client_errors,
            500..=599 => &samplers.server_errors,
            _ if is_unlimited(route) => &samplers.pages,
            _ => return Some(0),
        };
        sampler.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now())
    }
}

/// Whether the request is a successful probe, which monitoring repeats every second.
fn is_routine(route: &str, status: StatusCode) -> bool {
    matches!(route, "/healthz" | "/readyz" | "/metrics") && status.is_success()
}

/// A duration in milliseconds, with microseconds as the fraction.
fn millis(took: Duration) -> f64 {
    took.as_micros() as f64 / 1_000.0
}

/// The trace id of a request, if its `traceparent` header is valid (W3C Trace Context).
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let header = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = header.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let not_zero = |text: &str| text.bytes().any(|byte| byte != b'0');
    let known = hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    let valid = known && hex(trace, 32) && not_zero(trace) && hex(parent, 16) && not_zero(parent) && hex(flags, 2);
    valid.then(|| trace.to_owned())
}

/// A token bucket that counts refused lines.
#[derive(Debug)]
struct Sampler {
    burst: f64,
    per_second: f64,
    tokens: f64,
    filled: Instant,
    left_out: u64,
}

impl Sampler {
    fn new((burst, per_second): (f64, f64), now: Instant) -> Self {
        Self { burst, per_second, tokens: burst, filled: now, left_out: 0 }
    }

    fn take(&mut self, now: Instant) -> Option<u64> {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
        self.filled = now;
        if self.tokens < 1.0 {
            self.left_out += 1;
            return None;
        }
        self.tokens -= 1.0;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/readyz", StatusCode::OK, true)]
    #[case("/readyz", StatusCode::SERVICE_UNAVAILABLE, false)]
    #[case("/v1/bookings", StatusCode::OK, false)]
    #[case("unmatched", StatusCode::OK, false)]
    fn only_successful_probes_are_not_logged(#[case] route: &str, #[case] status: StatusCode, #[case] routine: bool) {
        assert_eq!(is_routine(route, status), routine);
    }

    #[rstest]
    #[case("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true)]
    #[case("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", true)]
    #[case("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false)]
    #[case("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false)]
    #[case("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false)]
    #[case("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false)]
    #[case("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false)]
    #[case("Ana Lopes", false)]
    fn only_a_valid_traceparent_names_a_trace(#[case] header: &str, #[case] valid: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("traceparent"), HeaderValue::from_str(header).unwrap());
        assert_eq!(trace_id(&headers).as_deref(), valid.then_some("4bf92f3577b34da6a3ce929d0e0e4736"));
    }

    #[test]
    fn a_flood_of_errors_writes_a_few_lines_and_counts_the_rest() {
        let now = Instant::now();
        let mut sampler = Sampler::new((3.0, 1.0), now);
        let written = (0..100).filter(|_| sampler.take(now).is_some()).count();
        assert_eq!((written, sampler.take(now + Duration::from_secs(1))), (3, Some(97)));
        assert_eq!(sampler.take(now + Duration::from_secs(1)), None);
    }

    #[test]
    fn addresses_without_a_limit_cannot_fill_the_log() {
        let log = AccessLog::new(true);
        let written = |route: &str, status| (0..1_000).filter(|_| log.sample(route, status).is_some()).count();
        for (route, status) in [
            ("/openapi.json", StatusCode::OK),
            ("/docs", StatusCode::PERMANENT_REDIRECT),
            ("/docs/{file:.*}", StatusCode::NOT_MODIFIED),
        ] {
            assert!(written(route, status) <= 30, "{route}");
        }
        assert_eq!(written("/v1/hotels", StatusCode::OK), 1_000);
    }

    #[test]
    fn a_duration_is_a_number_of_milliseconds() {
        assert_eq!(millis(Duration::from_micros(1_234)), 1.234);
    }
}
