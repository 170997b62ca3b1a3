//! Groups and users' own namespaces, projects, and who is a member where.

use sea_orm_migration::prelude::*;

use crate::columns::{
    big, big_null, day_null, drop_tables, id, index, instant, instant_null, key, number, partial_index,
    reference, text, unique,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        namespaces(manager).await?;
        projects(manager).await?;
        members(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["members", "projects", "namespace_ancestors", "namespaces"]).await
    }
}

async fn namespaces(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let namespaces = Table::create()
        .table("namespaces")
        .col(id())
        .col(number("kind"))
        .col(big_null("parent_id"))
        .col(big_null("owner_id"))
        .col(key(manager, "path"))
        .col(key(manager, "name"))
        .col(key(manager, "full_path"))
        .col(key(manager, "full_path_key"))
        .col(text("description"))
        .col(number("visibility"))
        .col(instant("created_at"))
        .col(instant("updated_at"))
        .col(instant_null("deleted_at"))
        .foreign_key(&mut reference("namespaces", "parent_id", "namespaces", ForeignKeyAction::Restrict))
        .foreign_key(&mut reference("namespaces", "owner_id", "users", ForeignKeyAction::Restrict))
        .to_owned();
    manager.create_table(namespaces).await?;
    manager.create_index(unique("namespaces", &["full_path_key"])).await?;
    manager.create_index(index("namespaces", &["parent_id"])).await?;
    manager.create_index(index("namespaces", &["owner_id"])).await?;
    let ancestors = Table::create()
        .table("namespace_ancestors")
        .col(big("ancestor_id"))
        .col(big("descendant_id"))
        .col(ColumnDef::new("depth").integer().not_null())
        .primary_key(Index::create().col("ancestor_id").col("descendant_id"))
        .foreign_key(&mut reference(
            "namespace_ancestors",
            "ancestor_id",
            "namespaces",
            ForeignKeyAction::Cascade,
        ))
        .foreign_key(&mut reference(
            "namespace_ancestors",
            "descendant_id",
            "namespaces",
            ForeignKeyAction::Cascade,
        ))
        .to_owned();
    manager.create_table(ancestors).await?;
    manager.create_index(index("namespace_ancestors", &["descendant_id", "ancestor_id"])).await
}

async fn projects(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let projects = Table::create()
        .table("projects")
        .col(id())
        .col(big("namespace_id"))
        .col(key(manager, "path"))
        .col(key(manager, "name"))
        .col(key(manager, "full_path"))
        .col(key(manager, "full_path_key"))
        .col(text("description"))
        .col(number("visibility"))
        .col(number("registry_access_level"))
        .col(big_null("creator_id"))
        .col(instant("created_at"))
        .col(instant("updated_at"))
        .col(instant_null("deleted_at"))
        .foreign_key(&mut reference("projects", "namespace_id", "namespaces", ForeignKeyAction::Restrict))
        .foreign_key(&mut reference("projects", "creator_id", "users", ForeignKeyAction::SetNull))
        .to_owned();
    manager.create_table(projects).await?;
    manager.create_index(unique("projects", &["full_path_key"])).await?;
    manager.create_index(index("projects", &["namespace_id"])).await?;
    manager.create_index(index("projects", &["creator_id"])).await?;
    // Which groups have a project whose registry is open to everyone: asked with every group, true for few projects.
    partial_index(
        manager,
        "INDEX ix_projects_open_registry",
        "projects (namespace_id)",
        "registry_access_level = 30 AND deleted_at IS NULL",
    )
    .await
}

async fn members(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let members = Table::create()
        .table("members")
        .col(id())
        .col(big_null("namespace_id"))
        .col(big_null("project_id"))
        .col(big("user_id"))
        .col(number("access_level"))
        .col(day_null("expires_at"))
        .col(big_null("created_by_id"))
        .col(instant("created_at"))
        .foreign_key(&mut reference("members", "namespace_id", "namespaces", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("members", "project_id", "projects", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("members", "user_id", "users", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("members", "created_by_id", "users", ForeignKeyAction::SetNull))
        .check(Expr::cust("(namespace_id IS NULL) <> (project_id IS NULL)"))
        .to_owned();
    manager.create_table(members).await?;
    manager.create_index(unique("members", &["namespace_id", "user_id"])).await?;
    manager.create_index(unique("members", &["project_id", "user_id"])).await?;
    manager.create_index(index("members", &["user_id"])).await
}
