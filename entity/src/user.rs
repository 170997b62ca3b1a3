//! A person or a machine account.

use sea_orm::entity::prelude::*;

/// A person or a machine account.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The user name, as written.
    #[sea_orm(column_type = "Text")]
    pub username: String,
    /// The user name in lower case; unique.
    #[sea_orm(column_type = "Text")]
    pub username_key: String,
    /// The name people read.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The mail address in lower case; unique where given.
    #[sea_orm(column_type = "Text", nullable)]
    pub email: Option<String>,
    /// Whether the user administers the instance.
    pub admin: bool,
    /// 0 active, 1 blocked.
    pub state: i16,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
