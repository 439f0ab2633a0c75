//! `POST /v1/bookings/{booking_id}/check-in`, `…/check-out` and `…/no-show`: what happens at the desk of the hotel. One
//! handler for moves that are the administrator's alone and say everything by their name.

use actix_web::web::Data;
use actix_web::{Handler, HttpResponse};
use futures_util::future::LocalBoxFuture;

use super::moves::{Conditions, act};
use crate::domain::Move;
use crate::http::extract::caller::Principal;
use crate::http::extract::{Administrator, BookingPath, NoBody};
use crate::http::problem::Problem;
use crate::http::state::State;

type Arguments = (Data<State>, Administrator, BookingPath, Conditions, NoBody);
type Answer = Result<HttpResponse, Problem>;

/// A handler that does one move.
#[derive(Debug, Clone)]
pub struct AtTheDesk(pub Move);

impl Handler<Arguments> for AtTheDesk {
    type Output = Answer;
    type Future = LocalBoxFuture<'static, Answer>;

    fn call(&self, (state, _, BookingPath(booking), conditions, _): Arguments) -> Self::Future {
        let (who, step) = ((booking, Principal::Administrator), self.0.clone());
        Box::pin(async move { act(&state, who, step, conditions, b"").await })
    }
}
