//! Verdicts: which entries of a batch may be stored.

use std::collections::HashMap;

use data_encoding::HEXLOWER;

use super::{Changes, Columns, IdempotencyRow};
use crate::domain::catalogue::Zone;
use crate::domain::{Date, RoomTypeId, Timestamp};
use crate::lease::Token;
use crate::store::{CommitEntry, Error, KeyDigest, Verdict};

/// What the store knows about the room types and the idempotency keys of a batch.
#[derive(Default)]
pub struct BatchState {
    room_types: HashMap<RoomTypeId, Owned>,
    /// The expiry of each used key.
    idempotency: HashMap<KeyDigest, Timestamp>,
}

struct Owned {
    token: Token,
    sequence: u64,
    zone: Zone,
}

impl BatchState {
    /// Reads the row of `check.sql`.
    pub fn read(row: &impl Columns) -> Result<Self, Error> {
        let room_types: Vec<(RoomTypeId, i64, u64, Zone)> = row.json("room_types")?;
        let owned = |(id, token, sequence, zone)| (id, Owned { token: Token(token), sequence, zone });
        let idempotency: Vec<(String, i64)> = row.json("used_keys")?;
        let idempotency =
            idempotency.iter().map(|(key, expires_at)| record(key, *expires_at)).collect::<Result<_, _>>()?;
        Ok(Self { room_types: room_types.into_iter().map(owned).collect(), idempotency })
    }

    /// One verdict per entry, in order. When an entry is left out, later entries of its room type are fenced: they were
    /// decided on top of it.
    pub fn judge(&self, batch: &[CommitEntry]) -> Vec<Verdict> {
        let mut last: HashMap<RoomTypeId, u64> =
            self.room_types.iter().map(|(id, owned)| (*id, owned.sequence)).collect();
        let mut taken: HashMap<KeyDigest, Timestamp> = HashMap::new();
        let mut verdicts = Vec::with_capacity(batch.len());
        for entry in batch {
            let verdict = match last.get(&entry.room_type) {
                Some(last) if *last == entry.after() && self.owns(entry) => match &entry.record {
                    Some((key, _)) if self.is_used(key, &taken, entry.fact.at) => Verdict::Duplicate,
                    _ => Verdict::Committed,
                },
                _ => Verdict::Fenced,
            };
            if verdict == Verdict::Committed {
                last.insert(entry.room_type, entry.fact.sequence);
                taken.extend(entry.record.as_ref().map(|(key, record)| (*key, record.expires_at)));
            } else {
                last.remove(&entry.room_type);
            }
            verdicts.push(verdict);
        }
        verdicts
    }

    /// Whether a room type was found.
    pub fn has(&self, room_type: RoomTypeId) -> bool {
        self.room_types.contains_key(&room_type)
    }

    /// The changes of the accepted entries.
    pub fn changes<'a>(&self, batch: &'a [CommitEntry], verdicts: &[Verdict]) -> Changes<'a> {
        let mut changes = Changes::default();
        for (entry, verdict) in batch.iter().zip(verdicts) {
            if let (Verdict::Committed, Some(today)) = (verdict, self.today(entry)) {
                changes.add(entry, today);
            }
        }
        changes
    }

    /// Keys that are used again, and when their old records expired.
    pub fn reused(&self, idempotency: &[IdempotencyRow<'_>]) -> Vec<(KeyDigest, Timestamp)> {
        let known = |record: &IdempotencyRow<'_>| {
            let (key, expires_at) = self.idempotency.get_key_value(&KeyDigest(record.key))?;
            Some((*key, *expires_at))
        };
        idempotency.iter().filter_map(known).collect()
    }

    /// The hotel's date when the entry's fact was decided.
    fn today(&self, entry: &CommitEntry) -> Option<Date> {
        self.room_types.get(&entry.room_type).map(|owned| owned.zone.date(entry.fact.at))
    }

    fn owns(&self, entry: &CommitEntry) -> bool {
        self.room_types.get(&entry.room_type).is_some_and(|owned| owned.token == entry.token)
    }

    /// Whether a key is used, in the store or earlier in this batch. An expired key counts as unused.
    fn is_used(&self, key: &KeyDigest, taken: &HashMap<KeyDigest, Timestamp>, at: Timestamp) -> bool {
        taken.get(key).or_else(|| self.idempotency.get(key)).is_some_and(|expires_at| *expires_at > at)
    }
}

fn record(key: &str, expires_at: i64) -> Result<(KeyDigest, Timestamp), Error> {
    let corrupt = |error: anyhow::Error| {
        Error::Corrupt(error.context("idempotency_records.key or idempotency_records.expires_at"))
    };
    let digest = HEXLOWER.decode(key.as_bytes()).map_err(|error| corrupt(error.into()))?;
    let digest = digest.try_into().map_err(|_| corrupt(anyhow::anyhow!("a key has 32 bytes")))?;
    let expires_at = Timestamp::from_microsecond(expires_at).map_err(|error| corrupt(error.into()))?;
    Ok((KeyDigest(digest), expires_at))
}
