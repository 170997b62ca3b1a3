//! The ready-made pieces that versions and files contribute to index documents, written in the transaction that changes them.
//!
//! A document about one name has the name's revision. A document about many names has one of its own, in
//! `package_documents`, raised here for every document that a piece came to or left.

use std::collections::BTreeSet;

use domain::{
    PackageFileId, VersionFlag,
    rules::{DocumentScope, FormatRules, Fragment, PublishedFile, PublishedVersion},
};
use entity::{package, package_file};
use sea_orm::{
    FromQueryResult, Value,
    sea_query::{Expr, ExprTrait, Order},
};
use time::OffsetDateTime;

use super::{
    Package, PackageFile, flags,
    rows::{FileRow, PackageRow, select_files, select_packages},
};
use crate::{Result, Tx, convert::stored, rows};

/// Where the piece of a version as a whole stands among those of its files.
const WHOLE_VERSION: i64 = 0;

/// What changed, and with it which pieces are made anew.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    /// A new version, with these files.
    NewVersion(&'a [PackageFileId]),
    /// These files were added to a version.
    NewFiles(&'a [PackageFileId]),
    /// The version itself: its flags or its status.
    Version,
    /// This file went away.
    FileGone(PackageFileId),
}

/// Documents about many names of a project that a transaction changed. Their revisions are raised at its end, in one order
/// for all writers, so that PostgreSQL finds no deadlock.
#[derive(Debug, Default)]
pub(super) struct ChangedDocuments(BTreeSet<(i64, i16, String)>);

impl ChangedDocuments {
    pub(super) async fn raise(self, tx: &Tx, now: OffsetDateTime) -> Result<()> {
        for (project, format, document) in self.0 {
            rows::execute(
                tx,
                "INSERT INTO package_documents (project_id, format, document, revision, updated_at) \
                 VALUES ($1, $2, $3, 1, $4) ON CONFLICT (project_id, format, document) \
                 DO UPDATE SET revision = package_documents.revision + 1, updated_at = excluded.updated_at",
                [Value::from(project), format.into(), document.into(), stored(now).into()],
            )
            .await?;
        }
        Ok(())
    }
}

const fn number(scope: DocumentScope) -> i16 {
    match scope {
        DocumentScope::Name => 0,
        DocumentScope::Project => 1,
    }
}

/// Makes the pieces of a version anew, as far as `change` touches them.
pub(super) async fn render(
    tx: &Tx,
    rules: &'static dyn FormatRules,
    package: i64,
    change: Change<'_>,
    changed: &mut ChangedDocuments,
) -> Result<()> {
    let mut select = select_packages();
    select.and_where(Expr::col((package::Entity, package::Column::Id)).eq(package));
    let Some(row) = rows::one::<PackageRow>(tx, &select).await? else { return Ok(()) };
    let version = Package::try_from(row)?;
    let place = (version.project.id.0, rules.format().number());
    let flags = match change {
        Change::NewVersion(_) => Vec::new(),
        Change::NewFiles(_) | Change::Version | Change::FileGone(_) => flags::of(tx, package).await?,
    };
    let files = files_of(tx, package, wanted_files(rules, change)).await?;
    match change {
        Change::NewVersion(_) => {}
        Change::NewFiles(_) => remove(tx, package, Some(WHOLE_VERSION), place, changed).await?,
        Change::Version => remove(tx, package, None, place, changed).await?,
        Change::FileGone(file) => {
            remove(tx, package, Some(WHOLE_VERSION), place, changed).await?;
            remove(tx, package, Some(file.0), place, changed).await?;
        }
    }
    let version = published(&version, &flags, if rules.fragments_read_files() { &files } else { &[] });
    let mut pieces: Vec<_> =
        rules.fragments(&version).into_iter().map(|fragment| (WHOLE_VERSION, fragment)).collect();
    for file in files.iter().filter(|file| change.makes_pieces_of(file.id)) {
        pieces.extend(rules.file_fragments(&version, file).into_iter().map(|piece| (file.id.0, piece)));
    }
    for (file, fragment) in pieces {
        if fragment.scope == DocumentScope::Project {
            changed.0.insert((place.0, place.1, fragment.document.clone().into_owned()));
        }
        insert(tx, package, file, fragment).await?;
    }
    Ok(())
}

impl Change<'_> {
    fn makes_pieces_of(self, file: PackageFileId) -> bool {
        match self {
            Self::NewVersion(files) | Self::NewFiles(files) => files.contains(&file),
            Self::Version => true,
            Self::FileGone(_) => false,
        }
    }
}

