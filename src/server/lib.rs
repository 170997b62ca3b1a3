//! The composition: command line, configuration, start and end of the process, the routes of everybody else.
//!
//! The only crate that sees every other one of ours, and the only one that prints. What must not go in here: anything that
//! decides about packages, or that a second door would need too.

mod boot;
mod cli;
mod config;
mod first_run;
mod http;
mod jobs;
mod shutdown;
mod stop;
mod telemetry;

#[cfg(test)]
mod tests;

pub use cli::run;
