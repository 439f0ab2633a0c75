//! `GET /v1/ws`: from HTTP to WebSocket.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use tracing::Instrument;

use super::dashboard::Dashboard;
use super::session;
use super::socket::{Inbox, handshake, outbox};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(state: Data<State>, request: HttpRequest, body: Payload) -> Result<HttpResponse, Problem> {
    if state.draining.has_begun() {
        return Err(Problem::of(Code::ShuttingDown).retry_after_secs(5));
    }
    let mut accepted = handshake::accept(&request).map_err(|lacks| {
        Problem::new(Code::UpgradeRequired, format!("A WebSocket handshake (RFC 6455) is needed: {lacks}."))
    })?;
    let gate = state.gate.clone();
    let Some(place) = gate.enter() else {
        return Err(Problem::of(Code::TooManyDashboards).retry_after_secs(5));
    };
    let (outbox, frames) = outbox::open();
    let inbox = Inbox::new(body, gate.options.frame_bytes);
    let dashboard = Dashboard::new(&gate, state.catalogue.clone(), state.journal.clone());
    let draining = state.draining.clone();
    let conversation = async move {
        session::run(inbox, outbox, dashboard, &gate.options, draining).await;
        drop(place);
    };
    actix_web::rt::spawn(conversation.in_current_span());
    Ok(accepted.body(frames))
}
