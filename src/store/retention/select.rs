//! The one place that says which versions go.

use std::fmt::Write as _;

use domain::{PackageFormat, PackageId, PackageStatus, RetentionRule};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};
use time::{Duration, OffsetDateTime};

use super::{Candidate, ProtectedNames, RetentionScope, Selection};
use crate::{
    Cursor, Page, PageRequest, Result, Side, Store, StoreError,
    convert::{self, stored},
    members::Place,
    page::Keyset,
    visible::tenant_sql,
};

/// Statuses of versions that a policy may let go. One that is being extracted is not finished yet.
const STATUSES: [PackageStatus; 4] =
    [PackageStatus::Default, PackageStatus::Hidden, PackageStatus::Error, PackageStatus::Deprecated];

/// A statement under construction: its text, and the values of its `$1`, `$2` …
#[derive(Default)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// Appends text.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Appends a value as a parameter.
    pub(crate) fn value(&mut self, value: impl Into<Value>) {
        self.values.push(value.into());
        // Writing to a text does not fail.
        let _ = write!(self.text, "${}", self.values.len());
    }

    /// Appends text, and a value after it.
    pub(crate) fn with(&mut self, text: &str, value: impl Into<Value>) {
        self.push(text);
        self.value(value);
    }

    fn statement(self, connection: &impl ConnectionTrait) -> Statement {
        Statement::from_sql_and_values(connection.get_database_backend(), self.text, self.values)
    }

    pub(crate) async fn all<T: FromQueryResult>(self, connection: &impl ConnectionTrait) -> Result<Vec<T>> {
        let rows = connection.query_all_raw(self.statement(connection)).await?;
        Ok(rows.iter().map(|row| T::from_query_result(row, "")).collect::<Result<_, _>>()?)
    }

    pub(super) async fn one<T: FromQueryResult>(
        self,
        connection: &impl ConnectionTrait,
    ) -> Result<Option<T>> {
        let row = connection.query_one_raw(self.statement(connection)).await?;
        Ok(row.map(|row| T::from_query_result(&row, "")).transpose()?)
    }

    /// A condition on a row `p` of `projects`: it lies in the scope.
    pub(super) fn in_scope(&mut self, scope: RetentionScope) {
        self.push("p.deleted_at IS NULL AND ");
        match scope {
            RetentionScope::Project(project) => self.with("p.id = ", project.0),
            RetentionScope::Group(group) => {
                self.with(
                    "p.namespace_id IN (SELECT descendant_id FROM namespace_ancestors WHERE ancestor_id = ",
                    group.0,
                );
                self.push(
                    ") AND NOT EXISTS (SELECT 1 FROM package_retention_policies q WHERE q.project_id = p.id) \
                     AND NOT EXISTS (SELECT 1 FROM package_retention_policies q JOIN namespace_ancestors own \
                     ON own.ancestor_id = q.namespace_id WHERE own.descendant_id = p.namespace_id \
                     AND q.namespace_id <> ",
                );
                self.value(group.0);
                self.with(
                    " AND q.namespace_id IN (SELECT descendant_id FROM namespace_ancestors WHERE ancestor_id = ",
                    group.0,
                );
                self.push("))");
            }
        }
    }

    /// The ids of every namespace that has its top in common with the scope: whether strangers have a content as well is nobody's to
    /// know.
    fn tenant(&mut self, scope: RetentionScope) {
        self.push(tenant_sql!());
        match scope {
            RetentionScope::Project(project) => {
                self.with("(SELECT namespace_id FROM projects WHERE id = ", project.0);
                self.push(")");
            }
            RetentionScope::Group(group) => self.value(group.0),
        }
        self.push(")");
    }

    /// A condition on a text: it fits a pattern in which `*` stands for any text, whatever the case of ASCII
    /// letters: both databases know that alike.
    fn fits(&mut self, column: &str, pattern: &str) {
        if pattern.chars().all(|letter| letter == '*') {
            self.push("1 = 1");
            return;
        }
        let mut like = String::with_capacity(pattern.len());
        for letter in pattern.chars() {
            match letter {
                '*' if like.ends_with('%') && !like.ends_with("\\%") => {}
                '*' => like.push('%'),
                '%' | '_' | '\\' => like.extend(['\\', letter]),
                letter => like.push(letter.to_ascii_lowercase()),
            }
        }
        self.push("LOWER(");
        self.push(column);
        self.with(") LIKE ", like);
        self.push(" ESCAPE '\\'");
    }

    /// The ids of what one rule lets go.
    fn let_go_by(&mut self, selection: &Selection, rule: &RetentionRule, names: Option<(i64, i64)>) {
        self.push(
            "SELECT ranked.id FROM (SELECT v.id, v.published_at, v.last_downloaded_at, ROW_NUMBER() OVER \
             (PARTITION BY v.name_id ORDER BY v.published_at DESC, v.id DESC) AS place FROM (SELECT k.id, k.name_id, \
             k.last_downloaded_at, COALESCE((SELECT MAX(f.created_at) FROM package_files f WHERE f.package_id = k.id \
             AND f.deleted_at IS NULL), k.created_at) AS published_at FROM packages k \
             JOIN projects p ON p.id = k.project_id WHERE k.deleted_at IS NULL AND k.version IS NOT NULL AND k.status IN (",
        );
        let statuses: Vec<_> = STATUSES.iter().map(|status| status.number().to_string()).collect();
        self.push(&statuses.join(", "));
        self.push(") AND ");
        self.in_scope(selection.scope);
        if let Some((after, last)) = names {
            self.with(" AND k.name_id > ", after);
            self.with(" AND k.name_id <= ", last);
        }
        if let Some(format) = rule.format {
            self.with(" AND k.format = ", format.number());
        }
        self.push(" AND ");
        self.fits("k.name", &rule.name_pattern);
        self.push(" AND ");
        self.fits("k.version", &rule.version_pattern);
        self.push(") AS v) AS ranked WHERE 1 = 1");
        let ago = |days: u32| stored(selection.as_of - Duration::days(days.into()));
        if let Some(kept) = rule.keep_last {
            self.with(" AND ranked.place > ", i64::from(kept));
        }
        if let Some(days) = rule.younger_than_days {
            self.with(" AND ranked.published_at <= ", ago(days));
        }
        if let Some(days) = rule.downloaded_within_days {
            self.with(" AND (ranked.last_downloaded_at IS NULL OR ranked.last_downloaded_at <= ", ago(days));
            self.push(")");
        }
    }

    /// `WITH going AS (…) `: the ids of what goes, of all names or of those between two.
    pub(super) fn going(selection: &Selection, names: Option<(i64, i64)>) -> Self {
        let mut sql = Self::default();
        sql.push("WITH going AS (SELECT k.id FROM packages k WHERE NOT (");
        is_protected_from_deletion(&mut sql, &selection.protected);
        sql.push(") AND (1 = 0");
        for rule in &selection.rules {
            sql.push(" OR k.id IN (");
            sql.let_go_by(selection, rule, names);
            sql.push(")");
        }
        sql.push(")) ");
        sql
    }
}

