//! Whose ID tokens are exchanged for tokens of a project.

use sea_orm::entity::prelude::*;

/// Whose ID tokens are exchanged for tokens of a project.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trusted_publishers")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The project.
    pub project_id: i64,
    /// Who issues the ID tokens.
    #[sea_orm(column_type = "Text")]
    pub issuer: String,
    /// For whom they are issued.
    #[sea_orm(column_type = "Text")]
    pub audience: String,
    /// What they have to say: an object of texts.
    #[sea_orm(column_type = "JsonBinary")]
    pub claims: Json,
    /// The most telling of the claims, as `name=value`: what an exchange looks for.
    #[sea_orm(column_type = "Text")]
    pub telling_claim: String,
    /// What `domain::TokenLimits` stores.
    #[sea_orm(column_type = "Text", nullable)]
    pub limits: Option<String>,
    /// Who created it.
    pub creator_id: Option<i64>,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was deleted; the row stays, since events tell of it.
    pub deleted_at: Option<TimeDateTimeWithTimeZone>,
}

impl ActiveModelBehavior for ActiveModel {}
