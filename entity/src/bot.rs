//! A user that was made for access tokens of a project or a group, never both.

use sea_orm::entity::prelude::*;

/// A user that was made for access tokens of a project or a group, never both.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bots")]
pub struct Model {
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// The project it was made for.
    pub project_id: Option<i64>,
    /// The group it was made for.
    pub namespace_id: Option<i64>,
    /// Number of the `domain::Role` it was made with.
    pub access_level: i16,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