/// A condition on a row `k` of `packages`: somebody protects it from being deleted. What is said here, and here alone, holds for what
/// is shown and for what is deleted.
pub(crate) fn is_protected_from_deletion(sql: &mut Sql, protected: &[ProtectedNames]) {
    sql.push("1 = 0");
    for names in protected {
        sql.with(" OR (k.format = ", names.format.number());
        match names.place {
            Place::Project(project) => sql.with(" AND k.project_id = ", project.0),
            Place::Group(group) => {
                sql.with(
                    " AND k.project_id IN (SELECT covered.id FROM projects covered JOIN namespace_ancestors above \
                     ON above.descendant_id = covered.namespace_id WHERE above.ancestor_id = ",
                    group.0,
                );
                sql.push(")");
            }
        }
        sql.push(" AND (");
        sql.fits("(SELECT n.name_key FROM package_names n WHERE n.id = k.name_id)", &names.pattern);
        // A format whose rules are not known has no keys of its own.
        sql.push(" OR ");
        sql.fits("k.name", &names.pattern);
        sql.push("))");
    }
}

/// How much would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// How many versions.
    pub versions: u64,
    /// Bytes of contents that only they have, of all files of the top-level namespace: what that stores less in the end.
    pub exclusive_bytes: u64,
    /// Bytes of contents that other files of the top-level namespace have as well: they stay.
    pub shared_bytes: u64,
}

/// How much would go. Two statements.
pub async fn preview(connection: &Store, selection: &Selection) -> Result<Preview> {
    measure(connection.reader(), selection).await
}

