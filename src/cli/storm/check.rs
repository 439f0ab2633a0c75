//! The check after a storm: the API's answers against the acknowledged writes.
//!
//! 1. No night is oversold.
//! 2. Every acknowledged booking exists, in the state that was acknowledged.
//! 3. The rooms taken on each night are exactly those that were acknowledged.
//!
//! The third check needs a room type that only the storm wrote to: its sequence number grew by the number of acknowledged
//! writes. When it grew by less, writes were lost. When it grew by more, other clients wrote too, and the nights are not
//! compared.

use std::cmp::Ordering;
use std::time::Duration;

use anyhow::Context;
use backon::{ConstantBuilder, Retryable};
use futures_util::stream::{self, StreamExt};

use super::Shared;
use super::acknowledged::{Totals, Writes};
use super::api::{Answer, Booking, Request};
use super::guest::Guest;
use super::targets::{Target, oversold, taken};
use crate::cli::progress;
use crate::client::Availability;
use crate::domain::Date;
use crate::domain::stay::days_between;

/// The number of repeats of a request, and the pause between them. A server may just be restarting.
const REPEATS: usize = 10;
const PAUSE: Duration = Duration::from_millis(300);
const AT_ONCE: usize = 32;
/// The largest number of findings that are described. All are counted.
const DESCRIBED: usize = 20;

/// The result of the check.
#[derive(Debug, Default)]
pub struct Findings {
    /// Nights with more rooms taken than the capacity.
    pub oversold: u64,
    /// Acknowledged bookings that are missing or different, nights with other numbers, and room types with fewer writes
    /// than were acknowledged.
    pub lost: u64,
    /// Bookings that were not read back, because they were too many.
    pub unchecked: u64,
    /// Writes with an outcome that is still unknown.
    pub unknown_outcome: u64,
    /// Room types that other clients wrote to. Their nights were not compared.
    shared: u64,
    described: Vec<String>,
}

impl Findings {
    pub fn is_clean(&self) -> bool {
        self.oversold == 0 && self.lost == 0
    }

    /// Remarks for the user, one per line.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = self.described.clone();
        let mut note = |count: u64, what: &str| remarks.extend((count > 0).then(|| format!("{count} {what}")));
        note(self.unchecked, "bookings were beyond the limit and were not read back");
        note(self.unknown_outcome, "writes have no answer: their outcome is unknown");
        note(self.shared, "room types were changed by other clients too, so their nights could not be compared");
        remarks
    }

    fn oversold(&mut self, what: String) {
        self.oversold += 1;
        self.describe(what);
    }

    fn lost(&mut self, what: String) {
        self.lost += 1;
        self.describe(what);
    }

    fn describe(&mut self, what: String) {
        if self.described.len() < DESCRIBED {
            self.described.push(what);
        }
    }
}

/// Checks all room types and all bookings that were kept.
pub async fn check(shared: &Shared, guests: Vec<Guest>) -> anyhow::Result<Findings> {
    let mut findings = Findings { unknown_outcome: repeat_unanswered(shared, guests).await, ..Findings::default() };
    let totals = shared.acknowledged.take();
    findings.unchecked = totals.not_kept;
    for target in &shared.targets.0 {
        let writes = totals.room_types.get(&target.room_type).cloned().unwrap_or_default();
        if let Some((from, to)) = dates(target) {
            let read = || shared.api.client.availability(target.room_type, from, to).send();
            let after = read.retry(repeats()).await.context("the nights cannot be checked")?;
            compare(target, &after, &writes, &mut findings);
        }
    }
    read_back(shared, totals, &mut findings).await?;
    Ok(findings)
}

/// Repeats the writes with an unknown outcome. Returns how many still have no answer.
async fn repeat_unanswered(shared: &Shared, guests: Vec<Guest>) -> u64 {
    let answered = stream::iter(guests).map(async |mut guest| {
        let Some(request) = guest.unknown_outcome() else { return 0 };
        let answer = send_until_answered(shared, &request).await;
        guest.receive(request, answer, &shared.acknowledged);
        u64::from(guest.unknown_outcome().is_some())
    });
    answered.buffer_unordered(AT_ONCE).fold(0, async |sum, open| sum + open).await
}

/// Repeats a request until its outcome is known, within the limit of repeats.
async fn send_until_answered(shared: &Shared, request: &Request) -> Answer {
    let send = || async {
        let answer = shared.api.send(request).await;
        if answer.is_unknown_outcome() { Err(answer) } else { Ok(answer) }
    };
    send.retry(repeats()).await.unwrap_or_else(|unknown| unknown)
}

fn repeats() -> ConstantBuilder {
    ConstantBuilder::default().with_delay(PAUSE).with_max_times(REPEATS)
}

/// The dates that were read before the storm.
fn dates(target: &Target) -> Option<(Date, Date)> {
    let nights = &target.before.nights;
    Some((nights.first()?.date, nights.last()?.date.tomorrow().ok()?))
}

