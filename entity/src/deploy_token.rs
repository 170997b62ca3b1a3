//! A deploy token of a project or a group, never both.

use sea_orm::entity::prelude::*;

/// A deploy token of a project or a group, never both.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deploy_tokens")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The project it was made for.
    pub project_id: Option<i64>,
    /// The group it was made for.
    pub namespace_id: Option<i64>,
    /// The name people read.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The user name that goes with it in Basic authentication.
    #[sea_orm(column_type = "Text")]
    pub username: String,
    /// SHA-256 of the secret in hexadecimal; unique.
    #[sea_orm(column_type = "Text")]
    pub token_hash: String,
    /// `domain::Scopes` as text.
    #[sea_orm(column_type = "Text")]
    pub scopes: String,
    /// What `domain::TokenLimits` stores.
    #[sea_orm(column_type = "Text", nullable)]
    pub limits: Option<String>,
    /// From when on it no longer counts.
    pub expires_at: Option<TimeDateTimeWithTimeZone>,
    /// When it was revoked.
    pub revoked_at: Option<TimeDateTimeWithTimeZone>,
    /// When it was last used, to ten minutes.
    pub last_used_at: Option<TimeDateTimeWithTimeZone>,
    /// Who created it.
    pub creator_id: Option<i64>,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
