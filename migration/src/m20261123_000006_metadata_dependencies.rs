//! What packages depend on.

use sea_orm_migration::prelude::*;

use crate::columns::{big, drop_tables, id, index, key, number, reference, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dependencies = Table::create()
            .table("dependencies")
            .col(id())
            .col(key(manager, "name"))
            .col(key(manager, "version_pattern"))
            .to_owned();
        manager.create_table(dependencies).await?;
        manager.create_index(unique("dependencies", &["name", "version_pattern"])).await?;
        let links = Table::create()
            .table("dependency_links")
            .col(id())
            .col(big("package_id"))
            .col(big("dependency_id"))
            .col(number("dependency_type"))
            .col(key(manager, "scope"))
            .foreign_key(&mut reference(
                "dependency_links",
                "package_id",
                "packages",
                ForeignKeyAction::Cascade,
            ))
            .foreign_key(&mut reference(
                "dependency_links",
                "dependency_id",
                "dependencies",
                ForeignKeyAction::Restrict,
            ))
            .to_owned();
        manager.create_table(links).await?;
        let columns = ["package_id", "dependency_id", "dependency_type", "scope"];
        manager.create_index(unique("dependency_links", &columns)).await?;
        manager.create_index(index("dependency_links", &["dependency_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["dependency_links", "dependencies"]).await
    }
}
