//! A user's password.

use sea_orm::entity::prelude::*;

/// A user's password.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_passwords")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// Argon2id, as a PHC string.
    #[sea_orm(column_type = "Text")]
    pub hash: String,
    /// How many wrong ones were given in a row.
    pub failures: i16,
    /// Until when none is accepted.
    pub locked_until: Option<TimeDateTimeWithTimeZone>,
    /// When it was set.
    pub changed_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
