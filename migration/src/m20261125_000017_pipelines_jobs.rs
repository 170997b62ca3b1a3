//! Pipelines, the tokens of their jobs, who lets whose jobs in, and what pipelines published.

use sea_orm_migration::prelude::*;

use crate::columns::{
    big, big_null, drop_tables, id, index, instant, instant_null, key, reference, text, text_null, unique,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let pipelines = Table::create()
            .table("pipelines")
            .col(id())
            .col(big("project_id"))
            .col(big("iid"))
            .col(key(manager, "reference"))
            .col(key(manager, "sha"))
            .col(key(manager, "source"))
            .col(text_null("web_url"))
            .col(big_null("user_id"))
            .col(instant("created_at"))
            .col(instant("updated_at"))
            .foreign_key(&mut reference("pipelines", "project_id", "projects", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("pipelines", "user_id", "users", ForeignKeyAction::SetNull))
            .to_owned();
        manager.create_table(pipelines).await?;
        manager.create_index(unique("pipelines", &["project_id", "iid"])).await?;
        let jobs = Table::create()
            .table("ci_jobs")
            .col(id())
            .col(big("pipeline_id"))
            .col(big("user_id"))
            .col(text("name"))
            .col(key(manager, "token_hash"))
            .col(instant("expires_at"))
            .col(instant_null("finished_at"))
            .col(instant_null("last_used_at"))
            .col(instant("created_at"))
            .foreign_key(&mut reference("ci_jobs", "pipeline_id", "pipelines", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("ci_jobs", "user_id", "users", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(jobs).await?;
        manager.create_index(unique("ci_jobs", &["token_hash"])).await?;
        manager.create_index(index("ci_jobs", &["pipeline_id"])).await?;
        allowlist(manager).await?;
        package_pipelines(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["package_pipelines", "job_token_allowances", "ci_jobs", "pipelines"]).await
    }
}

async fn allowlist(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = "job_token_allowances";
    let allowances = Table::create()
        .table(table)
        .col(id())
        .col(big("project_id"))
        .col(big("source_project_id"))
        .col(big_null("added_by_id"))
        .col(instant("created_at"))
        .foreign_key(&mut reference(table, "project_id", "projects", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference(table, "source_project_id", "projects", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference(table, "added_by_id", "users", ForeignKeyAction::SetNull))
        .to_owned();
    manager.create_table(allowances).await?;
    manager.create_index(unique(table, &["project_id", "source_project_id"])).await?;
    manager.create_index(index(table, &["source_project_id", "project_id"])).await
}

async fn package_pipelines(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = "package_pipelines";
    let published = Table::create()
        .table(table)
        .col(big("package_id"))
        .col(big("pipeline_id"))
        .col(instant("created_at"))
        .primary_key(Index::create().col("package_id").col("pipeline_id"))
        .foreign_key(&mut reference(table, "package_id", "packages", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference(table, "pipeline_id", "pipelines", ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(published).await?;
    manager.create_index(index(table, &["pipeline_id"])).await
}
