//! Isolation: finds the entries of a batch that the database refuses, by halving.
//!
//! This module sends nothing. A store asks for the next part, writes it behind a savepoint, and reports a refusal. A
//! refused part of one entry is the culprit; a larger part is halved. Later entries of the culprit's room type were
//! decided on top of it and are left out. All other entries are committed.
//!
//! Limit: a refused entry costs about twice the logarithm of the batch size in statements.

use std::ops::Range;

use super::error::{database_error, is_unfit};
use crate::store::{CommitEntry, Error, Verdict};

/// The search for what the database refuses in one batch.
pub struct Isolation<'b> {
    batch: &'b [CommitEntry],
    verdicts: Vec<Verdict>,
    /// Parts to be written, the first one last.
    untried: Vec<Range<usize>>,
}

impl<'b> Isolation<'b> {
    /// Begins with a batch that was refused as a whole, and the verdicts that it would have had.
    pub fn of(batch: &'b [CommitEntry], verdicts: Vec<Verdict>) -> Self {
        let mut isolation = Self { batch, verdicts, untried: Vec::new() };
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
        let mut accepted = part.clone().filter(|index| self.verdicts[*index] == Verdict::Committed);
        match (accepted.next(), accepted.next()) {
            (Some(culprit), None) => self.refuse(culprit, error),
            _ => self.divide(part),
        }
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
        self.verdicts[culprit] = if is_unfit(error) { Verdict::Unstorable } else { Verdict::Refused };
        let later = self.batch.iter().zip(&mut self.verdicts).skip(culprit + 1);
        for (_, verdict) in later.filter(|(entry, verdict)| entry.room_type == room_type && is_stored(verdict)) {
            *verdict = Verdict::Fenced;
        }
    }
}

fn is_stored(verdict: &Verdict) -> bool {
    *verdict == Verdict::Committed
}
