//! Isolation: finds the entries of a batch that the database refuses or a lock blocks, by halving.
//!
//! This module sends nothing. A store asks for the next part, writes it behind a savepoint, and reports a refusal or a
//! lock. Such a part of one entry is the culprit; a larger part is halved. Later entries of the culprit's room type were
//! decided on top of it and are left out. All other entries are committed.
//!
//! Limit: a culprit costs about twice the logarithm of the batch size in statements.

use std::collections::BTreeSet;
use std::iter;
use std::ops::Range;

use super::error::{database_error, is_unfit};
use crate::domain::RoomTypeId;
use crate::store::{CommitEntry, Error, Verdict};

/// The search for what the database refuses in one batch.
pub struct Isolation<'b> {
    batch: &'b [CommitEntry],
    verdicts: Vec<Verdict>,
    /// Parts to be written, the first one last.
    untried: Vec<Range<usize>>,
    /// Room types that need a locked row.
    locked: BTreeSet<RoomTypeId>,
}

impl<'b> Isolation<'b> {
    /// Begins with the whole batch as the first part, and the verdicts that it would have.
    pub fn of(batch: &'b [CommitEntry], verdicts: Vec<Verdict>) -> Self {
        Self { batch, verdicts, untried: iter::once(0..batch.len()).collect(), locked: BTreeSet::new() }
    }

    /// Begins with the two halves of a batch that was refused as a whole.
    pub fn of_refused(batch: &'b [CommitEntry], verdicts: Vec<Verdict>) -> Self {
        let mut isolation = Self { batch, verdicts, untried: Vec::new(), locked: BTreeSet::new() };
        isolation.divide(0..batch.len());
        isolation
    }

    /// The next part to be written. All parts before it are written or refused.
    pub fn next_part(&mut self) -> Option<Range<usize>> {
        self.untried.pop()
    }

    pub fn entries(&self, part: &Range<usize>) -> &'b [CommitEntry] {
        &self.batch[part.clone()]
    }

    pub fn verdicts(&self, part: &Range<usize>) -> &[Verdict] {
        &self.verdicts[part.clone()]
    }

    /// How many entries before a part are stored.
    pub fn stored_before(&self, part: &Range<usize>) -> usize {
        self.verdicts[..part.start].iter().filter(|verdict| **verdict == Verdict::Committed).count()
    }

    /// The database refused this part.
    pub fn refused(&mut self, part: Range<usize>, error: &Error) {
        match self.culprit(&part) {
            Some(culprit) => self.refuse(culprit, error),
            None => self.divide(part),
        }
    }

    /// Another program has locked a row that this part needs.
    pub fn blocked(&mut self, part: Range<usize>) {
        match self.culprit(&part) {
            Some(culprit) => {
                let room_type = self.batch[culprit].room_type;
                tracing::warn!(%room_type, "another program has locked a row that a room type needs; the others are stored");
                self.locked.insert(room_type);
                self.leave_out(culprit, Verdict::Fenced);
            }
            None => self.divide(part),
        }
    }

    /// The room types that need a locked row.
    pub fn locked(&self) -> &BTreeSet<RoomTypeId> {
        &self.locked
    }

    /// The one accepted entry of a part, if there is just one.
    fn culprit(&self, part: &Range<usize>) -> Option<usize> {
        let mut accepted = part.clone().filter(|index| self.verdicts[*index] == Verdict::Committed);
        accepted.next().filter(|_| accepted.next().is_none())
    }

    pub fn into_verdicts(self) -> Vec<Verdict> {
        self.verdicts
    }

    /// Halves a part between its first and last accepted entry. A single entry stays whole.
    fn divide(&mut self, part: Range<usize>) {
        let is_accepted = |index: &usize| self.verdicts[*index] == Verdict::Committed;
        let (first, last) = (part.clone().find(is_accepted), part.rev().find(is_accepted));
        let Some((first, last)) = first.zip(last) else { return };
        let middle = (first + last).div_ceil(2);
        self.untried.push(middle..last + 1);
        if first < middle {
            self.untried.push(first..middle);
        }
    }

    /// The log names the constraint or the type of the column. It never shows the row, which has a guest's data.
    fn refuse(&mut self, culprit: usize, error: &Error) {
        let room_type = self.batch[culprit].room_type;
        let said = database_error(error);
        let (code, constraint) = (said.and_then(|said| said.code()), said.and_then(|said| said.constraint()));
        tracing::error!(%room_type, ?code, constraint, "the database refused one entry; the others are stored");
        self.leave_out(culprit, if is_unfit(error) { Verdict::Unstorable } else { Verdict::Refused });
    }

    /// Leaves an entry out, and the later ones of its room type.
    fn leave_out(&mut self, culprit: usize, verdict: Verdict) {
        let room_type = self.batch[culprit].room_type;
        self.verdicts[culprit] = verdict;
        let later = self.batch.iter().zip(&mut self.verdicts).skip(culprit + 1);
        for (_, verdict) in later.filter(|(entry, verdict)| entry.room_type == room_type && is_stored(verdict)) {
            *verdict = Verdict::Fenced;
        }
    }
}

fn is_stored(verdict: &Verdict) -> bool {
    *verdict == Verdict::Committed
}
