//! Leases of simulated nodes: they end unnoticed, are lost, or cannot be acquired.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use async_trait::async_trait;
use innkeeper::domain::RoomTypeId;
use innkeeper::lease::{Acquired, Asked, Lease, Peer, Revoked, Token, Unavailable, Why, preferred};
use tokio::time::{Instant, sleep};

use crate::dice::Dice;

/// The TTL of a lease. It is short, so that leases end during a few requests.
const TTL: Duration = Duration::from_millis(200);
/// Longer than that.
const FROZEN: Duration = Duration::from_millis(600);

/// The leases as Redis stores them.
pub struct Table {
    rows: Mutex<BTreeMap<RoomTypeId, Row>>,
    nodes: Vec<Peer>,
    dice: Arc<Dice>,
    /// Whether it may lose its memory. Then an owner may be replaced that is certain of its lease.
    pub forgets: bool,
}

#[derive(Clone, Copy)]
struct Row {
    fence: i64,
    /// The node that has the lease, with the token `fence`, and its end.
    owner: Option<(usize, Instant)>,
}

impl Table {
    pub fn of(nodes: u64, dice: &Arc<Dice>) -> Arc<Self> {
        let peer = |number| Peer { node: format!("node-{number}").parse().unwrap(), url: "".into() };
        let (nodes, forgets) = ((0..nodes).map(peer).collect(), dice.chance(50));
        Arc::new(Self { rows: Mutex::default(), nodes, dice: dice.clone(), forgets })
    }

    /// The number of this node.
    pub fn number(&self, peer: &Peer) -> usize {
        self.nodes.iter().position(|node| node == peer).expect("only nodes have leases")
    }

