//! Integration tests: the real application, its real program and a real SQLite file each. One binary, so that it is
//! linked once.

mod app;
mod cli_config;
mod cli_errors;
mod cli_export;
mod cli_serve;
mod cli_storm;
mod cli_verify;
mod cli_watch;
mod crash;
mod engine;
mod events;
mod events_live;
mod failures;
mod http_bookings;
mod http_catalogue;
mod http_catalogue_changes;
mod http_docs;
mod http_edges;
mod http_nights;
mod http_policies;
mod http_search;
mod import;
mod postgres_down;
mod postgres_open;
mod postgres_store;
mod postgres_tls;
mod race;
mod search;
mod sqlite_files;
mod store_contract;
mod support;
mod tail;
mod ws_limits;
mod ws_live;
mod ws_stories;
