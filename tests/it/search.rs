//! The search index: it says what a brute-force reading of the store says, and follows whatever happens.

mod follow;
mod oracle;
mod places;
mod town;