/// Compares the nights of a room type before and after the storm.
fn compare(target: &Target, after: &Availability, writes: &Writes, findings: &mut Findings) {
    for night in oversold(after) {
        findings.oversold(format!("room type {}: {} is oversold", target.room_type, night.date));
    }
    let (facts, acknowledged) = (after.sequence.saturating_sub(target.before.sequence), writes.count);
    match facts.cmp(&acknowledged) {
        Ordering::Less => {
            let room_type = target.room_type;
            return findings
                .lost(format!("room type {room_type}: {acknowledged} writes were acknowledged, and {facts} exist"));
        }
        Ordering::Greater => {
            findings.shared += 1;
            return;
        }
        Ordering::Equal => {}
    }
    let before = taken(&target.before);
    for (date, taken) in taken(after) {
        let Some(before) = before.get(&date) else { continue };
        let acknowledged = before + writes.taken.get(&date).copied().unwrap_or_default();
        if taken != acknowledged {
            let room_type = target.room_type;
            findings.lost(format!(
                "room type {room_type}: {taken} rooms are taken on {date}, but {acknowledged} were acknowledged"
            ));
        }
    }
}

/// Reads every booking that was kept.
async fn read_back(shared: &Shared, totals: Totals, findings: &mut Findings) -> anyhow::Result<()> {
    let bar = progress::bar(totals.bookings.len() as u64, "reading back");
    let mut reads = stream::iter(totals.bookings.into_values())
        .map(async |booking| (read(shared, &booking).await, booking))
        .buffer_unordered(AT_ONCE);
    while let Some((found, expected)) = reads.next().await {
        bar.inc(1);
        match found? {
            Some(found) if found == expected => {}
            Some(found) => {
                let (id, now, then) = (found.id, describe(&found), describe(&expected));
                findings.lost(format!("booking {id} is {now}, but {then} was acknowledged"));
            }
            None => findings.lost(format!("booking {} was acknowledged and does not exist", expected.id)),
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// The booking at the server, if it exists.
async fn read(shared: &Shared, booking: &Booking) -> anyhow::Result<Option<Booking>> {
    let request = Request::Read { booking: booking.id, token: booking.manage_token.clone() };
    match send_until_answered(shared, &request).await {
        answer if answer.is_unknown_outcome() => {
            anyhow::bail!("the bookings cannot be checked: the server does not answer")
        }
        Answer::Accepted(found) => Ok(found),
        Answer::Refused | Answer::Failed(_) | Answer::Lost => Ok(None),
    }
}

fn describe(booking: &Booking) -> String {
    let Booking { status, checkin_date, checkout_date, rooms, .. } = booking;
    format!("{status}, {rooms} rooms, {checkin_date}, {} nights", days_between(*checkin_date, *checkout_date))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use uuid::Uuid;

    use super::super::testing::june;
    use super::*;

    fn target(before: Availability) -> Target {
        let (room_type, city) = (Uuid::from_u128(7), "Lisbon".to_owned());
        Target { room_type, city, guests: 2, first: date(2026, 6, 1), nights: 4, free: 2, before }
    }

    fn compared(before: Availability, after: &Availability, writes: &Writes) -> Findings {
        let mut findings = Findings::default();
        compare(&target(before), after, writes, &mut findings);
        findings
    }

    fn findings(before: Availability, after: &Availability, writes: &Writes) -> (u64, u64) {
        let findings = compared(before, after, writes);
        (findings.oversold, findings.lost)
    }

    fn one_booking() -> Writes {
        Writes { count: 1, taken: [(date(2026, 6, 2), 1)].into() }
    }

    #[test]
    fn acknowledged_rooms_and_no_others_are_taken() {
        assert_eq!(findings(june(5, &[1, 0, 0, 0]), &june(6, &[1, 1, 0, 0]), &one_booking()), (0, 0));
    }

    #[test]
    fn an_acknowledged_night_that_is_not_taken_is_lost() {
        assert_eq!(findings(june(5, &[1, 0, 0, 0]), &june(6, &[1, 0, 0, 0]), &one_booking()), (0, 1));
    }

    #[test]
    fn fewer_writes_than_acknowledged_are_a_loss() {
        let found = compared(june(5, &[1, 0, 0, 0]), &june(5, &[1, 1, 0, 0]), &one_booking());
        assert_eq!((found.lost, found.remarks().len()), (1, 1));
    }

    #[test]
    fn nights_that_could_not_be_compared_are_reported() {
        let found = compared(june(5, &[1, 0, 0, 0]), &june(9, &[2, 2, 2, 2]), &one_booking());
        assert!(found.is_clean());
        assert!(found.remarks()[0].contains("could not be compared"), "{:?}", found.remarks());
    }

    #[test]
    fn other_clients_explain_other_numbers_but_no_oversold_night() {
        assert_eq!(findings(june(5, &[1, 0, 0, 0]), &june(9, &[2, 2, 2, 2]), &one_booking()), (0, 0));
        assert_eq!(findings(june(5, &[1, 0, 0, 0]), &june(9, &[3, 2, 2, 2]), &one_booking()), (1, 0));
    }
}