    /// A random delay, no answer, or a loss of memory, if this Redis may lose it.
    async fn reach(&self) -> Result<(), Unavailable> {
        self.dice.nap(10).await;
        if self.forgets && self.dice.fault(1) && self.dice.chance(20) {
            self.dice.saw("all leases are forgotten");
            self.rows().clear();
        }
        match self.dice.fault(1) {
            true => Err(Unavailable::Unanswered(anyhow!("simulated: Redis does not answer"))),
            false => Ok(()),
        }
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<RoomTypeId, Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The leases of one node.
pub struct SimulatedLease {
    me: usize,
    /// Reports everything as confirmed.
    always_certain: bool,
    table: Arc<Table>,
    /// Granted leases that were not released, and the time of their last confirmation.
    held: Mutex<BTreeMap<RoomTypeId, (Token, Option<Instant>)>>,
}

impl SimulatedLease {
    pub fn of_node(me: usize, table: &Arc<Table>, always_certain: bool) -> Self {
        Self { me, always_certain, table: table.clone(), held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<RoomTypeId, (Token, Option<Instant>)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token above `floor`, unless another node has the lease.
    fn grant(&self, room_type: RoomTypeId, floor: i64, asked: Instant) -> Result<Token, usize> {
        let mut rows = self.table.rows();
        let row = rows.entry(room_type).or_insert(Row { fence: 0, owner: None });
        match row.owner {
            Some((owner, until)) if owner != self.me && until > Instant::now() => return Err(owner),
            Some((owner, _)) if owner != self.me => self.table.dice.saw("a lease runs out"),
            _ => {}
        }
        row.fence = row.fence.max(floor) + 1;
        row.owner = Some((self.me, Instant::now() + TTL));
        let token = Token(row.fence);
        self.held().insert(room_type, (token, Some(asked)));
        Ok(token)
    }

    /// A lease that was never released continues with a token of the node itself.
    fn go_on(&self, room_type: RoomTypeId) -> Option<Token> {
        let mut held = self.held();
        let (token, confirmed) = held.get_mut(&room_type).filter(|_| self.table.dice.chance(70))?;
        (token.0, *confirmed) = (token.0 + 1, None);
        self.table.dice.saw("an ownership goes on by itself");
        Some(*token)
    }

    /// Whether this node still has the lease. A lost lease is set again.
    fn renew(&self, room_type: RoomTypeId, token: Token) -> bool {
        let mut rows = self.table.rows();
        let row = rows.entry(room_type).or_insert(Row { fence: 0, owner: None });
        let others = matches!(row.owner, Some((owner, _)) if owner != self.me);
        if !others && row.fence <= token.0 {
            *row = Row { fence: token.0, owner: Some((self.me, Instant::now() + TTL)) };
            if let Some((_, confirmed)) = self.held().get_mut(&room_type).filter(|(held, _)| *held == token) {
                *confirmed = Some(Instant::now());
            }
            return true;
        }
        false
    }
}

#[async_trait]
impl Lease for SimulatedLease {
    async fn acquire(&self, room_type: RoomTypeId, asked: Asked) -> Result<Acquired, Unavailable> {
        let asked_at = Instant::now();
        if let Err(away) = self.table.reach().await {
            return self.go_on(room_type).map(Acquired::Granted).ok_or(away);
        }
        let is_free = self.table.rows().get(&room_type).is_none_or(|row| row.owner.is_none());
        if is_free && asked == Asked::Here && !self.belongs_here(room_type) {
            let to = preferred(room_type, &self.table.nodes).expect("there are nodes");
            return Ok(Acquired::Elsewhere(to.clone()));
        }
        let granted = self.grant(room_type, 0, asked_at);
        // The lease may have been granted although the answer is lost.
        self.table.reach().await?;
        Ok(granted.map_or_else(|owner| Acquired::Elsewhere(self.table.nodes[owner].clone()), Acquired::Granted))
    }

    async fn raise(&self, room_type: RoomTypeId, seen: Token) -> Result<Token, Unavailable> {
        let asked_at = Instant::now();
        self.table.reach().await?;
        self.table.dice.saw("a token is raised");
        self.grant(room_type, seen.0, asked_at)
            .map_err(|_| Unavailable::Unanswered(anyhow!("simulated: another node has the lease")))
    }

    fn is_certain(&self, room_type: RoomTypeId, token: Token) -> bool {
        let asked_at = self.held().get(&room_type).filter(|(held, _)| *held == token).and_then(|(_, asked)| *asked);
        self.always_certain || asked_at.is_some_and(|asked_at| asked_at.elapsed() < TTL)
    }

    fn release(&self, room_type: RoomTypeId, token: Token) {
        let mut held = self.held();
        if held.get(&room_type).is_some_and(|(held, _)| *held == token) {
            held.remove(&room_type);
        }
        // A release that does not arrive leaves the lease to its TTL.
        if let Some(row) = self.table.rows().get_mut(&room_type)
            && matches!(row.owner, Some((owner, _)) if owner == self.me)
            && row.fence == token.0
            && !self.table.dice.fault(1)
        {
            row.owner = None;
        }
    }

    fn forget(&self, room_type: RoomTypeId, token: Token) {
        self.release(room_type, token);
    }

    fn belongs_here(&self, room_type: RoomTypeId) -> bool {
        preferred(room_type, &self.table.nodes) == Some(&self.table.nodes[self.me])
    }

    /// A random node: a hint may be wrong.
    fn last_found(&self, _: RoomTypeId) -> Option<Peer> {
        let guess = &self.table.nodes[self.table.dice.below(self.table.nodes.len())];
        self.table.dice.fault(1).then(|| guess.clone())
    }

    async fn revoked(&self) -> Vec<Revoked> {
        loop {
            let frozen = self.table.dice.fault(2);
            sleep(if frozen { FROZEN } else { TTL / 3 }).await;
            let held: Vec<_> = self.held().iter().map(|(room_type, (token, _))| (*room_type, *token)).collect();
            let mut revoked = Vec::new();
            for (room_type, token) in held {
                let lost = !self.renew(room_type, token);
                // Sometimes an owner is asked to move although it is the preferred node.
                if lost {
                    self.held().remove(&room_type);
                    self.table.dice.saw("a lease is lost");
                    revoked.push(Revoked { room_type, token, why: Why::Lost });
                } else if self.table.dice.fault(1) {
                    revoked.push(Revoked { room_type, token, why: Why::Misplaced });
                }
            }
            if !revoked.is_empty() {
                return revoked;
            }
        }
    }
}
