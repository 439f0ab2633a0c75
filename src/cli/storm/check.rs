//! Whether the server kept its word: its story, as the API tells it, against the storm's own account.
//!
//! Three questions. Is any night oversold? Is every acknowledged booking there, in the state that was acknowledged? And,
//! where the storm had a room type to itself (its sequence number moved by exactly the acknowledged writes), are the
//! rooms taken on each night exactly those that were acknowledged? A sequence number that moved by less has lost writes;
//! one that moved by more has had other guests.

use std::cmp::Ordering;
use std::time::Duration;

use anyhow::Context;
use backon::{ConstantBuilder, Retryable};
use futures_util::stream::{self, StreamExt};

use super::Ground;
use super::api::{Answer, Booking, Request};
use super::books::{Account, Moves};
use super::guest::Guest;
use super::site::{self, Target, View};
use crate::cli::progress;
use crate::domain::stay::days_between;

/// How often something is asked again before we give up, and how long we wait in between: a server may just be getting
/// up again.
const REPEATS: usize = 10;
const PAUSE: Duration = Duration::from_millis(300);
const AT_ONCE: usize = 32;
/// Findings that are named; further ones are only counted.
const NAMED: usize = 20;

/// What is wrong.
#[derive(Debug, Default)]
pub struct Findings {
    /// Nights with more rooms taken than there are.
    pub oversold: u64,
    /// Acknowledged bookings that are not there or not as acknowledged, nights that were not counted so, and room types
    /// with fewer writes than were acknowledged.
    pub lost: u64,
    /// Bookings that were not looked at, because there were too many to remember.
    pub unchecked: u64,
    /// Writes that nobody knows the outcome of, even now.
    pub unknown_outcome: u64,
    /// Room types whose nights say nothing, because others wrote too.
    shared: u64,
    named: Vec<String>,
}

impl Findings {
    pub fn is_clean(&self) -> bool {
        self.oversold == 0 && self.lost == 0
    }

    /// What people should know, line by line.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = self.named.clone();
        let mut note = |count: u64, what: &str| remarks.extend((count > 0).then(|| format!("{count} {what}")));
        note(self.unchecked, "bookings were too many to remember and were not read back");
        note(self.unknown_outcome, "writes are still without an answer");
        note(self.shared, "room types were written to by others too, so their nights could not be compared");
        remarks
    }

    fn oversold(&mut self, what: String) {
        self.oversold += 1;
        self.name(what);
    }

    fn lost(&mut self, what: String) {
        self.lost += 1;
        self.name(what);
    }

    fn name(&mut self, what: String) {
        if self.named.len() < NAMED {
            self.named.push(what);
        }
    }
}

/// Asks for everything again.
pub async fn check(ground: &Ground, guests: Vec<Guest>) -> anyhow::Result<Findings> {
    let mut findings = Findings { unknown_outcome: settle(ground, guests).await, ..Findings::default() };
    let account = ground.books.account();
    findings.unchecked = account.forgotten;
    for target in &ground.site.targets {
        let moves = account.room_types.get(&target.room_type).cloned().unwrap_or_default();
        if let Some((from, to)) = watched(target) {
            let look = || site::view(&ground.api.remote, target.room_type, from, to);
            let after = look.retry(patience()).await.context("the nights cannot be checked")?;
            compare(target, &after, &moves, &mut findings);
        }
    }
    read_back(ground, account, &mut findings).await?;
    Ok(findings)
}

/// Repeats the writes whose answers got lost, until they are answered; how many are not.
async fn settle(ground: &Ground, guests: Vec<Guest>) -> u64 {
    let settled = stream::iter(guests).map(async |mut guest| {
        let Some(request) = guest.unknown_outcome() else { return 0 };
        let answer = insist(ground, &request).await;
        guest.told(request, answer, &ground.books);
        u64::from(guest.unknown_outcome().is_some())
    });
    settled.buffer_unordered(AT_ONCE).fold(0, async |sum, open| sum + open).await
}

/// Sends something until there is an answer to it, or no more hope.
async fn insist(ground: &Ground, request: &Request) -> Answer {
    let ask = || async {
        let answer = ground.api.send(request).await;
        if answer.is_open() { Err(answer) } else { Ok(answer) }
    };
    ask.retry(patience()).await.unwrap_or_else(|open| open)
}

fn patience() -> ConstantBuilder {
    ConstantBuilder::default().with_delay(PAUSE).with_max_times(REPEATS)
}

/// The dates whose nights were looked at before.
fn watched(target: &Target) -> Option<(crate::domain::Date, crate::domain::Date)> {
    let nights = &target.before.nights;
    Some((nights.first()?.date, nights.last()?.date.tomorrow().ok()?))
}

