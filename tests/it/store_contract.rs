//! The contract of a store, written against its traits. Every sentence runs against every store. To add a store, give
//! it a function like [`fixture::sqlite`] and a line in the macro.

mod claims;
mod commits;
mod feed;
pub mod fixture;
mod lists;
mod nights;
mod records;
mod replay;
mod rooms;
mod schema;
mod search;

/// Runs sentences, each an `async fn(StoreFixture)`, against every store.
macro_rules! contract {
    ($($sentence:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $sentence() {
                super::$sentence($crate::store_contract::fixture::sqlite().await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $sentence() {
                super::$sentence($crate::store_contract::fixture::postgres().await).await;
            })+
        }
    };
}
use contract;
