//! `PATCH /v1/hotels/{id}`: changes a hotel, by merge patch.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::body::{HotelBody, HotelView};
use crate::domain::{Hotel, HotelId, Violation};
use crate::http::answer::{changed, overwriting_nobody, version};
use crate::http::extract::{Administrator, Body, Id, IfUnchanged};
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use crate::http::state::State;

pub async fn handle(
    state: Data<State>,
    _: Administrator,
    Id(id): Id<HotelId>,
    condition: IfUnchanged,
    patch: Body<MergePatch>,
) -> Result<HttpResponse, Problem> {
    let change = async move |state: &State| {
        overwriting_nobody(async || {
            let present = super::find(state, id).await?;
            condition.check(&version(&HotelView::from(&present)))?;
            let hotel = patched(&present, &patch.value)?;
            Ok(state.catalogue.update_hotel(&present, &hotel).await?.then_some(hotel))
        })
        .await
    };
    let hotel = super::write(state, id, change).await?;
    Ok(changed(&HotelView::from(&hotel)))
}

fn patched(present: &Hotel, patch: &MergePatch) -> Result<Hotel, Problem> {
    let hotel = patch.over(&HotelBody::from(present))?.check(present.id)?;
    match hotel.currency == present.currency {
        true => Ok(hotel),
        false => {
            let message = "must stay what it is: prices and bookings are in it";
            Err(Violation::new("/currency", "immutable", message).into())
        }
    }
}
