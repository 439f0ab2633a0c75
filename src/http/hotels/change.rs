//! `PATCH /v1/hotels/{id}`: changes a hotel, by merge patch.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::Value;

use super::Written;
use super::body::{HotelBody, HotelView};
use super::moved::{self, Moved};
use crate::clock::Clock;
use crate::domain::{Hotel, HotelId, Violation};
use crate::engine::Engine;
use crate::http::answer::{retry_on_conflict, version};
use crate::http::code::Code;
use crate::http::extract::{Administrator, Body, Id, IfMatch};
use crate::http::merge_patch::MergePatch;
use crate::http::problem::Problem;
use crate::http::value::force;
use crate::store::{Catalogue, Reports};

pub async fn handle(
    engine: Data<Engine>,
    (catalogue, reports): (Data<dyn Catalogue>, Data<dyn Reports>),
    clock: Data<dyn Clock>,
    _: Administrator,
    Id(id): Id<HotelId>,
    condition: IfMatch,
    Body { value: mut patch, .. }: Body<MergePatch>,
) -> Result<HttpResponse, Problem> {
    let forced_by = forced_by(&mut patch)?;
    let is_forced = forced_by.is_some();
    let change = async move {
        retry_on_conflict(async || {
            let present = super::find(&**catalogue, id).await?;
            condition.check(&version(&HotelView::from(&present)))?;
            let hotel = patched(&present, &patch)?;
            if hotel == present {
                return Ok(Some(Written::Same((hotel, None))));
            }
            let moved = moved::by(&**reports, clock.now(), &present, &hotel).await?;
            if let Some(moved) = &moved {
                allow(moved, is_forced)?;
            }
            Ok(catalogue.update_hotel(&present, &hotel).await?.then_some(Written::Changed((hotel, moved))))
        })
        .await
    };
    let (hotel, moved) = super::write(engine, id, change).await?;
    if let (Some(moved), Some(forced_by)) = (&moved, forced_by) {
        tracing::warn!(hotel = %id, forced_by, %moved, "the time zone of a hotel with live bookings changed, by force");
    }
    let hotel = HotelView::from(&hotel);
    Ok(HttpResponse::Ok().insert_header(version(&hotel)).json(HotelView { moved, ..hotel }))
}

/// The name in `force`, which is no member of a hotel.
fn forced_by(patch: &mut MergePatch) -> Result<Option<String>, Problem> {
    match patch.take("force") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(who)) => Ok(force(Some(&who))?),
        Some(_) => Err(Violation::new("/force", "type", "must be a string").into()),
    }
}

fn patched(present: &Hotel, patch: &MergePatch) -> Result<Hotel, Problem> {
    let hotel = patch.over(&HotelBody::from(present))?.check(present.id, Some(present))?;
    let location = match (present.location, hotel.location) {
        (Some(present), Some(repeated)) if present.is_same_point(repeated) => Some(present),
        (_, location) => location,
    };
    let hotel = Hotel { location, ..hotel };
    match hotel.currency == present.currency {
        true => Ok(hotel),
        false => {
            let message = "must not change: prices and bookings are in this currency";
            Err(Violation::new("/currency", "immutable", message).into())
        }
    }
}

/// A change that moves live bookings needs a name in `force`.
fn allow(moved: &Moved, is_forced: bool) -> Result<(), Problem> {
    if is_forced {
        return Ok(());
    }
    let detail = format!("{moved} To change the time zone, send `force` with a name.");
    let error = Violation::new("/timezone", "live_bookings", "must not change without force");
    Err(Problem::new(Code::LiveBookings, detail).with_errors(vec![error]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::catalogue::Coordinates;
    use crate::domain::testing;

    /// `serde_json` reads the last digit of this longitude differently than it writes it.
    #[test]
    fn coordinates_that_repeat_their_present_value_change_nothing() {
        let location = Some(Coordinates { latitude: 38.722_252_123_456_78, longitude: -120.654_873_651_235_05 });
        let hotel = Hotel { location, ..testing::hotel() };
        let shown = serde_json::to_string(&HotelBody::from(&hotel).coordinates).unwrap();
        for patch in ["{}".to_owned(), format!(r#"{{"coordinates":{shown}}}"#)] {
            let patch = serde_json::from_str(&patch).unwrap();
            assert_eq!(patched(&hotel, &patch).unwrap(), hotel);
        }
        let moved = json!({"coordinates": {"longitude": -120.654_873}});
        let moved = patched(&hotel, &serde_json::from_value(moved).unwrap()).unwrap().location.unwrap();
        assert_eq!((moved.latitude, moved.longitude), (38.722_252_123_456_78, -120.654_873));
    }
}
