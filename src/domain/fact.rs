//! Facts: the changes of a room type, in the order in which they were decided.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    Booking, Date, FactId, Night, NightDelta, RateNight, RatePlan, RatePlanId, RoomType, Run, Runs, Timestamp,
};

/// A decided change. The actor applies it in memory at once; it counts for others after the commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub id: FactId,
    /// Position in the history of its room type, counted from 1 without a gap.
    pub sequence: u64,
    pub at: Timestamp,
    pub change: Change,
}

/// What changed. Applying a change is deterministic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// A booking was made or changed.
    Booking { cause: Cause, booking: Arc<Booking>, deltas: Vec<NightDelta> },
    /// Capacity, restrictions or prices of nights were set.
    Nights {
        /// The nights with their new settings. Their `sold` and `held` are 0 here and stay unchanged.
        nights: Runs<Night>,
        #[serde(deserialize_with = "rates")]
        rates: Runs<(RatePlanId, RateNight)>,
        /// The name given to force a capacity below the rooms sold.
        forced_by: Option<String>,
    },
    /// The room type was changed.
    RoomType { room_type: RoomType },
    /// A rate plan was created or changed.
    RatePlan { plan: RatePlan },
}

/// Older events have `[plan, date, night]` instead of runs.
fn rates<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Runs<(RatePlanId, RateNight)>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Run(Date, Date, (RatePlanId, RateNight)),
        One(RatePlanId, Date, RateNight),
    }
    let stored = Vec::<Stored>::deserialize(deserializer)?;
    let runs = stored.into_iter().filter_map(|stored| match stored {
        Stored::Run(from, to, value) => Some(Run { from, to, value }),
        Stored::One(plan, date, night) => Run::of(date, (plan, night)),
    });
    Ok(runs.collect())
}

impl Change {
    /// Every name of a cause.
    pub const CAUSES: [&'static str; 13] = [
        "held",
        "booked",
        "confirmed",
        "amended",
        "released",
        "cancelled",
        "checked_in",
        "checked_out",
        "no_show",
        "expired",
        "nights_set",
        "room_type_set",
        "rate_plan_set",
    ];

    /// Stable name of the cause, for events and metrics.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Booking { cause, .. } => cause.name(),
            Self::Nights { .. } => "nights_set",
            Self::RoomType { .. } => "room_type_set",
            Self::RatePlan { .. } => "rate_plan_set",
        }
    }

    pub fn booking(&self) -> Option<&Arc<Booking>> {
        match self {
            Self::Booking { booking, .. } => Some(booking),
            _ => None,
        }
    }
}

/// What happened to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Held,
    Booked,
    Confirmed,
    Amended,
    Released,
    Cancelled,
    CheckedIn,
    CheckedOut,
    NoShow,
    Expired,
}

impl Cause {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Booked => "booked",
            Self::Confirmed => "confirmed",
            Self::Amended => "amended",
            Self::Released => "released",
            Self::Cancelled => "cancelled",
            Self::CheckedIn => "checked_in",
            Self::CheckedOut => "checked_out",
            Self::NoShow => "no_show",
            Self::Expired => "expired",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Amount;
    use super::super::testing::{PRICE, day, plan};
    use super::*;

    #[test]
    fn a_history_of_single_nights_is_still_read() {
        let plan = plan(1, PRICE).id;
        let dearer = RateNight { price: Some(Amount(15_000)), ..RateNight::default() };
        let old = json!({"type": "nights", "nights": [[day(1), Night::default()], [day(2), Night::default()]],
            "rates": [[plan, day(1), dearer], [plan, day(2), dearer]], "forced_by": null});
        let nights = [1, 2].map(|number| (day(number), Night::default())).into_iter().collect();
        let rates = [1, 2].map(|number| (day(number), (plan, dearer))).into_iter().collect();
        let change = Change::Nights { nights, rates, forced_by: None };
        assert_eq!(serde_json::from_value::<Change>(old).unwrap(), change);
        assert_eq!(serde_json::from_value::<Change>(serde_json::to_value(&change).unwrap()).unwrap(), change);
    }

    /// Every cause. One that is added does not compile in `place` until it has a place here.
    const ALL: [Cause; 10] = [
        Cause::Held,
        Cause::Booked,
        Cause::Confirmed,
        Cause::Amended,
        Cause::Released,
        Cause::Cancelled,
        Cause::CheckedIn,
        Cause::CheckedOut,
        Cause::NoShow,
        Cause::Expired,
    ];

    const fn place(cause: Cause) -> usize {
        match cause {
            Cause::Held => 0,
            Cause::Booked => 1,
            Cause::Confirmed => 2,
            Cause::Amended => 3,
            Cause::Released => 4,
            Cause::Cancelled => 5,
            Cause::CheckedIn => 6,
            Cause::CheckedOut => 7,
            Cause::NoShow => 8,
            Cause::Expired => 9,
        }
    }

    #[test]
    fn the_list_of_causes_has_every_cause_once() {
        assert_eq!(ALL.map(place), std::array::from_fn(|place| place));
        let of_bookings = ALL.map(Cause::name);
        let others = ["nights_set", "room_type_set", "rate_plan_set"];
        let mut names = [&of_bookings[..], &others].concat();
        let mut listed = Change::CAUSES.to_vec();
        names.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, names);
        let written = |cause: Cause| serde_json::to_value(cause).unwrap();
        assert!(ALL.iter().all(|cause| written(*cause) == cause.name()));
    }
}
