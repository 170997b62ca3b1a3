//! Something that was changed or refused. Rows are added and never changed or removed.

use sea_orm::entity::prelude::*;

/// Something that was changed or refused. Rows are added and never changed or removed.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The name of the kind, `domain::EventKind::name`.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Number of `domain::EntityType`: whose people may read it.
    pub entity_type: i16,
    /// The entity; none for the instance.
    pub entity_id: Option<i64>,
    /// Full path of the entity, as it was.
    #[sea_orm(column_type = "Text")]
    pub entity_path: String,
    /// The project it is about, whatever the entity.
    pub project_id: Option<i64>,
    /// Number of `domain::AuthorType`.
    pub author_type: i16,
    /// The user or deploy token.
    pub author_id: Option<i64>,
    /// Name of the author, as it was.
    #[sea_orm(column_type = "Text")]
    pub author_name: String,
    /// GitLab's name of the class of what was changed.
    #[sea_orm(column_type = "Text")]
    pub target_type: String,
    /// The id of what was changed.
    pub target_id: Option<i64>,
    /// What was changed, for reading.
    #[sea_orm(column_type = "Text")]
    pub target_details: String,
    /// Number of `domain::PackageFormat`, where it is about a package.
    pub package_format: Option<i16>,
    /// The name of the package it is about.
    #[sea_orm(column_type = "Text", nullable)]
    pub package_name: Option<String>,
    /// What happened, for reading.
    #[sea_orm(column_type = "Text")]
    pub message: String,
    /// What else there is to say.
    #[sea_orm(column_type = "JsonBinary")]
    pub details: Json,
    /// When it happened.
    pub created_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