pub(super) async fn measure(connection: &impl ConnectionTrait, selection: &Selection) -> Result<Preview> {
    #[derive(FromQueryResult)]
    struct Count {
        versions: i64,
    }
    #[derive(FromQueryResult)]
    struct Bytes {
        exclusive: i64,
        shared: i64,
    }
    let mut count = Sql::going(selection, None);
    count.push("SELECT COUNT(*) AS versions FROM going");
    let versions = count.one::<Count>(connection).await?.map_or(0, |count| count.versions);
    let mut bytes = Sql::going(selection, None);
    // Joined, rather than asked for each content: PostgreSQL would go through all that goes again and again.
    bytes.push(
        "SELECT CAST(COALESCE(SUM(CASE WHEN c.others = 0 THEN c.size ELSE 0 END), 0) AS BIGINT) AS exclusive, \
         CAST(COALESCE(SUM(CASE WHEN c.others = 0 THEN 0 ELSE c.size END), 0) AS BIGINT) AS shared FROM (\
         SELECT b.id, b.size, SUM(CASE WHEN g.id IS NULL THEN 1 ELSE 0 END) AS others FROM (\
         SELECT DISTINCT f.blob_id FROM package_files f JOIN going g ON g.id = f.package_id \
         WHERE f.deleted_at IS NULL) AS mine JOIN blobs b ON b.id = mine.blob_id \
         JOIN package_files f ON f.blob_id = mine.blob_id JOIN packages k ON k.id = f.package_id \
         JOIN projects p ON p.id = k.project_id LEFT JOIN going g ON g.id = k.id \
         WHERE f.deleted_at IS NULL AND k.deleted_at IS NULL AND p.deleted_at IS NULL AND p.namespace_id IN (",
    );
    bytes.tenant(selection.scope);
    bytes.push(") GROUP BY b.id, b.size) AS c");
    let bytes = bytes.one::<Bytes>(connection).await?;
    let (exclusive, shared) = bytes.map_or((0, 0), |bytes| (bytes.exclusive, bytes.shared));
    Ok(Preview {
        versions: versions.unsigned_abs(),
        exclusive_bytes: exclusive.unsigned_abs(),
        shared_bytes: shared.unsigned_abs(),
    })
}

#[derive(FromQueryResult)]
struct CandidateRow {
    id: i64,
    project_full_path: String,
    format: i16,
    name: String,
    version: String,
    published_at: OffsetDateTime,
    last_downloaded_at: Option<OffsetDateTime>,
    size: i64,
}

impl TryFrom<CandidateRow> for Candidate {
    type Error = StoreError;

    fn try_from(row: CandidateRow) -> Result<Self> {
        let format: PackageFormat = convert::format(row.format)?;
        Ok(Self {
            id: PackageId(row.id),
            project_full_path: row.project_full_path,
            format,
            name: row.name,
            version: row.version,
            published_at: row.published_at,
            last_downloaded_at: row.last_downloaded_at,
            size: row.size.unsigned_abs(),
        })
    }
}

/// One page of what would go, by id. One statement.
pub async fn list(store: &Store, selection: &Selection, request: &PageRequest) -> Result<Page<Candidate>> {
    let mut sql = Sql::going(selection, None);
    sql.push(
        "SELECT k.id, p.full_path AS project_full_path, k.format, k.name, k.version, \
         COALESCE((SELECT MAX(f.created_at) FROM package_files f WHERE f.package_id = k.id AND f.deleted_at IS NULL), \
         k.created_at) AS published_at, k.last_downloaded_at, \
         CAST(COALESCE((SELECT SUM(b.size) FROM package_files f JOIN blobs b ON b.id = f.blob_id \
         WHERE f.package_id = k.id AND f.deleted_at IS NULL), 0) AS BIGINT) AS size \
         FROM going g JOIN packages k ON k.id = g.id JOIN projects p ON p.id = k.project_id WHERE 1 = 1",
    );
    let id = |cursor: &Option<Cursor>| cursor.as_ref().map(|cursor| cursor.id);
    if let Some(after) = id(&request.after) {
        sql.with(" AND k.id > ", after);
    }
    if let Some(before) = id(&request.before) {
        sql.with(" AND k.id < ", before);
    }
    sql.push(match request.side {
        Side::First => " ORDER BY k.id ASC LIMIT ",
        Side::Last => " ORDER BY k.id DESC LIMIT ",
    });
    // One more, which tells whether there are more.
    sql.value(i64::try_from(request.limit.saturating_add(1)).unwrap_or(i64::MAX));
    let rows = sql.all::<CandidateRow>(store.reader()).await?;
    let candidates = rows.into_iter().map(Candidate::try_from).collect::<Result<_>>()?;
    Ok(Keyset::page(candidates, request))
}
