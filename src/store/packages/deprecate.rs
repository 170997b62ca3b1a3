//! Marking versions as deprecated.

use domain::{EventKind, PackageStatus, rules::FormatRules};
use sea_orm::Value;
use time::OffsetDateTime;

use super::{
    Package,
    fragments::{self, Change, ChangedDocuments},
    publish::touch_name,
    tags::alive,
};
use crate::{
    Result, Store,
    audit_events::{self, Done},
    convert::stored,
    rows,
};

/// A version that was opened, and what to say of it.
#[derive(Clone, Debug)]
pub struct Deprecation {
    /// The version.
    pub package: Package,
    /// The message; none takes the mark back.
    pub message: Option<String>,
}

/// Marks all of these versions, or takes the mark back: one transaction.
pub async fn deprecate(
    store: &Store,
    rules: &'static dyn FormatRules,
    deprecations: Vec<Deprecation>,
    now: OffsetDateTime,
) -> Result<()> {
    store
        .write((store.actor(), deprecations), move |tx, (actor, deprecations)| {
            Box::pin(async move {
                for Deprecation { package, .. } in deprecations {
                    touch_name(tx, package.name_id.0, now).await?;
                }
                let mut changed = ChangedDocuments::default();
                for Deprecation { package, message } in deprecations {
                    alive(tx, package.id.0).await?;
                    let status = match message {
                        Some(_) => PackageStatus::Deprecated,
                        None => PackageStatus::Default,
                    };
                    rows::execute(
                        tx,
                        "UPDATE packages SET deprecation = $1, status = $2, updated_at = $3 WHERE id = $4",
                        [
                            Value::from(message.clone()),
                            status.number().into(),
                            stored(now).into(),
                            package.id.0.into(),
                        ],
                    )
                    .await?;
                    fragments::render(tx, rules, package.id.0, Change::Version, &mut changed).await?;
                    let done = Done::new(EventKind::PackageDeprecationUpdated, "deprecation updated")
                        .with("message", message.clone().unwrap_or_default());
                    audit_events::note(tx, actor, &done, package.id.0, now).await?;
                }
                changed.raise(tx, now).await
            })
        })
        .await
}
