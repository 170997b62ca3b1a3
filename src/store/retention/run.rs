//! Letting versions go, some at a time.

use std::collections::HashSet;

use domain::{Failure, rules::RuleBook};
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    Preview, RetentionScope, Selection,
    protected::{Counting, protected_in},
    select::{Sql, measure},
};
use crate::{
    Result, Store, Tx,
    jobs::{self, Lease},
    packages,
};

/// Names looked at in one transaction.
const NAMES: i64 = 200;
/// Versions deleted in one transaction.
const VERSIONS: usize = 100;

/// How far a run came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionProgress {
    /// The instant from which days are counted back, in microseconds since 1970; that of the beginning, whenever it goes on.
    as_of: Option<i64>,
    /// The last name that is done with.
    name: i64,
    /// What was to go at the beginning.
    versions: u64,
    exclusive_bytes: u64,
    shared_bytes: u64,
    /// How many versions went so far.
    pub deleted: u64,
    /// Whether nothing is left to do.
    pub is_over: bool,
}

impl RetentionProgress {
    /// What was to go, as it was at the beginning.
    pub const fn planned(&self) -> Preview {
        Preview {
            versions: self.versions,
            exclusive_bytes: self.exclusive_bytes,
            shared_bytes: self.shared_bytes,
        }
    }
}

/// Goes on with a run, in the name of `lease`, and gives how far it came. What goes, and how far it came, is one transaction, which
/// reads for itself what is protected.
pub async fn run(
    store: &Store,
    lease: &Lease,
    (selection, progress): (Selection, RetentionProgress),
    rules: &RuleBook,
    now: OffsetDateTime,
) -> Result<RetentionProgress> {
    let (mut selection, mut progress) = (selection, progress);
    match progress.as_of.map(|micros| OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000)) {
        Some(Ok(as_of)) => selection.as_of = as_of,
        _ => {
            progress.as_of = i64::try_from(selection.as_of.unix_timestamp_nanos() / 1000).ok();
            selection.protected =
                protected_in(store.reader(), (rules, Counting::All), selection.scope).await?;
            let planned = measure(store.reader(), &selection).await?;
            progress.versions = planned.versions;
            progress.exclusive_bytes = planned.exclusive_bytes;
            progress.shared_bytes = planned.shared_bytes;
        }
    }
    let last = last_name(store, selection.scope, progress.name).await?;
    let input = (store.actor(), lease.clone(), selection, progress, last, rules.clone());
    store
        .write(input, move |tx, (actor, lease, selection, progress, last, rules)| {
            Box::pin(async move {
                let mut progress = *progress;
                match last {
                    Some(last) => {
                        let names = (progress.name, *last);
                        let mut selection = selection.clone();
                        selection.protected =
                            protected_in(tx, (rules, Counting::All), selection.scope).await?;
                        let mut versions = going(tx, &selection, names).await?;
                        if versions.len() < VERSIONS {
                            progress.name = *last;
                        }
                        packages::lock_names_of(tx, &versions, now).await?;
                        // Once more, for what was published or protected while the names were waited for.
                        selection.protected =
                            protected_in(tx, (rules, Counting::All), selection.scope).await?;
                        let still: HashSet<_> = going(tx, &selection, names).await?.into_iter().collect();
                        versions.retain(|version| still.contains(version));
                        progress.deleted += packages::bury_versions(tx, actor, &versions, now).await?;
                    }
                    None => progress.is_over = true,
                }
                let told = serde_json::to_value(progress).map_err(|_| Failure::internal())?;
                jobs::advance(tx, lease, &told, now).await?;
                Ok(progress)
            })
        })
        .await
}

/// The last of the next names of a scope; none when there are no more.
async fn last_name(store: &Store, scope: RetentionScope, after: i64) -> Result<Option<i64>> {
    #[derive(FromQueryResult)]
    struct Stretch {
        last: Option<i64>,
    }
    let mut sql = Sql::default();
    sql.with(
        "SELECT MAX(stretch.id) AS last FROM (SELECT n.id FROM package_names n JOIN projects p ON p.id = n.project_id \
         WHERE n.id > ",
        after,
    );
    sql.push(" AND ");
    sql.in_scope(scope);
    sql.with(" ORDER BY n.id LIMIT ", NAMES);
    sql.push(") AS stretch");
    Ok(sql.one::<Stretch>(store.reader()).await?.and_then(|stretch| stretch.last))
}

/// What goes of these names, at most as many versions as one transaction deletes, with their names.
async fn going(tx: &Tx, selection: &Selection, names: (i64, i64)) -> Result<Vec<i64>> {
    #[derive(FromQueryResult)]
    struct Id {
        id: i64,
    }
    let mut sql = Sql::going(selection, Some(names));
    sql.with("SELECT id FROM going ORDER BY id LIMIT ", i64::try_from(VERSIONS).unwrap_or(i64::MAX));
    Ok(sql.all::<Id>(tx).await?.into_iter().map(|row| row.id).collect())
}
