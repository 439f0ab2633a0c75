//! Why a request has no answer, or an answer that is no success.

use std::time::Duration;

use tokio_tungstenite::tungstenite;

use super::problem::Problem;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0:?} is no URL such as http://127.0.0.1:8080")]
    NotAnAddress(String),
    #[error("{0:?} is not of the form http://host:port; this program is a client of plain HTTP only")]
    NotPlainHttp(String),
    #[error("cannot start the HTTP client")]
    Start(#[source] reqwest::Error),
    /// A token or a key has characters that no header can have.
    #[error("the request cannot be sent")]
    Unsendable(#[source] reqwest::Error),
    /// No answer, or none in time. A write may have had its effect.
    #[error("cannot reach {server}")]
    NoAnswer { server: String, source: reqwest::Error },
    #[error("the answer is larger than the limit of the client")]
    TooLarge,
    #[error("the server does not answer as an innkeeper does")]
    NotUnderstood(#[source] serde_json::Error),
    /// The server answered with a problem document.
    #[error(transparent)]
    Problem(Box<Problem>),
    #[error("the WebSocket failed")]
    Socket(#[source] Box<tungstenite::Error>),
    /// The WebSocket has ended.
    #[error("the WebSocket ended: {0}")]
    Ended(String),
}

impl Error {
    /// Whether the same request may succeed later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::NoAnswer { .. } | Self::Socket(_) | Self::Ended(_) => true,
            Self::Problem(problem) => problem.is_temporary(),
            Self::NotAnAddress(_) | Self::NotPlainHttp(_) | Self::Start(_) | Self::Unsendable(_) => false,
            Self::TooLarge | Self::NotUnderstood(_) => false,
        }
    }

    /// The problem document, if the server answered with one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// How long the server asks the client to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.problem()?.retry_after
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<tungstenite::Error> for Error {
    fn from(error: tungstenite::Error) -> Self {
        Self::Socket(Box::new(error))
    }
}
