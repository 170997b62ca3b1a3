//! An account at a provider that signs in as a user.

use sea_orm::entity::prelude::*;

/// An account at a provider that signs in as a user. Provider, issuer and subject together are unique.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_identities")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Who signs in with it.
    pub user_id: i64,
    /// The name of the provider.
    #[sea_orm(column_type = "Text")]
    pub provider: String,
    /// The issuer that the provider was: a name that is given to another issuer lets nobody in.
    #[sea_orm(column_type = "Text")]
    pub issuer: String,
    /// What the issuer calls the account.
    #[sea_orm(column_type = "Text")]
    pub subject: String,
    /// When it was linked.
    pub created_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
