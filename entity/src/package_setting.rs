//! What owners of a namespace decide about its packages as a whole.

use sea_orm::entity::prelude::*;

/// What owners of a namespace decide about its packages as a whole.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_settings")]
pub struct Model {
    /// The namespace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub namespace_id: i64,
    /// Whether publishing and deleting in its own projects is audited.
    pub audit_events_enabled: bool,
    /// Whether symbols of NuGet packages are served.
    pub nuget_symbol_server_enabled: bool,
    /// When it was last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
