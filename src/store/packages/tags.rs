//! Tags: movable names for versions. Moving one closes its row and writes another, so that the past can be told.

use domain::{EventKind, Failure, PackageId, PackageNameId, PackageTagId, Subject};
use entity::{package, package_tag};
use sea_orm::{
    ConnectionTrait, FromQueryResult, Value,
    sea_query::{Expr, ExprTrait, Order, Query},
};
use time::OffsetDateTime;

use super::{PackageTag, publish::touch_name};
use crate::{
    Result, Store, Tx,
    audit_events::{self, Done},
    convert::stored,
    rows,
};

#[derive(FromQueryResult)]
struct TagRow {
    id: i64,
    package_id: i64,
    name: String,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl From<TagRow> for PackageTag {
    fn from(row: TagRow) -> Self {
        Self {
            id: PackageTagId(row.id),
            package_id: PackageId(row.package_id),
            name: row.name,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The tags that point at these packages, which were opened, by name.
pub async fn tags_of(store: &Store, packages: &[PackageId]) -> Result<Vec<PackageTag>> {
    let tag = |field| (package_tag::Entity, field);
    let select = Query::select()
        .column(tag(package_tag::Column::Id))
        .column(tag(package_tag::Column::PackageId))
        .column(tag(package_tag::Column::Name))
        .column(tag(package_tag::Column::CreatedAt))
        .column(tag(package_tag::Column::UpdatedAt))
        .from(package_tag::Entity)
        .and_where(
            Expr::col(tag(package_tag::Column::PackageId)).is_in(packages.iter().map(|package| package.0)),
        )
        .and_where(Expr::col(tag(package_tag::Column::RemovedAt)).is_null())
        .order_by(tag(package_tag::Column::Name), Order::Asc)
        .take();
    Ok(rows::all::<TagRow>(store.reader(), &select).await?.into_iter().map(Into::into).collect())
}

/// Points tags at a package, in the transaction of a publish or on their own. A tag that points there already is left alone.
pub(super) async fn point(
    tx: &Tx,
    name_id: i64,
    package_id: i64,
    tags: &[String],
    now: OffsetDateTime,
) -> Result<()> {
    for tag in tags {
        rows::execute(
            tx,
            "UPDATE package_tags SET removed_at = $1, updated_at = $1 \
             WHERE name_id = $2 AND name = $3 AND removed_at IS NULL AND package_id <> $4",
            [Value::from(stored(now)), name_id.into(), tag.as_str().into(), package_id.into()],
        )
        .await?;
        rows::execute(
            tx,
            "INSERT INTO package_tags (name_id, package_id, name, created_at, updated_at) \
             SELECT $2, $4, $3, $1, $1 WHERE NOT EXISTS \
             (SELECT 1 FROM package_tags WHERE name_id = $2 AND name = $3 AND removed_at IS NULL)",
            [Value::from(stored(now)), name_id.into(), tag.as_str().into(), package_id.into()],
        )
        .await?;
    }
    Ok(())
}

/// Points `tag` at a version that was opened, and answers the tag.
pub async fn set_tag(
    store: &Store,
    target: &super::Package,
    tag: &str,
    now: OffsetDateTime,
) -> Result<PackageTag> {
    let input = (store.actor(), target.name_id.0, target.id.0, tag.to_owned());
    store
        .write(input, move |tx, (actor, name_id, package_id, tag)| {
            Box::pin(async move {
                touch_name(tx, *name_id, now).await?;
                alive(tx, *package_id).await?;
                point(tx, *name_id, *package_id, std::slice::from_ref(tag), now).await?;
                let done = Done::new(EventKind::PackageTagSet, "tag set").with("tag", tag);
                audit_events::note(tx, actor, &done, *package_id, now).await
            })
        })
        .await?;
    let tags = tags_of(store, &[target.id]).await?;
    tags.into_iter()
        .find(|found| found.name == tag)
        .ok_or_else(|| Failure::not_found(Subject::PackageTag).into())
}

/// Fails when the package was deleted meanwhile.
pub(super) async fn alive(tx: &Tx, package_id: i64) -> Result<()> {
    let select = Query::select()
        .expr(Expr::val(1))
        .from(package::Entity)
        .and_where(Expr::col(package::Column::Id).eq(package_id))
        .and_where(Expr::col(package::Column::DeletedAt).is_null())
        .take();
    match tx.query_one(&select).await? {
        Some(_) => Ok(()),
        None => Err(Failure::not_found(Subject::Package).into()),
    }
}

/// Removes `tag` from names that were opened for it. Fails when none has it.
pub async fn remove_tag(
    store: &Store,
    names: Vec<PackageNameId>,
    tag: &str,
    now: OffsetDateTime,
) -> Result<()> {
    store
        .write((store.actor(), names, tag.to_owned()), move |tx, (actor, names, tag)| {
            Box::pin(async move {
                let done = Done::new(EventKind::PackageTagRemoved, "tag removed").with("tag", tag);
                let mut removed = 0;
                for name in names {
                    touch_name(tx, name.0, now).await?;
                    for package in untag(tx, name.0, tag, now).await? {
                        audit_events::note(tx, actor, &done, package, now).await?;
                        removed += 1;
                    }
                }
                if removed == 0 { Err(Failure::not_found(Subject::PackageTag).into()) } else { Ok(()) }
            })
        })
        .await
}

/// Closes the row of a tag, and gives the package it pointed at.
async fn untag(tx: &Tx, name_id: i64, tag: &str, now: OffsetDateTime) -> Result<Vec<i64>> {
    #[derive(FromQueryResult)]
    struct Untagged {
        package_id: i64,
    }
    let sql = "UPDATE package_tags SET removed_at = $1, updated_at = $1 \
               WHERE name_id = $2 AND name = $3 AND removed_at IS NULL RETURNING package_id";
    let values = [Value::from(stored(now)), name_id.into(), tag.into()];
    let rows = rows::all_sql::<Untagged>(tx, sql, values).await?;
    Ok(rows.into_iter().map(|row| row.package_id).collect())
}
