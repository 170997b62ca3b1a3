//! Work that some server does beside requests.

use sea_orm::entity::prelude::*;

/// Work that some server does beside requests.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "background_jobs")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The kind and what it is about; unique.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Name of a `domain::JobKind`.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// The project it is about.
    pub project_id: Option<i64>,
    /// The group it is about.
    pub namespace_id: Option<i64>,
    /// Seconds between the beginnings of two runs; none for what is run when asked for.
    pub every_seconds: Option<i64>,
    /// When it is due; none when nobody asked for it.
    pub run_at: Option<TimeDateTimeWithTimeZone>,
    /// How far a run has come that is not at its end; null otherwise.
    #[sea_orm(column_type = "JsonBinary")]
    pub progress: Json,
    /// How often a server took it. What a server writes of it names the number it got.
    pub claims: i64,
    /// How many runs have failed since one succeeded.
    pub failures: i64,
    /// The server that does it.
    #[sea_orm(column_type = "Text", nullable)]
    pub locked_by: Option<String>,
    /// Until when nobody else may take it.
    pub locked_until: Option<TimeDateTimeWithTimeZone>,
    /// Why the last run failed.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
