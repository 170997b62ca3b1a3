//! The database schema, as reversible steps.
//!
//! Called by `server` (the `migrate` and `serve` commands) and `testkit`. The rules for writing a step stand in README.md.
//! What must not go in here: anything of ours — a step outlives the types it was written beside.

mod columns;
mod m20261123_000001_accounts;
mod m20261123_000002_groups_projects_members;
mod m20261123_000003_tokens;
mod m20261123_000004_blobs_uploads;
mod m20261123_000005_packages_files_tags;
mod m20261123_000006_metadata_dependencies;
mod m20261123_000007_settings_rules_policies;
mod m20261123_000009_jobs_keys;
mod m20261123_000011_package_settings;
mod m20261123_000012_audit_events;
mod m20261125_000013_protection_rules;
mod m20261125_000014_group_registry;
mod m20261125_000015_cleanup_policies;
mod m20261125_000016_resource_tokens;
mod m20261125_000017_pipelines_jobs;
mod m20261125_000018_trusted_publishers;
mod m20261125_000019_background_jobs;
mod m20261125_000020_blob_removal;
mod m20261125_000021_retention_policies;
mod m20261126_000022_sign_in;
mod m20261126_000024_refusals_publishers;

#[cfg(test)]
mod tests;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DatabaseConnection, DbBackend, TransactionTrait},
};

/// Every step, in order.
#[derive(Clone, Copy, Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_accounts::Migration),
            Box::new(m20261123_000002_groups_projects_members::Migration),
            Box::new(m20261123_000003_tokens::Migration),
            Box::new(m20261123_000004_blobs_uploads::Migration),
            Box::new(m20261123_000005_packages_files_tags::Migration),
            Box::new(m20261123_000006_metadata_dependencies::Migration),
            Box::new(m20261123_000007_settings_rules_policies::Migration),
            Box::new(m20261123_000009_jobs_keys::Migration),
            Box::new(m20261123_000011_package_settings::Migration),
            Box::new(m20261123_000012_audit_events::Migration),
            Box::new(m20261125_000013_protection_rules::Migration),
            Box::new(m20261125_000014_group_registry::Migration),
            Box::new(m20261125_000015_cleanup_policies::Migration),
            Box::new(m20261125_000016_resource_tokens::Migration),
            Box::new(m20261125_000017_pipelines_jobs::Migration),
            Box::new(m20261125_000018_trusted_publishers::Migration),
            Box::new(m20261125_000019_background_jobs::Migration),
            Box::new(m20261125_000020_blob_removal::Migration),
            Box::new(m20261125_000021_retention_policies::Migration),
            Box::new(m20261126_000022_sign_in::Migration),
            Box::new(m20261126_000024_refusals_publishers::Migration),
        ]
    }
}

/// Brings the database up to date. On PostgreSQL, of several replicas that call it at once, one does the work and the others
/// wait; `connection` must then be a pool of two or more.
pub async fn migrate(connection: &DatabaseConnection) -> Result<(), DbErr> {
    if connection.get_database_backend() != DbBackend::Postgres {
        return Migrator::up(connection, None).await;
    }
    let lock = connection.begin().await?;
    lock.execute_unprepared("SELECT pg_advisory_xact_lock(20261123)").await?;
    Migrator::up(connection, None).await?;
    lock.commit().await
}

/// Names of the steps that the database does not have yet. Changes nothing: a new database lacks all of them.
pub async fn pending(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let steps = Migrator::get_pending_migrations_read_only(connection).await?;
    Ok(steps.iter().map(|step| step.name().to_owned()).collect())
}

/// Takes the last `steps` back, with what they hold.
pub async fn revert(connection: &DatabaseConnection, steps: u32) -> Result<(), DbErr> {
    Migrator::down(connection, Some(steps)).await
}
