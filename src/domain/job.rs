//! Which fact causes which jobs.
//!
//! A job is a task that must be done at least once after its cause is durable, such as sending a message. The store
//! writes the jobs of a fact in the commit of the fact: a job is never lost, and never runs without its cause.

use serde::{Deserialize, Serialize};

use super::{BookingId, Cause, Change, Fact, HotelId};

/// A task, with what it needs to know. It reads everything else when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    pub kind: JobKind,
    /// The hotel that the job belongs to; `None`: the installation.
    pub tenant: Option<HotelId>,
    pub payload: JobPayload,
}

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Confirms a booking to its guest.
    BookingConfirmation,
    /// Tells the guest how a booking has changed.
    BookingChange,
    /// Tells the guest that a booking is cancelled.
    BookingCancellation,
}

/// A booking as a fact has left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPayload {
    pub booking_id: BookingId,
    /// Sequence number of the fact that caused the job.
    pub sequence: u64,
}

/// The jobs that a fact causes.
pub fn caused_by(fact: &Fact) -> Vec<Job> {
    let Change::Booking { cause, booking, .. } = &fact.change else { return Vec::new() };
    let kind = match cause {
        Cause::Booked | Cause::Confirmed => JobKind::BookingConfirmation,
        Cause::Amended => JobKind::BookingChange,
        Cause::Cancelled => JobKind::BookingCancellation,
        Cause::Held | Cause::Released | Cause::Expired | Cause::CheckedIn | Cause::CheckedOut | Cause::NoShow => {
            return Vec::new();
        }
    };
    let payload = JobPayload { booking_id: booking.id, sequence: fact.sequence };
    vec![Job { kind, tenant: Some(booking.hotel_id), payload }]
}

impl Job {
    /// At most one job with this key is ever stored: a fact that is written twice causes its jobs once.
    pub fn dedup_key(&self) -> String {
        let JobPayload { booking_id, sequence } = self.payload;
        format!("{}:{booking_id}:{sequence}", self.kind.name())
    }
}

impl JobKind {
    pub const ALL: [Self; 3] = [Self::BookingConfirmation, Self::BookingChange, Self::BookingCancellation];

    /// The name under which the kind is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BookingConfirmation => "booking_confirmation",
            Self::BookingChange => "booking_change",
            Self::BookingCancellation => "booking_cancellation",
        }
    }

    /// Jobs with a lower number run first.
    pub const fn priority(self) -> i16 {
        match self {
            Self::BookingConfirmation | Self::BookingChange | Self::BookingCancellation => 0,
        }
    }

    /// How often a job is tried before it waits for an operator.
    pub const fn max_attempts(self) -> i32 {
        match self {
            Self::BookingConfirmation | Self::BookingChange | Self::BookingCancellation => 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::{book, fact_id, inventory, nights_change, noon, order, plan, room_type, run, stay};
    use super::super::{Amount, Booking, Command};
    use super::*;

    /// A booked stay, and the fact that booked it.
    fn booked() -> (Arc<Booking>, Fact) {
        let fact = run(&mut inventory(3), book(1, order(stay(1, 2), 1), noon(0)), noon(0)).unwrap();
        (fact.change.booking().unwrap().clone(), Fact::clone(&fact))
    }

    fn kinds(cause: Cause) -> Vec<&'static str> {
        let (booking, fact) = booked();
        let change = Change::Booking { cause, booking, deltas: Vec::new() };
        caused_by(&Fact { change, ..fact }).iter().map(|job| job.kind.name()).collect()
    }

    #[test]
    fn the_guest_is_told_of_what_the_guest_must_know() {
        let told = [
            (Cause::Booked, "booking_confirmation"),
            (Cause::Confirmed, "booking_confirmation"),
            (Cause::Amended, "booking_change"),
            (Cause::Cancelled, "booking_cancellation"),
        ];
        for (cause, kind) in told {
            assert_eq!(kinds(cause), [kind], "{cause:?}");
        }
        use Cause::{CheckedIn, CheckedOut, Expired, Held, NoShow, Released};
        for cause in [Held, Released, Expired, CheckedIn, CheckedOut, NoShow] {
            assert_eq!(kinds(cause), Vec::<&str>::new(), "{cause:?}");
        }
    }

    #[test]
    fn a_job_names_its_hotel_its_booking_and_its_fact() {
        let (booking, fact) = booked();
        let [job] = caused_by(&fact)[..] else { panic!("one job") };
        assert_eq!((job.tenant, job.payload.booking_id), (Some(booking.hotel_id), booking.id));
        assert_eq!(job.dedup_key(), format!("booking_confirmation:{}:{}", booking.id, fact.sequence));
        let again = Fact { id: fact_id(77), sequence: fact.sequence + 1, ..fact };
        assert_ne!(caused_by(&again)[0].dedup_key(), job.dedup_key(), "another fact causes another job");
    }

    #[test]
    fn settings_cause_no_job() {
        let mut inventory = inventory(3);
        let commands = [
            Command::SetNights(nights_change(1, 2)),
            Command::SetRoomType(room_type(5)),
            Command::SetRatePlan(plan(2, Amount(9_000))),
        ];
        for command in commands {
            assert_eq!(caused_by(&run(&mut inventory, command, noon(0)).unwrap()), []);
        }
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let names: std::collections::HashSet<_> = JobKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), JobKind::ALL.len());
    }
}
