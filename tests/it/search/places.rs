//! Search around a place: across the date line, at the poles, and in the order of distance.

use innkeeper::domain::catalogue::Coordinates;
use innkeeper::domain::{Hotel, Party};
use innkeeper::events::{Hub, Notice};
use innkeeper::search::{Index, Search, SearchArea, Sort};

use super::index_of;
use crate::store_contract::fixture::{StoreFixture, any, stay};

struct World {
    house: StoreFixture,
    hub: Hub,
    index: Index,
}

impl World {
    /// Hotels at these coordinates, each with a room. `None`: a hotel without coordinates.
    async fn with(places: &[(&str, Option<(f64, f64)>)]) -> Self {
        let house = any().await;
        for (name, place) in places {
            let seen = house.hotel(name, "Somewhere").await;
            let location = place.map(|(latitude, longitude)| Coordinates { latitude, longitude });
            let hotel = Hotel { location, ..seen.clone() };
            house.store.update_hotel(&seen, &hotel).await.unwrap();
            house.desk_in(&hotel, 1).await;
        }
        let (index, hub) = index_of(&house.store, house.now).await;
        Self { house, hub, index }
    }

    /// The hotels that are found, the nearest first, with their distance in metres; one hotel per page.
    fn around(&self, latitude: f64, longitude: f64, radius_km: f64) -> Vec<(String, u32)> {
        let place = SearchArea::Around(Coordinates { latitude, longitude }, radius_km * 1_000.0);
        let party = Party { adults: 1, children: 0 };
        let stay = stay(3, 2);
        let mut search = Search { place, stay, party, rooms: 1, sort: Sort::Distance, after: None, limit: 1 };
        let mut found = Vec::new();
        loop {
            let page = self.index.search(&search, self.house.now);
            found.extend(page.offers.iter().map(|offer| (offer.hotel.name.clone(), offer.metres.unwrap())));
            search.after = page.next;
            if search.after.is_none() {
                return found;
            }
        }
    }

    fn names(&self, latitude: f64, longitude: f64, radius_km: f64) -> Vec<String> {
        self.around(latitude, longitude, radius_km).into_iter().map(|(name, _)| name).collect()
    }
}

#[tokio::test]
async fn search_crosses_the_date_line() {
    let world = World::with(&[
        ("Taveuni west", Some((-16.8, 179.9))),
        ("Taveuni east", Some((-16.8, -179.9))),
        ("On the line", Some((-16.8, 180.0))),
        ("Still on it", Some((-16.8, -180.0))),
        ("Far away", Some((-16.8, 0.0))),
    ])
    .await;
    for longitude in [179.95, -179.95, 180.0, -180.0] {
        let mut names = world.names(-16.8, longitude, 30.0);
        names.sort();
        assert_eq!(names, ["On the line", "Still on it", "Taveuni east", "Taveuni west"]);
    }
    assert_eq!(world.names(-16.8, 179.95, 6.0), ["Taveuni west", "On the line", "Still on it"]);
}

#[tokio::test]
async fn search_works_at_a_pole() {
    let world = World::with(&[
        ("Pole", Some((90.0, 0.0))),
        ("Greenwich side", Some((89.9, 0.0))),
        ("Pacific side", Some((89.8, 180.0))),
        ("Siberian side", Some((89.7, 100.0))),
        ("South pole", Some((-90.0, 0.0))),
    ])
    .await;
    let found = world.around(90.0, 77.0, 40.0);
    let expected = ["Pole", "Greenwich side", "Pacific side", "Siberian side"];
    assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), expected);
    assert_eq!(found.iter().map(|(_, metres)| *metres).collect::<Vec<_>>(), [0, 11_120, 22_239, 33_359]);
    assert_eq!(world.names(89.9, 180.0, 12.0), ["Pole", "Pacific side"]);
    assert_eq!(world.names(-89.95, -33.0, 10.0), ["South pole"]);
}

#[tokio::test]
async fn a_hotel_without_coordinates_is_not_found() {
    let world = World::with(&[("Nowhere", None), ("Origin", Some((0.0, 0.0)))]).await;
    assert_eq!(world.names(0.0, 0.0, 500.0), ["Origin"]);
    assert_eq!(world.names(-0.1, -0.1, 500.0), ["Origin"]);
}

#[tokio::test]
async fn new_and_removed_coordinates_take_effect() {
    let world = World::with(&[("Here", Some((38.7, -9.1))), ("Nowhere", None)]).await;
    for seen in world.house.store.hotels(None, innkeeper::store::Page { after: None, limit: 9 }).await.unwrap() {
        let location = seen.location.is_none().then_some(Coordinates { latitude: 41.1, longitude: -8.6 });
        let hotel = Hotel { location, ..seen.clone() };
        world.house.store.update_hotel(&seen, &hotel).await.unwrap();
        world.hub.publish(Notice::Hotel(hotel.id));
    }
    world.index.reached(world.hub.position()).await;
    assert!(world.names(38.7, -9.1, 50.0).is_empty());
    assert_eq!(world.names(41.1, -8.6, 50.0), ["Nowhere"]);
}
