use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{HotelBody, HotelView};
use crate::domain::{HotelId, Violation};
use crate::http::code::Code;
use crate::http::extract::{Administrator, Body, Id};
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use crate::http::state::State;

/// `PATCH /v1/hotels/{id}`
pub async fn handle(
    state: Data<State>,
    _: Administrator,
    Id(id): Id<HotelId>,
    patch: Body<MergePatch>,
) -> Result<HttpResponse, Problem> {
    let present = super::find(&state, id).await?;
    let hotel = patch.value.over(&HotelBody::from(&present))?.check(id)?;
    if hotel.currency != present.currency {
        let message = "must stay what it is: prices and bookings are in it";
        return Err(Violation::new("/currency", "immutable", message).into());
    }
    if !state.catalogue.update_hotel(&hotel).await? {
        return Err(Problem::of(Code::NoSuchHotel));
    }
    state.engine.hotel_changed(id).await?;
    Ok(HttpResponse::Ok().json(HotelView::from(&hotel)))
}
