//! The lease, claim and commit protocol under a model checker: every order of every step, two nodes, one room, two
//! nights.
//!
//! Read [`protocol`] to learn how several nodes share the room types of one database without ever selling a night twice:
//! it has a function per step, in the order in which a booking takes them, and then what can go wrong; [`memory`] has those
//! that store nothing. [`world`] is what exists, [`promises`] what must hold, [`check`] lets everything happen that can.
//!
//! The checker also shows what each rule is for. Without it, it finds the shortest way to break a promise:
//! `cargo test --test model without -- --nocapture` tells these stories.

mod check;
mod explain;
mod memory;
mod promises;
mod protocol;
mod requests;
mod world;

use rstest::rstest;
use stateright::{Checker, Expectation, HasDiscoveries, Model};

use check::Step;
use promises::{COUNTED, NEVER_OVERSOLD, NO_IS_FOUNDED, ONE_EFFECT, SAID_IS_STORED};
use protocol::{Protocol, Rule};
use requests::{A_CANCELLATION, RIVALS, Requests};
use world::{Token, World};

/// With three ownerships in a row, a node that was taken over from comes back as the next owner. Wider bounds take longer
/// than a test should, and so does everything at once.
#[rstest]
#[case::three_owners(RIVALS, 3, false)]
#[case::doubts(RIVALS, 2, true)]
#[case::a_cancellation(A_CANCELLATION, 2, true)]
fn whatever_happens_every_promise_holds(#[case] requests: Requests, #[case] tokens: Token, #[case] late: bool) {
    let sound = Protocol { requests, tokens, late, without: None };
    let checker = sound.checker().symmetry_fn(World::representative).threads(2).spawn_dfs().join();
    assert!(checker.is_done(), "every world was seen");
    let mut discoveries = checker.discoveries();
    for property in sound.properties() {
        match (property.expectation, discoveries.remove(property.name)) {
            (Expectation::Sometimes, None) => panic!("never happens: {}", property.name),
            (Expectation::Sometimes, Some(_)) | (_, None) => {}
            (_, Some(path)) => panic!("not true: {}\n{}", property.name, explain::tell(&sound, path.into_vec())),
        }
    }
}

#[rstest]
#[case(Rule::CommitChecksToken, RIVALS, NEVER_OVERSOLD)]
#[case(Rule::CommitChecksSequence, A_CANCELLATION, NEVER_OVERSOLD)]
#[case(Rule::CommitChecksKey, A_CANCELLATION, ONE_EFFECT)]
#[case(Rule::CommitSeesTheLast, RIVALS, COUNTED)]
#[case(Rule::ClaimBeforeLoad, RIVALS, NEVER_OVERSOLD)]
#[case(Rule::ClaimWaits, RIVALS, NEVER_OVERSOLD)]
#[case(Rule::RefusalWaits, RIVALS, NO_IS_FOUNDED)]
#[case(Rule::LookAgain, RIVALS, NO_IS_FOUNDED)]
#[case(Rule::Confirm, RIVALS, SAID_IS_STORED)]
#[case(Rule::CertaintyEnds, RIVALS, SAID_IS_STORED)]
fn without_one_of_its_rules_a_promise_is_broken(
    #[case] rule: Rule,
    #[case] requests: Requests,
    #[case] promise: &'static str,
) {
    let broken = Protocol { requests, tokens: 2, late: rule == Rule::CommitSeesTheLast, without: Some(rule) };
    let path = shortest(&broken, promise).unwrap_or_else(|| panic!("{rule:?} is not needed for: {promise}"));
    println!("Without {rule:?} it is not true that {promise}:\n{}", explain::tell(&broken, path));
}

/// The shortest way to break a promise. The checker tells of the last one it has met, so it is asked to go no deeper
/// than one step more each time.
fn shortest(protocol: &Protocol, promise: &'static str) -> Option<Vec<(World, Option<Step>)>> {
    let mut worlds_seen = 0;
    for depth in 1.. {
        let checker = protocol.checker().finish_when(HasDiscoveries::AnyOf([promise].into())).target_max_depth(depth);
        let checker = checker.spawn_bfs().join();
        if let Some(path) = checker.discovery(promise) {
            return Some(path.into_vec());
        }
        if checker.unique_state_count() == worlds_seen {
            return None;
        }
        worlds_seen = checker.unique_state_count();
    }
    None
}
