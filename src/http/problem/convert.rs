//! Converts the errors of every layer to problems. Causes go to the log, never into a document.

use super::{Problem, refusal};
use crate::domain::Violation;
use crate::http::code::Code;
use crate::lease::{self, Outsider};
use crate::{engine, search, store};

const AWAY: &str = "The database cannot be reached.";
const NO_LEASE: &str = "Redis does not answer, so no node can take this room type. Owners still serve the room types \
                        that they own.";

impl From<Vec<Violation>> for Problem {
    fn from(errors: Vec<Violation>) -> Self {
        Self::invalid(errors)
    }
}

impl From<Violation> for Problem {
    fn from(error: Violation) -> Self {
        Self::invalid(vec![error])
    }
}

impl From<engine::Error> for Problem {
    fn from(error: engine::Error) -> Self {
        match error {
            engine::Error::Refused(refusal) => refusal::problem(&refusal),
            engine::Error::NoSuchRoomType => Self::of(Code::NoSuchRoomType),
            engine::Error::NoSuchBooking => Self::of(Code::NoSuchBooking),
            engine::Error::KeyReused => Self::of(Code::KeyReused),
            engine::Error::Unstorable => Self::unstorable(),
            engine::Error::Changed => Self::of(Code::Stale),
            engine::Error::Busy => Self::of(Code::Busy).retry_after_secs(1),
            engine::Error::Elsewhere(peer) => Self::elsewhere(peer),
            engine::Error::Interrupted => Self::of(Code::Interrupted).retry_after_secs(1),
            engine::Error::Expired => Self::of(Code::Expired).retry_after_secs(1),
            engine::Error::Unavailable => Self::new(Code::Unavailable, AWAY).retry_after_secs(5).without_effect(),
            engine::Error::NoLease => Self::new(Code::Unavailable, NO_LEASE).retry_after_secs(5),
            engine::Error::Outsider(outsider) => outsider.into(),
            engine::Error::ShuttingDown => Self::of(Code::ShuttingDown).retry_after_secs(5),
        }
    }
}

impl From<Outsider> for Problem {
    fn from(outsider: Outsider) -> Self {
        Self::new(Code::NotAMember, refusal::sentence(&outsider.to_string())).retry_after_secs(5)
    }
}

impl From<lease::Unavailable> for Problem {
    fn from(error: lease::Unavailable) -> Self {
        match error {
            lease::Unavailable::Outsider(outsider) => outsider.into(),
            lease::Unavailable::Unanswered(why) => {
                Self::new(Code::Unavailable, refusal::sentence(&why.to_string())).retry_after_secs(5)
            }
        }
    }
}

impl From<search::Building> for Problem {
    fn from(_: search::Building) -> Self {
        Self::of(Code::Starting).retry_after_secs(1)
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        // Only the log gets the cause: it may name tables and files.
        match error {
            store::Error::Unavailable(cause) => {
                tracing::error!(?cause, "the store is unavailable");
                Self::new(Code::Unavailable, AWAY).retry_after_secs(5)
            }
            // The cause may contain the values, which may be personal data.
            store::Error::Refused(_) => Self::unstorable(),
            store::Error::Corrupt(cause) => {
                tracing::error!(?cause, "the store contains a row that cannot be read");
                Self::of(Code::Internal)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::{StatusCode, header};

    use super::*;

    #[test]
    fn exactly_the_temporary_problems_have_retry_after() {
        let helps =
            [engine::Error::Busy, engine::Error::Interrupted, engine::Error::Unavailable, engine::Error::ShuttingDown];
        let helps = helps.into_iter().chain([engine::Error::NoLease, engine::Error::Outsider(Outsider::Secret)]);
        for problem in helps.map(Problem::from).chain([search::Building.into()]) {
            let answer = problem.render();
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(answer.headers().contains_key(header::RETRY_AFTER));
        }
        for error in [engine::Error::KeyReused, engine::Error::NoSuchBooking, engine::Error::NoSuchRoomType] {
            assert!(!Problem::from(error).render().headers().contains_key(header::RETRY_AFTER));
        }
    }

    #[test]
    fn a_document_never_contains_the_cause_of_a_store_error() {
        let cause = || anyhow::anyhow!("SELECT secret FROM /var/lib/innkeeper.db");
        let all = [store::Error::Unavailable, store::Error::Refused, store::Error::Corrupt];
        for error in all.map(|error| error(cause())) {
            let document = serde_json::to_string(&Problem::from(error).document(None)).unwrap();
            assert!(!document.contains("SELECT") && !document.contains("/var"), "{document}");
        }
    }

    #[test]
    fn a_bare_status_becomes_a_problem_of_the_table() {
        assert_eq!(Problem::of_status(StatusCode::NOT_FOUND).code(), Code::NotFound);
        assert_eq!(Problem::of_status(StatusCode::IM_A_TEAPOT).code(), Code::MalformedRequest);
        assert_eq!(Problem::of_status(StatusCode::BAD_GATEWAY).code(), Code::Internal);
    }
}
