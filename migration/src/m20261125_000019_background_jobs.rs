//! Work that servers do beside requests: which there is, who does it, and how the last runs went.

use sea_orm_migration::prelude::*;

use crate::columns::{
    big, big_null, drop_tables, id, index, instant, instant_null, json, key, key_null, number, reference,
    text_null, unique,
};

const JOBS: &str = "background_jobs";
const RUNS: &str = "background_job_runs";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let jobs = Table::create()
            .table(JOBS)
            .col(id())
            .col(key(manager, "name"))
            .col(key(manager, "kind"))
            .col(big_null("project_id"))
            .col(big_null("namespace_id"))
            .col(big_null("every_seconds"))
            .col(instant_null("run_at"))
            .col(json("progress"))
            .col(big("claims"))
            .col(big("failures"))
            .col(key_null(manager, "locked_by"))
            .col(instant_null("locked_until"))
            .col(text_null("last_error"))
            .col(instant("created_at"))
            .col(instant("updated_at"))
            .foreign_key(&mut reference(JOBS, "project_id", "projects", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference(JOBS, "namespace_id", "namespaces", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(jobs).await?;
        manager.create_index(unique(JOBS, &["name"])).await?;
        manager.create_index(index(JOBS, &["run_at"])).await?;
        manager.create_index(index(JOBS, &["locked_until"])).await?;
        let runs = Table::create()
            .table(RUNS)
            .col(id())
            .col(big("job_id"))
            .col(number("status"))
            .col(key(manager, "worker"))
            .col(json("result"))
            .col(text_null("error"))
            .col(instant("started_at"))
            .col(instant_null("finished_at"))
            .foreign_key(&mut reference(RUNS, "job_id", JOBS, ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(runs).await?;
        manager.create_index(index(RUNS, &["job_id", "id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &[RUNS, JOBS]).await
    }
}
