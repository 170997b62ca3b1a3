//! How many duplicated files the packages of a project keep.

use sea_orm_migration::prelude::*;

use crate::columns::{drop_tables, index, instant, instant_null, number, reference};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut project = ColumnDef::new("project_id");
        project.big_integer().not_null().primary_key();
        let policies = Table::create()
            .table("packages_cleanup_policies")
            .col(project)
            // 0 keeps all of them.
            .col(number("keep_n_duplicated_package_files"))
            .col(instant_null("next_run_at"))
            .col(instant("updated_at"))
            .foreign_key(&mut reference(
                "packages_cleanup_policies",
                "project_id",
                "projects",
                ForeignKeyAction::Cascade,
            ))
            .to_owned();
        manager.create_table(policies).await?;
        manager.create_index(index("packages_cleanup_policies", &["next_run_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["packages_cleanup_policies"]).await
    }
}
