//! Integration tests: the real application, its real program and a real SQLite file each. One binary, so that it is
//! linked once.

mod app;
mod cli_config;
mod cli_errors;
mod cli_export;
mod cli_serve;
mod crash;
mod engine;
mod import;
mod race;
mod support;
