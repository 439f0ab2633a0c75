//! The one integration binary: a `mod` per subject.

mod sqlite_files;
mod store_contract;
