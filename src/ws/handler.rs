//! `GET /v1/ws`: from HTTP to WebSocket.

use std::sync::Arc;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use tracing::Instrument;

use super::dashboard::Dashboard;
use super::session;
use super::socket::{Inbox, handshake, outbox};
use crate::http::code::Code;
use crate::http::connection::activity::Activity;
use crate::http::problem::Problem;
use crate::http::state::State;
use crate::http::throttle::Client;

pub async fn handle(
    state: Data<State>,
    client: Client,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    if state.draining.has_begun() {
        return Err(Problem::of(Code::ShuttingDown).retry_after_secs(5));
    }
    let mut accepted = handshake::accept(&request).map_err(|lacks| {
        Problem::new(Code::UpgradeRequired, format!("A WebSocket handshake (RFC 6455) is needed: {lacks}."))
    })?;
    let caller = state.throttle.socket(&state.access, client, request.headers())?;
    let gate = state.gate.clone();
    let Some(place) = gate.enter() else {
        return Err(Problem::of(Code::TooManyDashboards).retry_after_secs(5));
    };
    let (outbox, frames) = outbox::open();
    let inbox = Inbox::new(body, gate.options.frame_bytes);
    let dashboard = Dashboard::new(&gate, state.catalogue.clone(), state.journal.clone(), caller);
    let draining = state.draining.clone();
    let connection = request.conn_data::<Arc<Activity>>().cloned();
    let conversation = async move {
        session::run(inbox, outbox, dashboard, &gate.options, draining).await;
        drop(place);
        if let Some(connection) = connection {
            connection.hangs_up();
        }
    };
    actix_web::rt::spawn(conversation.in_current_span());
    Ok(accepted.body(frames))
}
