//! The contract of a store, written against its traits. Every sentence is run against every store: to add one, give it
//! a function like [`house::sqlite`] and a line in the macro.

mod claims;
mod commits;
mod feed;
pub mod house;
mod lists;
mod nights;
mod replay;
mod rooms;
mod search;

/// Runs sentences, each an `async fn(House)`, against every store.
macro_rules! contract {
    ($($sentence:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $sentence() {
                super::$sentence($crate::store_contract::house::sqlite().await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $sentence() {
                super::$sentence($crate::store_contract::house::postgres().await).await;
            })+
        }
    };
}
use contract;
