//! A key that seals what the server hands out and takes back.

use sea_orm::entity::prelude::*;

/// A key that seals what the server hands out and takes back.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    /// What it seals.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub purpose: String,
    /// The key in base64.
    #[sea_orm(column_type = "Text")]
    pub secret: String,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
