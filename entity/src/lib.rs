//! The tables, as sea-orm sees them: one module per table, columns only.
//!
//! Used by `store` and nobody else. What must not go in here: rules, conversions into domain values, queries. The schema
//! itself is made by `migration`, which does not know this crate.

pub mod access_token;
pub mod audit_event;
pub mod background_job;
pub mod blob;
pub mod bot;
pub mod ci_job;
pub mod cleanup_policy;
pub mod dependency;
pub mod dependency_link;
pub mod deploy_token;
pub mod format_setting;
pub mod instance_setting;
pub mod job_token_allowance;
pub mod member;
pub mod namespace;
pub mod namespace_ancestor;
pub mod package;
pub mod package_document;
pub mod package_file;
pub mod package_flag;
pub mod package_fragment;
pub mod package_name;
pub mod package_setting;
pub mod package_tag;
pub mod pipeline;
pub mod project;
pub mod protection_rule;
pub mod signing_key;
pub mod trusted_publisher;
pub mod user;
pub mod user_identity;
pub mod user_password;
pub mod user_session;
