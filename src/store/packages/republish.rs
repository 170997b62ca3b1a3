//! What may not be published again.

use std::collections::HashSet;

use domain::{ErrorCode, Failure, Subject, rules::Republish};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};

use super::publish::{Id, NewPublication, live_version};
use crate::{Result, Store, rows};

/// Refuses what [`publish`](super::publish) would refuse, before bytes are made durable for nothing. What holds here may no longer hold there:
/// `publish` asks again.
pub async fn check(store: &Store, publication: &NewPublication) -> Result<()> {
    refuse_repetition(publication)?;
    let connection = store.reader();
    let name: Option<Id> = rows::one_sql(
        connection,
        "SELECT id FROM package_names WHERE project_id = $1 AND format = $2 AND name_key = $3",
        [
            Value::from(publication.project.0),
            publication.rules.format().number().into(),
            publication.name.key.as_str().into(),
        ],
    )
    .await?;
    let Some(Id { id: name_id }) = name else { return Ok(()) };
    match live_version(connection, name_id, publication.version.as_ref()).await? {
        Some(package) => {
            refuse_republish(connection, publication, package).await?;
            refuse_resurrection(connection, name_id, publication).await
        }
        None => refuse_resurrection(connection, name_id, publication).await,
    }
}

fn described(publication: &NewPublication) -> String {
    match &publication.version {
        Some(version) => format!("{} {}", publication.name.display, version.display),
        None => publication.name.display.clone(),
    }
}

/// Refuses a publication that has a file twice, as far as the format forbids to publish a file again.
pub(super) fn refuse_repetition(publication: &NewPublication) -> Result<()> {
    if publication.republish == Republish::LatestWins {
        return Ok(());
    }
    let mut seen = HashSet::new();
    match publication.files.iter().find(|file| !seen.insert((&file.file_name, &file.channel))) {
        Some(file) => Err(taken(publication, &file.file_name).into()),
        None => Ok(()),
    }
}

/// The refusal of a file whose name is taken.
fn taken(publication: &NewPublication, file_name: &str) -> Failure {
    let message = format!("{} already has a file named {file_name}", described(publication));
    Failure::new(ErrorCode::Duplicate, message).about(Subject::PackageFile)
}

/// Refuses to publish again what exists, as far as the format forbids it.
pub(super) async fn refuse_republish(
    connection: &impl ConnectionTrait,
    publication: &NewPublication,
    package: i64,
) -> Result<()> {
    match publication.republish {
        Republish::LatestWins => Ok(()),
        Republish::Forbidden => {
            let message = format!("{} already exists and cannot be published again", described(publication));
            Err(Failure::new(ErrorCode::Duplicate, message).about(Subject::Package).into())
        }
        Republish::NewFilesOnly => {
            for file in &publication.files {
                let existing: Option<Id> = rows::one_sql(
                    connection,
                    "SELECT id FROM package_files WHERE package_id = $1 AND file_name = $2 \
                     AND (channel = $3 OR (channel IS NULL AND CAST($3 AS TEXT) IS NULL)) AND deleted_at IS NULL LIMIT 1",
                    [Value::from(package), file.file_name.as_str().into(), file.channel.clone().into()],
                )
                .await?;
                if existing.is_some() {
                    return Err(taken(publication, &file.file_name).into());
                }
            }
            Ok(())
        }
    }
}

/// Refuses to bring back a deleted version or file with other bytes, in formats that forbid duplicates: whoever pinned a name and
/// version must never get something else. What was in a project that was deleted at the same address was deleted with it: its path
/// is kept with a suffix that no path has (see [`deleted_key`](crate::address::deleted_key)).
pub(super) async fn refuse_resurrection(
    connection: &impl ConnectionTrait,
    name_id: i64,
    publication: &NewPublication,
) -> Result<()> {
    let (Republish::Forbidden | Republish::NewFilesOnly, Some(version)) =
        (publication.republish, &publication.version)
    else {
        return Ok(());
    };
    #[derive(FromQueryResult)]
    struct Tombstone {
        file_name: String,
        channel: Option<String>,
        sha256: String,
    }
    let sql = "SELECT f.file_name, f.channel, b.sha256 FROM packages p JOIN package_files f ON f.package_id = p.id \
               JOIN blobs b ON b.id = f.blob_id \
               WHERE p.name_id IN (SELECT CAST($1 AS BIGINT) UNION ALL SELECT n.id FROM package_names own \
               JOIN projects here ON here.id = own.project_id \
               JOIN projects gone ON gone.full_path_key > here.full_path_key || '#deleted-' \
               AND gone.full_path_key < here.full_path_key || '#deleted.' \
               JOIN package_names n ON n.project_id = gone.id AND n.format = own.format AND n.name_key = own.name_key \
               WHERE own.id = $1) AND p.version_key = $2 \
               AND (p.deleted_at IS NOT NULL OR f.deleted_at IS NOT NULL OR p.name_id <> $1)";
    let values = [Value::from(name_id), version.key.as_str().into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    for row in connection.query_all_raw(statement).await? {
        let tombstone = Tombstone::from_query_result(&row, "")?;
        let differs = publication.files.iter().any(|file| {
            file.file_name == tombstone.file_name
                && file.channel == tombstone.channel
                && file.digests.sha256.to_string() != tombstone.sha256
        });
        if differs {
            let message = format!(
                "{} was deleted and cannot be published again with other content: publish a new version",
                described(publication)
            );
            return Err(Failure::new(ErrorCode::Duplicate, message).about(Subject::Package).into());
        }
    }
    Ok(())
}
