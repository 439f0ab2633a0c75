//! `POST /v1/bookings/{booking_id}/check-in`, `…/check-out` and `…/no-show`: the front desk of the hotel. One handler
//! serves all moves that only the administrator may do and that have no parameters.

use actix_web::{Handler, HttpResponse};
use futures_util::future::LocalBoxFuture;

use super::moves::Change;
use crate::domain::Move;
use crate::http::extract::caller::Principal;
use crate::http::extract::{Administrator, BookingPath, NoBody};
use crate::http::problem::Problem;

type Arguments = (Administrator, BookingPath, Change, NoBody);
type Answer = Result<HttpResponse, Problem>;

/// A handler that does one move.
#[derive(Debug, Clone)]
pub struct FrontDesk(pub Move);

impl Handler<Arguments> for FrontDesk {
    type Output = Answer;
    type Future = LocalBoxFuture<'static, Answer>;

    fn call(&self, (_, BookingPath(booking), change, _): Arguments) -> Self::Future {
        let step = self.0.clone();
        Box::pin(async move { change.act((booking, Principal::Administrator), step, b"").await })
    }
}
