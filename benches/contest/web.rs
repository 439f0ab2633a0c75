//! The same over HTTP: innkeeper's server, or a small server in front of a baseline, and a client with kept connections.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::web::{Data, Json, post};
use actix_web::{App, HttpResponse, HttpServer};
use async_trait::async_trait;
use data_encoding::HEXLOWER;
use innkeeper::app::{self, Running};
use innkeeper::clock::System;
use innkeeper::config::{Config, Sources};
use innkeeper::domain::{Contact, Date, Guest, Mobile, Order, PlanChoice, RoomTypeId, Stay};
use innkeeper::engine::Key;
use innkeeper::store::{Fingerprint, KeyDigest};
use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::setup::BenchSetup;
use super::{Seller, StayRequest};

/// The client that sends `POST /v1/bookings`.
pub struct Web {
    client: Client,
    address: String,
}

impl Web {
    pub fn at(url: &str) -> Self {
        Self { client: Client::new(), address: format!("{url}/v1/bookings") }
    }
}

#[async_trait]
impl Seller for Web {
    async fn book(&self, stay_request: StayRequest) -> bool {
        let key = HEXLOWER.encode(&stay_request.key.unwrap().digest.0);
        let request = self.client.post(&self.address).header("Idempotency-Key", key).json(&Body::of(&stay_request));
        let response = request.send().await.unwrap();
        let status = response.status();
        let answer = response.bytes().await.unwrap();
        match status {
            StatusCode::CREATED => true,
            StatusCode::CONFLICT => false,
            _ => panic!("{status}: {}", String::from_utf8_lossy(&answer)),
        }
    }
}

/// Starts innkeeper with its server.
pub async fn serve_innkeeper(setup: &BenchSetup) -> Running {
    let config = config(setup);
    let listener = app::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    app::start(&config, listener, Arc::new(System)).await.unwrap()
}

/// The settings of innkeeper for a setup.
pub fn config(setup: &BenchSetup) -> Config {
    let flags = [("database_url", setup.database.url()), ("public_limits", "off".to_owned())];
    Config::load(&Sources { flags: flags.into(), ..Sources::default() }).unwrap()
}

/// Starts a server that reads a body and calls a seller. Returns its address.
pub fn serve(seller: Arc<dyn Seller>) -> String {
    let server =
        HttpServer::new(move || App::new().app_data(Data::new(seller.clone())).route("/v1/bookings", post().to(book)));
    let server = server.disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    tokio::spawn(server.run());
    format!("http://{address}")
}

async fn book(seller: Data<Arc<dyn Seller>>, request: actix_web::HttpRequest, body: Json<Body>) -> HttpResponse {
    let key = Sha256::digest(request.headers().get("Idempotency-Key").unwrap().as_bytes());
    match seller.book(body.into_inner().stay_request(KeyDigest(key.into()))).await {
        true => HttpResponse::Created().finish(),
        false => HttpResponse::Conflict().finish(),
    }
}

#[derive(Serialize, Deserialize)]
struct Body {
    room_type_id: Uuid,
    checkin_date: Date,
    checkout_date: Date,
    rooms: u16,
    num_guests: usize,
    guests: Vec<GuestBody>,
    contact: ContactBody,
}

#[derive(Serialize, Deserialize)]
struct GuestBody {
    name: String,
    age: u8,
}

#[derive(Serialize, Deserialize)]
struct ContactBody {
    mobile: String,
}

impl Body {
    fn of(stay_request: &StayRequest) -> Self {
        let order = &stay_request.order;
        let guests = order.guests.iter().map(|guest| GuestBody { name: guest.name.clone(), age: guest.age });
        Self {
            room_type_id: stay_request.room_type.0,
            checkin_date: order.stay.check_in(),
            checkout_date: order.stay.check_out(),
            rooms: order.rooms,
            num_guests: order.guests.len(),
            guests: guests.collect(),
            contact: ContactBody { mobile: order.contact.mobile.as_str().to_owned() },
        }
    }

    fn stay_request(self, digest: KeyDigest) -> StayRequest {
        let guest = |guest: GuestBody| Guest::new(&guest.name, guest.age.into()).unwrap();
        let order = Order {
            rate_plan: PlanChoice::Only,
            stay: Stay::new(self.checkin_date, self.checkout_date).unwrap(),
            rooms: self.rooms,
            guests: self.guests.into_iter().map(guest).collect(),
            services: Vec::new(),
            contact: Contact { mobile: Mobile::parse(&self.contact.mobile).unwrap(), email: None },
            external_reference: None,
            hold: false,
            expected_sequence: None,
            expected_on_sale: None,
            agreed_price: None,
            hold_share: None,
            forced_by: None,
        };
        let key = Some(Key { digest, fingerprint: Fingerprint([9; 32]) });
        StayRequest { room_type: RoomTypeId(self.room_type_id), order, key }
    }
}
