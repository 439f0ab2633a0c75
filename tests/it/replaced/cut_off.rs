//! An owner that cannot reach the store must give up its room types.

use innkeeper::engine::Error;
use innkeeper::lease::{Membership, Revoked, Why};

use super::Rivals;
use crate::support::app::in_system as run;
use crate::support::eventually::eventually;
use crate::support::unreliable_journal::Commit;

#[test]
fn it_gives_up_at_once_although_a_commit_hangs() {
    run(async {
        let rivals = Rivals::meet(true).await;
        rivals.journal.next_commit(Commit::HangsLostBefore);
        let followed = async {
            rivals.journal.hangs().await;
            let (room_type, token) = (rivals.room_type, rivals.token());
            rivals.lease.revoke(Revoked { room_type, token, why: Why::CutOff });
            let let_go = async || rivals.lease.lease.holdings(None, 1).is_empty();
            eventually("it lets go", let_go).await;
            let booked = rivals.book(&rivals.new).await;
            rivals.journal.release();
            booked
        };
        let (begun, followed) = tokio::join!(rivals.book(&rivals.old), followed);
        assert!(matches!(begun, Err(Error::Interrupted)), "{begun:?}");
        assert_eq!(followed.unwrap().status.name(), "confirmed");
    });
}
