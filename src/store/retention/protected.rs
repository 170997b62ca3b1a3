//! What no policy lets go.

use domain::{NamePattern, NamespaceId, ProjectId, rules::RuleBook};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::{ProtectedNames, RetentionScope};
use crate::{Result, Store, convert, members::Place, rows};

#[derive(FromQueryResult)]
struct Row {
    project_id: Option<i64>,
    namespace_id: Option<i64>,
    format: i16,
    pattern: String,
    keeps: bool,
}

/// Which rules count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    /// All: also those that keep publishing to some.
    All,
    /// Those that keep deleting to some.
    OfDeletion,
}

const IN_PROJECT: &str = "SELECT r.project_id, r.namespace_id, r.format, r.pattern, \
    r.delete_level IS NOT NULL AS keeps FROM protection_rules r \
    WHERE r.project_id = $1 OR r.namespace_id IN (SELECT a.ancestor_id FROM namespace_ancestors a \
    JOIN projects p ON p.namespace_id = a.descendant_id WHERE p.id = $1)";
const IN_GROUP: &str = "SELECT r.project_id, r.namespace_id, r.format, r.pattern, \
    r.delete_level IS NOT NULL AS keeps FROM protection_rules r \
    WHERE r.namespace_id IN (SELECT ancestor_id FROM namespace_ancestors WHERE descendant_id = $1) \
    OR r.namespace_id IN (SELECT descendant_id FROM namespace_ancestors WHERE ancestor_id = $1) \
    OR r.project_id IN (SELECT p.id FROM projects p JOIN namespace_ancestors a ON a.descendant_id = p.namespace_id \
    WHERE a.ancestor_id = $1)";

/// What protection rules cover in a scope, those from above and below included. One statement.
pub async fn protected(
    store: &Store,
    rules: &RuleBook,
    scope: RetentionScope,
) -> Result<Vec<ProtectedNames>> {
    protected_in(store.reader(), (rules, Counting::All), scope).await
}

/// The same as `connection` sees it, of the rules that count.
pub(crate) async fn protected_in(
    connection: &impl ConnectionTrait,
    (rules, counting): (&RuleBook, Counting),
    scope: RetentionScope,
) -> Result<Vec<ProtectedNames>> {
    let (sql, id) = match scope {
        RetentionScope::Project(ProjectId(id)) => (IN_PROJECT, id),
        RetentionScope::Group(NamespaceId(id)) => (IN_GROUP, id),
    };
    let rows: Vec<Row> = rows::all_sql(connection, sql, [Value::from(id)]).await?;
    let counts = |row: &Row| row.keeps || counting == Counting::All;
    let names = rows.into_iter().filter(counts).map(|row| {
        let format = convert::format(row.format)?;
        let pattern = match rules.get(format) {
            Ok(rules) => NamePattern::of(&row.pattern, rules),
            Err(_) => Ok(NamePattern::verbatim(&row.pattern)),
        };
        let pattern = pattern.unwrap_or_else(|_| NamePattern::verbatim(&row.pattern));
        // The databases know the case of ASCII letters alone: rather too much is protected than too little.
        let pattern =
            pattern.as_text().chars().map(|letter| if letter.is_ascii() { letter } else { '*' }).collect();
        let place = match (row.project_id, row.namespace_id) {
            (Some(id), _) => Place::Project(ProjectId(id)),
            (None, id) => Place::Group(NamespaceId(id.unwrap_or_default())),
        };
        Ok(ProtectedNames { place, format, pattern })
    });
    names.collect()
}
