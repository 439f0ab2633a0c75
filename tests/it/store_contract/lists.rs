//! Lists, filters and pages.

use innkeeper::domain::service::ServiceBasis;
use innkeeper::domain::{Amount, BookingId, Contact, Hotel, HotelId, Mobile, Move, Order, Service, ServiceId};
use innkeeper::store::{BookingFilter, Page};

use super::contract;
use super::fixture::{StoreFixture, booking, day, order, stay};

const ALL: u32 = 100;

fn page<Id>(after: Option<Id>, limit: u32) -> Page<Id> {
    Page { after, limit }
}

async fn hotels_are_listed_by_id_and_found_by_city_in_any_case(house: StoreFixture) {
    assert!(house.store.is_empty().await.unwrap());
    let mut ids = Vec::new();
    for city in ["São Paulo", "SÃO PAULO", "Porto"] {
        ids.push(house.hotel("Casa", city).await.id);
    }
    assert!(!house.store.is_empty().await.unwrap());
    let list = async |city: Option<&str>, page| -> Vec<HotelId> {
        house.store.hotels(city, page).await.unwrap().into_iter().map(|hotel| hotel.id).collect()
    };
    assert_eq!(list(None, page(None, 2)).await, ids[..2]);
    assert_eq!(list(None, page(Some(ids[1]), 2)).await, ids[2..]);
    assert_eq!(list(Some("são paulo"), page(None, ALL)).await, ids[..2]);
    assert_eq!(list(Some("são paulo"), page(Some(ids[0]), ALL)).await, ids[1..2]);
}

async fn a_hotel_and_its_services_change_in_place(house: StoreFixture) {
    let hotel = house.hotel("Casa", "Porto").await;
    let location = innkeeper::domain::catalogue::Coordinates::new(41.1, -8.6).ok();
    let changed = Hotel { name: "Casa Nova".into(), city: "Braga".into(), location, ..hotel.clone() };
    assert!(house.store.update_hotel(&hotel, &changed).await.unwrap());
    assert!(!house.store.update_hotel(&hotel, &hotel).await.unwrap(), "it is not what was seen any more");
    assert_eq!(house.store.hotel(hotel.id).await.unwrap(), Some(changed.clone()));
    assert!(house.store.update_hotel(&changed, &hotel).await.unwrap());
    assert_eq!(house.store.hotel(hotel.id).await.unwrap(), Some(hotel.clone()));
    let nobody = Hotel { id: HotelId(house.id()), ..hotel.clone() };
    assert!(!house.store.update_hotel(&nobody, &nobody).await.unwrap());
    assert_eq!(house.store.hotel(nobody.id).await.unwrap(), None);

    let parking = Service {
        id: ServiceId(house.id()),
        hotel_id: hotel.id,
        name: "Parking".into(),
        basis: ServiceBasis::PerNight,
        price: Amount(900),
    };
    assert!(!house.store.update_service(&parking, &parking).await.unwrap());
    house.store.insert_service(&parking).await.unwrap();
    let dearer = Service { price: Amount(1200), basis: ServiceBasis::PerPerson, ..parking.clone() };
    assert!(house.store.update_service(&parking, &dearer).await.unwrap());
    assert!(!house.store.update_service(&parking, &parking).await.unwrap(), "it is not what was seen any more");
    assert_eq!(house.store.service(parking.id).await.unwrap(), Some(dearer.clone()));
    assert_eq!(house.store.services(hotel.id, page(None, ALL)).await.unwrap(), [dearer]);
}

async fn room_types_and_plans_are_listed_under_what_they_belong_to(house: StoreFixture) {
    let (hotel, other) = (house.hotel("Casa", "Porto").await, house.hotel("Casa", "Porto").await);
    let desk = house.desk_in(&hotel, 2).await;
    house.desk_in(&other, 2).await;
    let room_type = desk.inventory.room_type.clone();
    assert_eq!(house.store.room_type(room_type.id).await.unwrap(), Some(room_type.clone()));
    assert_eq!(house.store.room_types(hotel.id, page(None, ALL)).await.unwrap(), std::slice::from_ref(&room_type));
    assert_eq!(house.store.room_type_ids(hotel.id).await.unwrap(), [room_type.id]);
    assert_eq!(house.store.all_room_types(page(None, 1)).await.unwrap(), [room_type.id]);
    assert_eq!(house.store.all_room_types(page(Some(room_type.id), ALL)).await.unwrap().len(), 1);
    let plan = &desk.inventory.plans[0];
    assert_eq!(house.store.rate_plan(plan.id).await.unwrap().as_ref(), Some(plan));
    assert_eq!(house.store.rate_plans(room_type.id, page(None, ALL)).await.unwrap(), std::slice::from_ref(plan));
}