/// The nights of a room type, before and after.
fn compare(target: &Target, after: &View, moves: &Moves, findings: &mut Findings) {
    for night in after.oversold() {
        findings.oversold(format!("room type {}: {} is oversold", target.room_type, night.date));
    }
    let (facts, acknowledged) = (after.sequence.saturating_sub(target.before.sequence), moves.count);
    match facts.cmp(&acknowledged) {
        Ordering::Less => {
            let room_type = target.room_type;
            return findings.lost(format!("room type {room_type}: {facts} writes are there, not {acknowledged}"));
        }
        Ordering::Greater => {
            findings.shared += 1;
            return;
        }
        Ordering::Equal => {}
    }
    let before = target.before.taken();
    for (date, taken) in after.taken() {
        let Some(before) = before.get(&date) else { continue };
        let acknowledged = before + moves.taken.get(&date).copied().unwrap_or_default();
        if taken != acknowledged {
            let room_type = target.room_type;
            findings.lost(format!("room type {room_type}: {taken} rooms are taken on {date}, not {acknowledged}"));
        }
    }
}

/// Reads every booking that is remembered.
async fn read_back(ground: &Ground, account: Account, findings: &mut Findings) -> anyhow::Result<()> {
    let bar = progress::bar(account.bookings.len() as u64, "reading back");
    let mut reads = stream::iter(account.bookings.into_values())
        .map(async |booking| (read(ground, &booking).await, booking))
        .buffer_unordered(AT_ONCE);
    while let Some((found, expected)) = reads.next().await {
        bar.inc(1);
        match found? {
            Some(found) if found == expected => {}
            Some(found) => {
                let (id, now, then) = (found.id, describe(&found), describe(&expected));
                findings.lost(format!("booking {id} is {now}, but {then} was acknowledged"));
            }
            None => findings.lost(format!("booking {} was acknowledged and is not there", expected.id)),
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// A booking as the server knows it, or that it does not.
async fn read(ground: &Ground, booking: &Booking) -> anyhow::Result<Option<Booking>> {
    let request = Request::Read { booking: booking.id, token: booking.manage_token.clone() };
    match insist(ground, &request).await {
        open if open.is_open() => anyhow::bail!("the bookings cannot be checked: the server does not answer"),
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

    fn target(before: View) -> Target {
        let (room_type, city) = (Uuid::from_u128(7), "Lisbon".to_owned());
        Target { room_type, city, guests: 2, first: date(2026, 6, 1), nights: 4, free: 2, before }
    }

    fn compared(before: View, after: &View, moves: &Moves) -> Findings {
        let mut findings = Findings::default();
        compare(&target(before), after, moves, &mut findings);
        findings
    }

    fn findings(before: View, after: &View, moves: &Moves) -> (u64, u64) {
        let findings = compared(before, after, moves);
        (findings.oversold, findings.lost)
    }

    fn one_booking() -> Moves {
        Moves { count: 1, taken: [(date(2026, 6, 2), 1)].into() }
    }

    #[test]
    fn what_was_acknowledged_and_nothing_else_is_taken() {
        assert_eq!(findings(june(5, &[1, 0, 0, 0]), &june(6, &[1, 1, 0, 0]), &one_booking()), (0, 0));
    }

    #[test]
    fn a_night_that_was_acknowledged_and_is_not_taken_is_lost() {
        assert_eq!(findings(june(5, &[1, 0, 0, 0]), &june(6, &[1, 0, 0, 0]), &one_booking()), (0, 1));
    }

    #[test]
    fn fewer_writes_than_were_acknowledged_are_a_loss() {
        let found = compared(june(5, &[1, 0, 0, 0]), &june(5, &[1, 1, 0, 0]), &one_booking());
        assert_eq!((found.lost, found.remarks().len()), (1, 1));
    }

    #[test]
    fn nights_that_could_not_be_compared_are_remarked_upon() {
        let found = compared(june(5, &[1, 0, 0, 0]), &june(9, &[2, 2, 2, 2]), &one_booking());
        assert!(found.is_clean());
        assert!(found.remarks()[0].contains("could not be compared"), "{:?}", found.remarks());
    }

    #[test]
    fn other_guests_explain_other_numbers_but_no_oversold_night() {
        assert_eq!(findings(june(5, &[1, 0, 0, 0]), &june(9, &[2, 2, 2, 2]), &one_booking()), (0, 0));
        assert_eq!(findings(june(5, &[1, 0, 0, 0]), &june(9, &[3, 2, 2, 2]), &one_booking()), (1, 0));
    }
}
