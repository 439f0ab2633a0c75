//! The demo hotels: invented hotels in real cities. Prices are in the minor units of each currency.

/// A city, with the country, time zone, currency and services of its hotels.
pub struct City {
    pub name: &'static str,
    pub country: &'static str,
    pub timezone: &'static str,
    pub currency: &'static str,
    pub services: &'static [(&'static str, Basis, i64)],
    pub hotels: &'static [DemoHotel],
}

pub use crate::domain::ServiceBasis as Basis;

pub struct DemoHotel {
    pub name: &'static str,
    pub latitude: f64,
    pub longitude: f64,
    pub rooms: &'static [Room],
}

/// A room type: name, largest number of adults, of children and of persons, number of rooms, price of a weekday night.
pub struct Room(pub &'static str, pub u16, pub u16, pub u16, pub u16, pub i64);

use Basis::{PerNight, PerPerson, PerPersonNight, PerStay};

/// The examples in the API documentation use the first hotel, its first room type, rate plan and service.
pub const CITIES: &[City] = &[
    City {
        name: "Lisbon",
        country: "PT",
        timezone: "Europe/Lisbon",
        currency: "EUR",
        services: &[
            ("Breakfast", PerPersonNight, 1_400),
            ("Airport pick-up", PerStay, 3_500),
            ("Parking", PerNight, 1_800),
        ],
        hotels: &[
            DemoHotel {
                name: "Casa do Miradouro",
                latitude: 38.7139,
                longitude: -9.1334,
                rooms: &[
                    Room("Double", 2, 1, 3, 12, 11_900),
                    Room("Single with courtyard view", 1, 0, 1, 4, 7_900),
                    Room("Double with river view", 2, 1, 3, 6, 15_900),
                    Room("Family room", 2, 3, 5, 3, 19_900),
                ],
            },
            DemoHotel {
                name: "Hotel Azulejo",
                latitude: 38.7107,
                longitude: -9.1425,
                rooms: &[
                    Room("Classic double", 2, 0, 2, 20, 13_400),
                    Room("Superior twin", 2, 1, 3, 14, 15_400),
                    Room("Junior suite", 2, 2, 4, 4, 24_900),
                ],
            },
            DemoHotel {
                name: "Alfama Terrace",
                latitude: 38.7117,
                longitude: -9.1301,
                rooms: &[
                    Room("Studio", 2, 0, 2, 8, 9_900),
                    Room("One-bedroom apartment", 3, 2, 4, 6, 14_900),
                    Room("Terrace apartment", 4, 2, 6, 2, 22_900),
                ],
            },
        ],
    },
    City {
        name: "Kyoto",
        country: "JP",
        timezone: "Asia/Tokyo",
        currency: "JPY",
        services: &[
            ("Breakfast", PerPersonNight, 2_200),
            ("Station pick-up", PerStay, 3_000),
            ("Tea ceremony", PerPerson, 4_500),
        ],
        hotels: &[
            DemoHotel {
                name: "Kamogawa House",
                latitude: 35.0046,
                longitude: 135.7707,
                rooms: &[
                    Room("Semi-double", 2, 0, 2, 16, 14_800),
                    Room("River twin", 2, 1, 3, 10, 21_500),
                    Room("Corner triple", 3, 1, 4, 4, 28_000),
                ],
            },
            DemoHotel {
                name: "Ryokan Momiji",
                latitude: 35.0037,
                longitude: 135.7788,
                rooms: &[
                    Room("Eight-mat room", 2, 1, 3, 6, 32_000),
                    Room("Ten-mat room with garden", 4, 2, 5, 4, 46_000),
                    Room("Suite with open-air bath", 2, 0, 2, 2, 78_000),
                ],
            },
            DemoHotel {
                name: "Nishijin Lofts",
                latitude: 35.0283,
                longitude: 135.7493,
                rooms: &[
                    Room("Loft", 2, 1, 3, 9, 18_600),
                    Room("Townhouse", 4, 3, 6, 3, 39_000),
                    Room("Single studio", 1, 0, 1, 7, 9_800),
                    Room("Weaver's studio", 2, 0, 2, 5, 16_400),
                ],
            },
        ],
    },
    City {
        name: "Toronto",
        country: "CA",
        timezone: "America/Toronto",
        currency: "CAD",
        services: &[
            ("Breakfast buffet", PerPersonNight, 2_600),
            ("Airport pick-up", PerStay, 7_500),
            ("Valet parking", PerNight, 4_900),
        ],
        hotels: &[
            DemoHotel {
                name: "The Lakeshore",
                latitude: 43.6395,
                longitude: -79.3808,
                rooms: &[
                    Room("Queen", 2, 1, 3, 30, 21_900),
                    Room("Two queens", 4, 2, 4, 24, 25_900),
                    Room("King with lake view", 2, 1, 3, 12, 31_900),
                    Room("Harbour suite", 3, 2, 5, 4, 52_900),
                ],
            },
            DemoHotel {
                name: "Distillery Inn",
                latitude: 43.6503,
                longitude: -79.3596,
                rooms: &[
                    Room("Brick queen", 2, 0, 2, 10, 18_900),
                    Room("Mezzanine king", 2, 1, 3, 6, 24_900),
                    Room("Family loft", 4, 2, 5, 3, 33_900),
                ],
            },
            DemoHotel {
                name: "Queen West Rooms",
                latitude: 43.6471,
                longitude: -79.4058,
                rooms: &[
                    Room("Pocket single", 1, 0, 1, 12, 11_900),
                    Room("Double", 2, 0, 2, 18, 15_900),
                    Room("Bunk room for four", 4, 3, 4, 5, 22_900),
                ],
            },
        ],
    },
    City {
        name: "Nairobi",
        country: "KE",
        timezone: "Africa/Nairobi",
        currency: "KES",
        services: &[
            ("Breakfast", PerPersonNight, 150_000),
            ("Airport pick-up", PerStay, 350_000),
            ("Guided park visit", PerPerson, 900_000),
        ],
        hotels: &[
            DemoHotel {
                name: "Jacaranda Gardens",
                latitude: -1.2634,
                longitude: 36.8047,
                rooms: &[
                    Room("Garden double", 2, 1, 3, 16, 1_150_000),
                    Room("Garden twin", 2, 1, 3, 12, 1_150_000),
                    Room("Cottage", 4, 3, 6, 4, 2_450_000),
                ],
            },
            DemoHotel {
                name: "Ngong View Lodge",
                latitude: -1.3576,
                longitude: 36.7208,
                rooms: &[
                    Room("Tented room", 2, 1, 3, 8, 1_890_000),
                    Room("Hillside suite", 2, 2, 4, 5, 2_950_000),
                    Room("Family banda", 4, 4, 7, 3, 3_650_000),
                ],
            },
            DemoHotel {
                name: "Railway Residence",
                latitude: -1.2902,
                longitude: 36.8276,
                rooms: &[
                    Room("Standard single", 1, 0, 1, 14, 690_000),
                    Room("Standard double", 2, 0, 2, 22, 890_000),
                    Room("Executive double", 2, 1, 3, 8, 1_290_000),
                    Room("Executive suite", 2, 2, 4, 2, 2_190_000),
                ],
            },
        ],
    },
];
