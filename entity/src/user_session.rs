//! Somewhere a user is signed in.

use sea_orm::entity::prelude::*;

/// Somewhere a user is signed in. The row goes when the session ends.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_sessions")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// SHA-256 of the secret in hexadecimal; unique.
    #[sea_orm(column_type = "Text")]
    pub token_hash: String,
    /// What the browser said it is.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_agent: Option<String>,
    /// When it was last used, to ten minutes.
    pub last_used_at: Option<TimeDateTimeWithTimeZone>,
    /// When it ends at the latest.
    pub expires_at: TimeDateTimeWithTimeZone,
    /// When it was begun.
    pub created_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
