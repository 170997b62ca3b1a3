//! A personal access token.

use sea_orm::entity::prelude::*;

/// A personal access token.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_tokens")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// The name people read.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// What people wrote about it.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// SHA-256 of the secret in hexadecimal; unique.
    #[sea_orm(column_type = "Text")]
    pub token_hash: String,
    /// `domain::Scopes` as text.
    #[sea_orm(column_type = "Text")]
    pub scopes: String,
    /// What `domain::TokenLimits` stores.
    #[sea_orm(column_type = "Text", nullable)]
    pub limits: Option<String>,
    /// The first day on which it no longer counts.
    pub expires_at: Option<TimeDate>,
    /// When it was revoked.
    pub revoked_at: Option<TimeDateTimeWithTimeZone>,
    /// When it was last used, to ten minutes.
    pub last_used_at: Option<TimeDateTimeWithTimeZone>,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