fn published<'a>(
    version: &'a Package,
    flags: &'a [VersionFlag],
    files: &'a [PublishedFile],
) -> PublishedVersion<'a> {
    PublishedVersion {
        project: version.project.id,
        name: &version.name,
        version: version.version.as_deref(),
        status: version.status,
        metadata: &version.metadata,
        deprecation: version.deprecation.as_deref(),
        flags,
        files,
        created_at: version.created_at,
    }
}

/// Which files of a version are looked at.
enum Wanted<'a> {
    All,
    Only(&'a [PackageFileId]),
}

fn wanted_files<'a>(rules: &'static dyn FormatRules, change: Change<'a>) -> Wanted<'a> {
    match change {
        _ if rules.fragments_read_files() => Wanted::All,
        Change::Version => Wanted::All,
        Change::NewVersion(files) | Change::NewFiles(files) => Wanted::Only(files),
        Change::FileGone(_) => Wanted::Only(&[]),
    }
}

async fn files_of(tx: &Tx, package: i64, wanted: Wanted<'_>) -> Result<Vec<PublishedFile>> {
    let id = || Expr::col((package_file::Entity, package_file::Column::Id));
    let mut select = select_files();
    match wanted {
        Wanted::Only([]) => return Ok(Vec::new()),
        Wanted::Only(files) => select.and_where(id().is_in(files.iter().map(|file| file.0))),
        Wanted::All => {
            select.and_where(Expr::col((package_file::Entity, package_file::Column::PackageId)).eq(package))
        }
    };
    select.order_by((package_file::Entity, package_file::Column::Id), Order::Asc);
    rows::all::<FileRow>(tx, &select)
        .await?
        .into_iter()
        .map(|row| {
            let file = PackageFile::try_from(row)?;
            Ok(PublishedFile {
                id: file.id,
                file_name: file.file_name,
                channel: file.channel,
                size: file.size,
                digests: file.digests,
                properties: file.properties,
                created_at: file.created_at,
            })
        })
        .collect()
}

async fn insert(tx: &Tx, package: i64, file: i64, fragment: Fragment) -> Result<()> {
    rows::execute(
        tx,
        "INSERT INTO package_fragments (package_id, file_id, document, scope, body) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (package_id, file_id, document) DO UPDATE SET scope = excluded.scope, body = excluded.body",
        [
            Value::from(package),
            file.into(),
            fragment.document.into_owned().into(),
            number(fragment.scope).into(),
            fragment.body.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Takes pieces of a version away: those of one file, of the version as a whole, or all of them.
pub(super) async fn remove(
    tx: &Tx,
    package: i64,
    file: Option<i64>,
    (project, format): (i64, i16),
    changed: &mut ChangedDocuments,
) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Piece {
        document: String,
        scope: i16,
    }
    let pieces: Vec<Piece> = rows::all_sql(
        tx,
        "DELETE FROM package_fragments WHERE package_id = $1 \
         AND (CAST($2 AS BIGINT) IS NULL OR file_id = $2) RETURNING document, scope",
        [Value::from(package), file.into()],
    )
    .await?;
    for piece in pieces.into_iter().filter(|piece| piece.scope == number(DocumentScope::Project)) {
        changed.0.insert((project, format, piece.document));
    }
    Ok(())
}
