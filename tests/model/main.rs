//! The lease, claim and commit protocol under a model checker: every order of every step, with two nodes, one room and
//! two nights.
//!
//! Read [`protocol`] to learn how several nodes share the room types of one database without selling a night twice. It
//! has one function per step, in the order of a booking, and then the failures. [`memory`] has the steps that store
//! nothing. [`world`] is the state, [`promises`] are the invariants, and [`check`] tries every step.
//!
//! The checker also shows the purpose of each rule. Without it, the checker finds the shortest way to break a promise:
//! `cargo test --test model without -- --nocapture` prints these histories.

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
use promises::{COUNTED, NEVER_OVERSOLD, ONE_EFFECT, REFUSED_IS_RIGHT, SAID_IS_STORED};
use protocol::{Protocol, Rule};
use requests::{A_CANCELLATION, RIVALS, Requests};
use world::{Token, World};

/// With three ownerships in a row, a replaced node becomes the owner again. Wider bounds, or all options at once, take
/// too long for a test.
#[rstest]
#[case::three_owners(RIVALS, 3, false)]
#[case::unknown_outcomes(RIVALS, 2, true)]
#[case::a_cancellation(A_CANCELLATION, 2, true)]
fn every_promise_holds_in_every_order_of_steps(#[case] requests: Requests, #[case] tokens: Token, #[case] late: bool) {
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
#[case(Rule::RefusalWaits, RIVALS, REFUSED_IS_RIGHT)]
#[case(Rule::LookAgain, RIVALS, REFUSED_IS_RIGHT)]
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

/// The shortest way to break a promise. The checker reports the last one that it finds, so its depth grows by one step
/// at a time.
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
