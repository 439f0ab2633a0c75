//! Integration tests: the real application, its real program and a real SQLite file each. One binary, so that it is
//! linked once.

mod app;
mod cli_config;
mod cli_errors;
mod cli_export;
mod cli_serve;
mod crash;
mod engine;
mod http_bookings;
mod http_catalogue;
mod http_docs;
mod http_edges;
mod http_nights;
mod http_search;
mod import;
mod race;
mod search;
mod sqlite_files;
mod store_contract;
mod support;
