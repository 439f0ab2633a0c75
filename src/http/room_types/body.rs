//! The body of a room type, and its rules.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::calendar::MAX_ROOMS;
use crate::domain::text;
use crate::domain::violation::Violations;
use crate::domain::{HotelId, Occupancy, RoomType, RoomTypeId, Violation};
use crate::http::value::whole;

/// The largest overbooking allowance. The negative value is the smallest.
pub const MAX_ALLOWANCE: i16 = MAX_ROOMS as i16;

/// A new room type.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRoomType)]
pub struct RoomTypeBody {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// The most guests of 18 or more years in one room.
    #[schema(minimum = 1, maximum = 100)]
    pub max_adults: i64,
    #[schema(minimum = 0, maximum = 100)]
    pub max_children: i64,
    /// The most adults and children together in one room.
    #[schema(minimum = 1, maximum = 100)]
    pub max_occupancy: i64,
    /// The number of physical rooms of this type.
    #[schema(minimum = 0, maximum = 10000)]
    pub rooms: i64,
    /// Rooms that may be sold beyond the physical rooms. A negative number keeps rooms back.
    #[schema(default = 0, minimum = -10000, maximum = 10000)]
    pub overbooking_allowance: Option<i64>,
}

/// A room type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoomType)]
pub struct RoomTypeView {
    #[schema(value_type = uuid::Uuid)]
    pub id: RoomTypeId,
    #[schema(value_type = uuid::Uuid)]
    pub hotel_id: HotelId,
    #[serde(flatten)]
    pub room_type: RoomTypeBody,
}

impl RoomTypeBody {
    /// The room type, or all violations. A name that equals the `present` one is kept: it may be older than its rule.
    pub fn check(
        self,
        id: RoomTypeId,
        hotel_id: HotelId,
        present: Option<&RoomType>,
    ) -> Result<RoomType, Vec<Violation>> {
        let mut violations = Violations::default();
        let people = |value, min, pointer: &str| whole(value, min, Occupancy::MAX_PEOPLE, pointer, "occupancy_range");
        let allowance = self.overbooking_allowance.unwrap_or_default();
        let beyond = "/overbooking_allowance";

        let kept = present.map(|room_type| room_type.name.as_str());
        let name = violations.keep(text::line_unless_kept(&self.name, kept, RoomType::MAX_NAME, "/name"));
        let max_adults = violations.keep(people(self.max_adults, 1, "/max_adults"));
        let max_children = violations.keep(people(self.max_children, 0, "/max_children"));
        let max_occupancy = violations.keep(people(self.max_occupancy, 1, "/max_occupancy"));
        let rooms = violations.keep(whole(self.rooms, 0, MAX_ROOMS, "/rooms", "rooms_range"));
        let allowance = violations.keep(whole(allowance, -MAX_ALLOWANCE, MAX_ALLOWANCE, beyond, "allowance_range"));

        let room_type = (|| {
            let occupancy =
                Occupancy { max_adults: max_adults?, max_children: max_children?, max_occupancy: max_occupancy? };
            Some(RoomType { id, hotel_id, name: name?, occupancy, rooms: rooms?, overbooking_allowance: allowance? })
        })();
        violations.finish(room_type)
    }
}

impl From<&RoomType> for RoomTypeBody {
    fn from(room_type: &RoomType) -> Self {
        Self {
            name: room_type.name.clone(),
            max_adults: room_type.occupancy.max_adults.into(),
            max_children: room_type.occupancy.max_children.into(),
            max_occupancy: room_type.occupancy.max_occupancy.into(),
            rooms: room_type.rooms.into(),
            overbooking_allowance: Some(room_type.overbooking_allowance.into()),
        }
    }
}

impl From<&RoomType> for RoomTypeView {
    fn from(room_type: &RoomType) -> Self {
        Self { id: room_type.id, hotel_id: room_type.hotel_id, room_type: room_type.into() }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn double() -> RoomTypeBody {
        RoomTypeBody {
            name: "Double".into(),
            max_adults: 2,
            max_children: 1,
            max_occupancy: 3,
            rooms: 10,
            overbooking_allowance: None,
        }
    }

    fn check(body: RoomTypeBody) -> Result<RoomType, Vec<Violation>> {
        body.check(RoomTypeId(Uuid::nil()), HotelId(Uuid::nil()), None)
    }

    #[test]
    fn a_room_type_reads_back_as_it_was_written() {
        let room_type = check(double()).unwrap();
        assert_eq!(check(RoomTypeBody::from(&room_type)).unwrap(), room_type);
    }

    #[test]
    fn an_unchanged_name_is_not_checked_by_a_newer_rule() {
        let stored = RoomType { name: "Double\u{200F}".into(), ..check(double()).unwrap() };
        let body = RoomTypeBody::from(&stored);
        assert_eq!(body.check(stored.id, stored.hotel_id, Some(&stored)).as_ref(), Ok(&stored));
        assert_eq!(check(RoomTypeBody::from(&stored)).unwrap_err()[0].pointer, "/name");
    }

    #[test]
    fn all_violations_are_reported_together() {
        let wrong = RoomTypeBody {
            name: String::new(),
            max_adults: 0,
            max_children: -1,
            max_occupancy: 101,
            rooms: 10_001,
            overbooking_allowance: Some(i64::MIN),
        };
        assert_eq!(check(wrong).unwrap_err().len(), 6);
    }
}
