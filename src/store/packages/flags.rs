//! Marks on versions. Taking one back closes its row, so that the past can be told.

use domain::{EventKind, PackageFlag, PackageId, VersionFlag, rules::FormatRules};
use entity::package_flag;
use sea_orm::{
    ConnectionTrait, FromQueryResult, Value,
    sea_query::{Expr, ExprTrait, Order, Query},
};
use time::OffsetDateTime;

use super::{
    Package,
    fragments::{self, Change, ChangedDocuments},
    publish::touch_name,
    tags::alive,
};
use crate::{
    Result, Store, StoreError, Tx,
    audit_events::{self, Done},
    convert::stored,
    rows,
};

/// A version that was opened, and what becomes of one of its flags.
#[derive(Clone, Debug)]
pub struct FlagChange {
    /// The version.
    pub package: Package,
    /// The flag.
    pub flag: PackageFlag,
    /// What becomes of it.
    pub state: FlagState,
}

/// What becomes of a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlagState {
    /// It is set, with this reason; an earlier reason is replaced.
    Set(Option<String>),
    /// It is taken back.
    Removed,
}

#[derive(FromQueryResult)]
struct FlagRow {
    package_id: i64,
    flag: i16,
    reason: Option<String>,
}

impl TryFrom<FlagRow> for VersionFlag {
    type Error = StoreError;

    fn try_from(row: FlagRow) -> Result<Self> {
        let flag = PackageFlag::from_number(row.flag).ok_or_else(|| StoreError::Corrupt {
            column: "package_flags.flag",
            value: row.flag.to_string(),
        })?;
        Ok(Self { flag, reason: row.reason })
    }
}

async fn rows_of(connection: &impl ConnectionTrait, packages: Vec<i64>) -> Result<Vec<FlagRow>> {
    let flag = |column| (package_flag::Entity, column);
    let select = Query::select()
        .column(flag(package_flag::Column::PackageId))
        .column(flag(package_flag::Column::Flag))
        .column(flag(package_flag::Column::Reason))
        .from(package_flag::Entity)
        .and_where(Expr::col(flag(package_flag::Column::PackageId)).is_in(packages))
        .and_where(Expr::col(flag(package_flag::Column::RemovedAt)).is_null())
        .order_by(flag(package_flag::Column::Flag), Order::Asc)
        .take();
    rows::all(connection, &select).await
}

/// The flags of one version.
pub(super) async fn of(tx: &Tx, package: i64) -> Result<Vec<VersionFlag>> {
    rows_of(tx, vec![package]).await?.into_iter().map(VersionFlag::try_from).collect()
}

/// The flags of these versions, which were opened.
pub async fn flags_of(store: &Store, packages: &[PackageId]) -> Result<Vec<(PackageId, VersionFlag)>> {
    let rows = rows_of(store.reader(), packages.iter().map(|package| package.0).collect()).await?;
    rows.into_iter().map(|row| Ok((PackageId(row.package_id), row.try_into()?))).collect()
}

/// Sets or takes back all of these flags: one transaction.
pub async fn set_flags(
    store: &Store,
    rules: &'static dyn FormatRules,
    changes: Vec<FlagChange>,
    now: OffsetDateTime,
) -> Result<()> {
    store
        .write((store.actor(), changes), move |tx, (actor, changes)| {
            Box::pin(async move {
                for change in changes {
                    touch_name(tx, change.package.name_id.0, now).await?;
                }
                let mut changed = ChangedDocuments::default();
                for FlagChange { package, flag, state } in changes {
                    alive(tx, package.id.0).await?;
                    write(tx, package.id.0, *flag, state, now).await?;
                    fragments::render(tx, rules, package.id.0, Change::Version, &mut changed).await?;
                    let what = match state {
                        FlagState::Set(_) => "flag set",
                        FlagState::Removed => "flag removed",
                    };
                    let done = Done::new(EventKind::PackageFlagUpdated, what).with("flag", flag.name());
                    audit_events::note(tx, actor, &done, package.id.0, now).await?;
                }
                changed.raise(tx, now).await
            })
        })
        .await
}

async fn write(
    tx: &Tx,
    package: i64,
    flag: PackageFlag,
    state: &FlagState,
    now: OffsetDateTime,
) -> Result<()> {
    rows::execute(
        tx,
        "UPDATE package_flags SET removed_at = $1 WHERE package_id = $2 AND flag = $3 AND removed_at IS NULL",
        [Value::from(stored(now)), package.into(), flag.number().into()],
    )
    .await?;
    if let FlagState::Set(reason) = state {
        rows::execute(
            tx,
            "INSERT INTO package_flags (package_id, flag, reason, created_at) VALUES ($1, $2, $3, $4)",
            [Value::from(package), flag.number().into(), reason.clone().into(), stored(now).into()],
        )
        .await?;
    }
    rows::execute(
        tx,
        "UPDATE packages SET updated_at = $1 WHERE id = $2",
        [Value::from(stored(now)), package.into()],
    )
    .await?;
    Ok(())
}
