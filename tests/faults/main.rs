//! x

mod checker;
mod link;
mod story;
mod truth;
