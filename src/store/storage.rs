//! How much room packages take.

use domain::{NamespaceId, PackageFormat, ProjectId};
use sea_orm::{FromQueryResult, Value};

use crate::{Result, Store, convert, members::Place, rows, visible::tenant_sql};

/// What the packages of a place take, of all formats or of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageUse {
    /// Length of all files together, in bytes: as if every one had bytes of its own.
    pub size: u64,
    /// Bytes of contents that only files here have, of all files of the top-level namespace.
    pub exclusive_bytes: u64,
    /// Bytes of contents that files elsewhere in the top-level namespace have as well; for a format, files of other formats included.
    pub shared_bytes: u64,
}

#[derive(FromQueryResult)]
struct Row {
    format: i16,
    size: i64,
    exclusive: i64,
    shared: i64,
}

/// `$1` is the project, or the group, whose descendants count. A file counts for as long as it is there, alone, with its package and
/// with its project. Files beyond the top-level namespace count for nothing: whether strangers have a content as well is nobody's to
/// know. The format is -1 in the row of all of them.
macro_rules! use_sql {
    ($here:literal, $namespace:literal) => {
        concat!(
            "WITH here AS (SELECT k.format, f.blob_id, COUNT(*) AS files FROM package_files f \
             JOIN packages k ON k.id = f.package_id JOIN projects p ON p.id = k.project_id \
             WHERE f.deleted_at IS NULL AND k.deleted_at IS NULL AND p.deleted_at IS NULL AND ",
            $here,
            " GROUP BY k.format, f.blob_id), \
             everywhere AS (SELECT f.blob_id, COUNT(*) AS files FROM package_files f \
             JOIN packages k ON k.id = f.package_id JOIN projects p ON p.id = k.project_id \
             WHERE f.deleted_at IS NULL AND k.deleted_at IS NULL AND p.deleted_at IS NULL \
             AND f.blob_id IN (SELECT blob_id FROM here) AND p.namespace_id IN (",
            tenant_sql!(),
            $namespace,
            ")) GROUP BY f.blob_id), \
             parts AS (SELECT format, blob_id, files FROM here UNION ALL \
             SELECT -1 AS format, blob_id, SUM(files) AS files FROM here GROUP BY blob_id) \
             SELECT CAST(t.format AS SMALLINT) AS format, CAST(SUM(b.size * t.files) AS BIGINT) AS size, \
             CAST(SUM(CASE WHEN e.files = t.files THEN b.size ELSE 0 END) AS BIGINT) AS exclusive, \
             CAST(SUM(CASE WHEN e.files = t.files THEN 0 ELSE b.size END) AS BIGINT) AS shared \
             FROM parts t JOIN everywhere e ON e.blob_id = t.blob_id JOIN blobs b ON b.id = t.blob_id \
             GROUP BY t.format ORDER BY t.format"
        )
    };
}

const OF_PROJECT: &str = use_sql!("p.id = $1", "(SELECT namespace_id FROM projects WHERE id = $1)");
const OF_GROUP: &str = use_sql!(
    "p.namespace_id IN (SELECT descendant_id FROM namespace_ancestors WHERE ancestor_id = $1)",
    "$1"
);

/// What the packages of a place take, all together and by format. One statement.
pub async fn used(store: &Store, place: Place) -> Result<(StorageUse, Vec<(PackageFormat, StorageUse)>)> {
    let (sql, id) = match place {
        Place::Project(ProjectId(id)) => (OF_PROJECT, id),
        Place::Group(NamespaceId(id)) => (OF_GROUP, id),
    };
    let (mut total, mut formats) = (StorageUse::default(), Vec::new());
    for row in rows::all_sql::<Row>(store.reader(), sql, [Value::from(id)]).await? {
        let used = StorageUse {
            size: row.size.unsigned_abs(),
            exclusive_bytes: row.exclusive.unsigned_abs(),
            shared_bytes: row.shared.unsigned_abs(),
        };
        match row.format {
            -1 => total = used,
            format => formats.push((convert::format(format)?, used)),
        }
    }
    Ok((total, formats))
}