async fn bookings_are_filtered_by_everything_a_desk_asks_for(house: StoreFixture) {
    let (mut one, mut two) = (house.desk(9).await, house.desk(9).await);
    let mut quiet = order(stay(3, 1), 1);
    quiet.contact = Contact { mobile: Mobile::parse("+4915112345678").unwrap(), email: None };
    quiet.external_reference = None;
    let batch =
        [one.book(order(stay(1, 1), 1)), two.book(quiet), one.book(Order { hold: true, ..order(stay(2, 1), 1) })];
    let [a, b, c] = batch.each_ref().map(|entry| booking(entry).id);
    let cancelled = one.act(&booking(&batch[0]), Move::Cancel);
    house.commit(&batch).await;
    house.commit(&[cancelled]).await;

    let list = async |filter: BookingFilter, page| -> Vec<BookingId> {
        house.store.bookings(&filter, page).await.unwrap().into_iter().map(|booking| booking.id).collect()
    };
    let every = page(None, ALL);
    let any = BookingFilter::default;
    assert_eq!(list(any(), page(None, 2)).await, [a, b]);
    assert_eq!(list(any(), page(Some(b), 2)).await, [c]);
    assert_eq!(list(BookingFilter { hotel: Some(one.inventory.hotel.id), ..any() }, every).await, [a, c]);
    assert_eq!(list(BookingFilter { room_type: Some(two.id()), ..any() }, every).await, [b]);
    assert_eq!(list(BookingFilter { status: Some("cancelled"), ..any() }, every).await, [a]);
    assert_eq!(list(BookingFilter { arrival: Some(day(2))..None, ..any() }, every).await, [b, c]);
    assert_eq!(list(BookingFilter { arrival: Some(day(1))..Some(day(2)), ..any() }, every).await, [a]);
    let contact = |text: &str| BookingFilter { contact: Some(text.into()), ..any() };
    assert_eq!(list(contact("+4915112345678"), every).await, [b]);
    assert_eq!(list(contact("ana@EXAMPLE.com"), every).await, [a, c]);
    let reference = BookingFilter { external_reference: Some("OTA-77".into()), ..any() };
    assert_eq!(list(reference.clone(), every).await, [a, c]);
    assert_eq!(list(BookingFilter { status: Some("held"), ..reference }, page(Some(a), ALL)).await, [c]);
    assert_eq!(house.store.room_types_with_holds().await.unwrap(), [one.id()]);
}

async fn counted_nights_are_paged_by_room_type_and_date(house: StoreFixture) {
    let (mut one, mut two) = (house.desk(9).await, house.desk(9).await);
    let gone = one.book(order(stay(8, 1), 1));
    let freed = one.act(&booking(&gone), Move::Cancel);
    house.commit(&[gone, freed, one.book(order(stay(1, 2), 3)), two.book(order(stay(2, 1), 1))]).await;
    let rows = house.store.counted_nights(None, 2).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| (row.date, row.sold, row.physical)).collect::<Vec<_>>(),
        [(day(1), 3, 9), (day(2), 3, 9)]
    );
    let rest = house.store.counted_nights(Some((rows[1].room_type_id, rows[1].date)), ALL).await.unwrap();
    assert_eq!(rest.iter().map(|row| (row.room_type_id, row.date)).collect::<Vec<_>>(), [(two.id(), day(2))]);
}

async fn an_installation_keeps_its_first_secret(house: StoreFixture) {
    assert_eq!(house.store.installation_secret([1; 32]).await.unwrap(), [1; 32]);
    assert_eq!(house.store.installation_secret([2; 32]).await.unwrap(), [1; 32]);
}

contract!(
    hotels_are_listed_by_id_and_found_by_city_in_any_case,
    a_hotel_and_its_services_change_in_place,
    room_types_and_plans_are_listed_under_what_they_belong_to,
    bookings_are_filtered_by_everything_a_desk_asks_for,
    counted_nights_are_paged_by_room_type_and_date,
    an_installation_keeps_its_first_secret,
);
