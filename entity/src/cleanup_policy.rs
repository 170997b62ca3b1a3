//! How many duplicated files the packages of a project keep.

use sea_orm::entity::prelude::*;

/// How many duplicated files the packages of a project keep.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "packages_cleanup_policies")]
pub struct Model {
    /// The project.
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: i64,
    /// Number of `domain::KeptDuplicates`: how many, 0 for all.
    pub keep_n_duplicated_package_files: i16,
    /// When the policy is carried out next; never while it keeps all.
    pub next_run_at: Option<TimeDateTimeWithTimeZone>,
    /// When it was last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
