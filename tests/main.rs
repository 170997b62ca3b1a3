//! What spans crates: the architecture, the schema, every route, access across protocols, memory, real clients.
//!
//! One binary, so that one link serves all of it. What concerns one format stands in that format's folder.

mod access_matrix;
mod architecture;
mod audit_log;
mod audit_trail;
mod blob_collection;
mod bulk_delete;
mod cleanup;
mod clients;
mod dependencies;
mod doors;
mod frontend;
mod gitlab_schema;
mod http;
mod job_tokens;
mod jobs;
mod lists;
mod open_door;
mod operations;
mod package_settings;
mod package_storage;
mod protection;
mod protocol;
mod publishing;
mod reach;
mod replicas;
mod rest_pages;
mod rest_parameters;
mod restart;
mod retention;
mod route_audit;
mod schema;
mod server;
mod storage;
mod streaming;
mod switches;
mod token_ends;
mod tokens;
mod tombstones;
mod trusted_publishing;
mod world;
