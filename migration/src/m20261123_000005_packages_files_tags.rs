//! Package names, their versions, files, tags and flags, and the ready-made pieces of index documents.

use sea_orm_migration::prelude::*;

use crate::columns::{
    big, big_null, drop_tables, id, index, instant, instant_null, json, key, key_null, number, partial_index,
    reference, text, text_null, unique,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        package_names(manager).await?;
        packages(manager).await?;
        package_files(manager).await?;
        package_tags(manager).await?;
        package_flags(manager).await?;
        package_fragments(manager).await?;
        package_documents(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "package_documents",
                "package_fragments",
                "package_flags",
                "package_tags",
                "package_files",
                "packages",
                "package_names",
            ],
        )
        .await
    }
}

async fn package_names(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let package_names = Table::create()
        .table("package_names")
        .col(id())
        .col(big("project_id"))
        .col(number("format"))
        .col(key(manager, "name"))
        .col(key(manager, "name_key"))
        .col(big("revision"))
        .col(instant("created_at"))
        .col(instant("updated_at"))
        .foreign_key(&mut reference("package_names", "project_id", "projects", ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(package_names).await?;
    manager.create_index(unique("package_names", &["project_id", "format", "name_key"])).await?;
    manager.create_index(index("package_names", &["format", "name_key"])).await
}

async fn packages(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let packages = Table::create()
        .table("packages")
        .col(id())
        .col(big("name_id"))
        .col(big("project_id"))
        .col(number("format"))
        .col(key(manager, "name"))
        .col(key_null(manager, "version"))
        .col(key_null(manager, "version_key"))
        .col(key_null(manager, "version_order"))
        .col(number("status"))
        .col(text_null("status_message"))
        .col(json("metadata"))
        .col(text_null("deprecation"))
        .col(big_null("creator_id"))
        .col(big_null("deploy_token_id"))
        .col(instant("created_at"))
        .col(instant("updated_at"))
        .col(instant_null("last_downloaded_at"))
        .col(instant_null("deleted_at"))
        .foreign_key(&mut reference("packages", "name_id", "package_names", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("packages", "project_id", "projects", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("packages", "creator_id", "users", ForeignKeyAction::SetNull))
        .foreign_key(&mut reference(
            "packages",
            "deploy_token_id",
            "deploy_tokens",
            ForeignKeyAction::SetNull,
        ))
        .to_owned();
    manager.create_table(packages).await?;
    partial_index(
        manager,
        "UNIQUE INDEX ux_packages_version",
        "packages (name_id, version_key)",
        "deleted_at IS NULL",
    )
    .await?;
    partial_index(
        manager,
        "UNIQUE INDEX ux_packages_versionless",
        "packages (name_id)",
        "version_key IS NULL AND deleted_at IS NULL",
    )
    .await?;
    manager.create_index(index("packages", &["project_id", "created_at", "id"])).await?;
    manager.create_index(index("packages", &["project_id", "format", "name"])).await?;
    manager.create_index(index("packages", &["name_id"])).await
}

async fn package_files(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let package_files = Table::create()
        .table("package_files")
        .col(id())
        .col(big("package_id"))
        .col(big("blob_id"))
        .col(key(manager, "file_name"))
        .col(key_null(manager, "channel"))
        .col(json("properties"))
        .col(number("status"))
        .col(instant("created_at"))
        .col(instant("updated_at"))
        .col(instant_null("deleted_at"))
        .foreign_key(&mut reference("package_files", "package_id", "packages", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("package_files", "blob_id", "blobs", ForeignKeyAction::Restrict))
        .to_owned();
    manager.create_table(package_files).await?;
    manager.create_index(index("package_files", &["package_id", "file_name"])).await?;
    manager.create_index(index("package_files", &["blob_id"])).await
}

async fn package_tags(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let package_tags = Table::create()
        .table("package_tags")
        .col(id())
        .col(big("name_id"))
        .col(big("package_id"))
        .col(key(manager, "name"))
        .col(instant("created_at"))
        .col(instant("updated_at"))
        .col(instant_null("removed_at"))
        .foreign_key(&mut reference("package_tags", "name_id", "package_names", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("package_tags", "package_id", "packages", ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(package_tags).await?;
    partial_index(
        manager,
        "UNIQUE INDEX ux_package_tags_name",
        "package_tags (name_id, name)",
        "removed_at IS NULL",
    )
    .await?;
    manager.create_index(index("package_tags", &["package_id"])).await
}

async fn package_fragments(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let package_fragments = Table::create()
        .table("package_fragments")
        .col(big("package_id"))
        .col(big("file_id")) // 0 for the piece of the version as a whole
        .col(key(manager, "document"))
        .col(number("scope"))
        .col(text("body"))
        .primary_key(Index::create().col("package_id").col("file_id").col("document"))
        .foreign_key(&mut reference("package_fragments", "package_id", "packages", ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(package_fragments).await?;
    partial_index(
        manager,
        "INDEX ix_package_fragments_of_project",
        "package_fragments (document, package_id)",
        "scope = 1",
    )
    .await
}

async fn package_flags(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let package_flags = Table::create()
        .table("package_flags")
        .col(id())
        .col(big("package_id"))
        .col(number("flag"))
        .col(text_null("reason"))
        .col(instant("created_at"))
        .col(instant_null("removed_at"))
        .foreign_key(&mut reference("package_flags", "package_id", "packages", ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(package_flags).await?;
    partial_index(
        manager,
        "UNIQUE INDEX ux_package_flags_flag",
        "package_flags (package_id, flag)",
        "removed_at IS NULL",
    )
    .await
}

async fn package_documents(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let package_documents = Table::create()
        .table("package_documents")
        .col(big("project_id"))
        .col(number("format"))
        .col(key(manager, "document"))
        .col(big("revision"))
        .col(instant("updated_at"))
        .primary_key(Index::create().col("project_id").col("format").col("document"))
        .foreign_key(&mut reference("package_documents", "project_id", "projects", ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(package_documents).await
}
