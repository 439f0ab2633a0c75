//! Placement: which node should own a free room type.
//!
//! Rendezvous hashing (Thaler and Ravishankar, 1998): every node has a weight for every room type, and the highest weight is
//! preferred. Nodes with the same view agree without communication. When a node joins or leaves, only its own share moves.
//! A preference is no permission: if nodes disagree, the lease decides.

use sha2::{Digest, Sha256};

use super::{NodeId, Peer};
use crate::domain::RoomTypeId;

/// The preferred node of a room type; `None` if there are no nodes.
pub fn preferred<'a>(room_type: RoomTypeId, nodes: impl IntoIterator<Item = &'a Peer>) -> Option<&'a Peer> {
    nodes.into_iter().max_by_key(|peer| (weight(&peer.node, room_type), &peer.node))
}

/// Equal on every machine and in every version.
fn weight(node: &NodeId, room_type: RoomTypeId) -> [u8; 8] {
    let digest = Sha256::new().chain_update(room_type.0.as_bytes()).chain_update(node.as_str()).finalize();
    let mut weight = [0; 8];
    weight.copy_from_slice(&digest[..8]);
    weight
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn nodes(count: usize) -> Vec<Peer> {
        let peer = |n| Peer { node: format!("node-{n}").parse().unwrap(), url: format!("http://node-{n}").into() };
        (0..count).map(peer).collect()
    }

    fn room_types() -> impl Iterator<Item = RoomTypeId> {
        (0..10_000_u128).map(|n| RoomTypeId(Uuid::from_u128(n)))
    }

    #[test]
    fn the_share_of_every_node_is_fair() {
        let nodes = nodes(5);
        for node in &nodes {
            let share = room_types().filter(|id| preferred(*id, &nodes) == Some(node)).count();
            // 2,000 expected with a standard deviation of 40.
            assert!((1_800..=2_200).contains(&share), "{}: {share}", node.node);
        }
    }

    #[test]
    fn without_nodes_nobody_is_preferred() {
        assert_eq!(preferred(RoomTypeId(Uuid::nil()), &[]), None);
    }

    #[test]
    fn the_choice_is_the_same_in_every_version() {
        let nodes = nodes(3);
        let chosen: Vec<_> = room_types().take(6).map(|id| preferred(id, &nodes).unwrap().node.as_str()).collect();
        // While a cluster is upgraded, old nodes and new ones must agree.
        assert_eq!(chosen, ["node-0", "node-0", "node-2", "node-1", "node-2", "node-2"]);
    }

    proptest! {
        #[test]
        fn when_a_node_goes_only_its_own_room_types_move(count in 2_usize..8, gone in 0_usize..8, id: u128) {
            let (all, id) = (nodes(count), RoomTypeId(Uuid::from_u128(id)));
            let gone = &all[gone % count];
            let left: Vec<&Peer> = all.iter().filter(|peer| *peer != gone).collect();
            let before = preferred(id, &all).unwrap();
            let after = preferred(id, left).unwrap();
            prop_assert!(before == after || before == gone);
        }

        #[test]
        fn the_order_in_which_nodes_are_known_does_not_matter(count in 1_usize..8, id: u128) {
            let (all, id) = (nodes(count), RoomTypeId(Uuid::from_u128(id)));
            prop_assert_eq!(preferred(id, &all), preferred(id, all.iter().rev()));
        }
    }
}
