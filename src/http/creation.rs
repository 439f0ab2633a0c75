//! What the handlers that create hotels, room types and services share: the idempotency key, storing and announcing.
//!
//! The record of a key is stored in the transaction of the new object. So a repeat gets the first answer, also after a crash
//! and from another node, and concurrent repeats create one object. A rate plan is created by its room type's owner instead
//! ([`Engine::create_rate_plan`]).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use uuid::Uuid;

use super::answer::run_to_end;
use super::code::Code;
use super::extract::IdempotencyKey;
use super::extract::caller::Principal;
use super::problem::Problem;
use crate::clock::IdSource;
use crate::engine::{Engine, Outcome};
use crate::events::Notice;
use crate::store::{Answer, Catalogue};

/// The idempotency key of a request that creates an object, and what stores the object.
pub struct Creation {
    engine: Data<Engine>,
    pub catalogue: Data<dyn Catalogue>,
    ids: Data<dyn IdSource>,
    key: IdempotencyKey,
}

impl FromRequest for Creation {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(creation(request))
    }
}

fn creation(request: &HttpRequest) -> Result<Creation, Problem> {
    let missing = |_| Problem::of(Code::Internal);
    Ok(Creation {
        engine: Data::extract(request).into_inner().map_err(missing)?,
        catalogue: Data::extract(request).into_inner().map_err(missing)?,
        ids: Data::extract(request).into_inner().map_err(missing)?,
        key: IdempotencyKey::extract(request).into_inner()?,
    })
}

impl Creation {
    /// The id of the new object.
    pub fn next_id(&self) -> Uuid {
        self.ids.next()
    }

    /// Stores an object once per key and announces it, even if the client closes the connection meanwhile. A repeat returns
    /// the object of the first request.
    pub async fn store(self, object: Answer, canonical_body: &[u8]) -> Result<Outcome, Problem> {
        let key = self.key.bind(Principal::Administrator, canonical_body);
        run_to_end(async move {
            let outcome = match key {
                Some(key) => {
                    let catalogue = &self.catalogue.into_inner();
                    let insert = async |new| catalogue.insert_once(&new).await;
                    self.engine.create_once(key, object, insert).await?
                }
                None => {
                    insert(&**self.catalogue, &object).await?;
                    Outcome { answer: object, replayed: false }
                }
            };
            // Also a repeat: the first request may have failed after its commit.
            announce(&self.engine, &outcome.answer).await;
            Ok(outcome)
        })
        .await
    }
}

async fn insert(catalogue: &dyn Catalogue, object: &Answer) -> Result<(), Problem> {
    match object {
        Answer::Hotel(hotel) => catalogue.insert_hotel(hotel).await?,
        Answer::RoomType(room_type) => catalogue.insert_room_type(room_type).await?,
        Answer::Service(service) => catalogue.insert_service(service).await?,
        Answer::Booking(_) | Answer::RatePlan(_) | Answer::Unknown(_) => return Err(Problem::of(Code::Internal)),
    }
    Ok(())
}

/// Tells search and dashboards of a new object. Actors of the hotel reload when they must know it.
async fn announce(engine: &Engine, object: &Answer) {
    match object {
        Answer::Hotel(hotel) => engine.hub().publish(Notice::Hotel(hotel.id)),
        Answer::RoomType(room_type) => engine.hub().publish(Notice::Hotel(room_type.hotel_id)),
        Answer::Service(service) => engine.hotel_changed(service.hotel_id).await,
        Answer::Booking(_) | Answer::RatePlan(_) | Answer::Unknown(_) => {}
    }
}
