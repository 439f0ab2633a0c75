//! `GET /v1/ws`: opens a WebSocket.

use std::sync::Arc;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use tracing::Instrument;

use super::Gate;
use super::dashboard::Dashboard;
use super::session;
use super::socket::{Inbox, handshake, outbox};
use crate::http::access::Access;
use crate::http::code::Code;
use crate::http::connection::activity::Activity;
use crate::http::problem::Problem;
use crate::http::throttle::{Client, Throttle};
use crate::shutdown::Draining;
use crate::store::{Catalogue, Journal};

pub async fn handle(
    (gate, access, throttle): (Data<Gate>, Data<Access>, Data<Throttle>),
    client: Client,
    (catalogue, journal): (Data<dyn Catalogue>, Data<dyn Journal>),
    draining: Data<Draining>,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    if draining.has_begun() {
        return Err(Problem::of(Code::ShuttingDown).retry_after_secs(5));
    }
    let mut accepted = handshake::accept(&request).map_err(|lacks| {
        Problem::new(Code::UpgradeRequired, format!("A WebSocket handshake (RFC 6455) is required: {lacks}."))
    })?;
    let caller = throttle.socket(&access, client, request.headers())?;
    let Some(permit) = gate.enter() else {
        return Err(Problem::of(Code::TooManyDashboards).retry_after_secs(5));
    };
    let (outbox, frames) = outbox::open();
    let inbox = Inbox::new(body, gate.options.frame_bytes);
    let dashboard = Dashboard::new(&gate, catalogue.into_inner(), journal.into_inner(), caller);
    let connection = request.conn_data::<Arc<Activity>>().cloned();
    let draining = Draining::clone(&draining);
    let session = async move {
        session::run(inbox, outbox, dashboard, &gate.options, draining).await;
        drop(permit);
        if let Some(connection) = connection {
            connection.session_ended();
        }
    };
    actix_web::rt::spawn(session.in_current_span());
    Ok(accepted.body(frames))
}
