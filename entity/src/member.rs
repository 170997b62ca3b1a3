//! A user's role in a namespace or a project, never both.

use sea_orm::entity::prelude::*;

/// A user's role in a namespace or a project, never both.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "members")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The namespace.
    pub namespace_id: Option<i64>,
    /// The project.
    pub project_id: Option<i64>,
    /// Who.
    pub user_id: i64,
    /// Number of `domain::Role`.
    pub access_level: i16,
    /// The first day on which the membership no longer counts.
    pub expires_at: Option<TimeDate>,
    /// Who added the member.
    pub created_by_id: Option<i64>,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was last changed; none when it never was.
    pub updated_at: Option<TimeDateTimeWithTimeZone>,
}

impl ActiveModelBehavior for ActiveModel {}
