//! The dry run.

use std::sync::Arc;

use access::Action;
use async_graphql::{Context, ID, Object};
use domain::Failure;
use store::{
    Cursor,
    retention::{self, Preview, Selection},
};

use super::{
    inputs::{PackageRetentionRuleInput, rules_of},
    open_place,
    types::{PackageRetentionCandidate, bytes},
};
use crate::{
    context::ContextExt,
    gate,
    limits::connection_complexity,
    outcome::{OrError, Outcome},
    relay::connection::{Connection, Count, PageArguments, connect},
};

/// What a retention policy would let go if it were carried out now.
pub(crate) struct PackageRetentionPreview {
    selection: Arc<Selection>,
    preview: Preview,
}

/// What a retention policy would let go if it were carried out now (ours).
#[Object]
impl PackageRetentionPreview {
    /// How many versions.
    async fn versions_count(&self) -> i32 {
        i32::try_from(self.preview.versions).unwrap_or(i32::MAX)
    }
    /// Bytes of contents that only these versions have, of all files of the top-level namespace: so much less is stored for it, once
    /// the bytes of deleted files are removed. That strangers store the same is not told, though it is stored once.
    async fn exclusive_bytes(&self) -> f64 {
        bytes(self.preview.exclusive_bytes)
    }
    /// Bytes of contents that other files of the top-level namespace have as well, and that therefore stay.
    async fn shared_bytes(&self) -> f64 {
        bytes(self.preview.shared_bytes)
    }
    /// The versions.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn packages(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Connection<PackageRetentionCandidate, Count>> {
        let arguments = PageArguments { first, last, after, before, skip: None };
        let request = arguments.request(ctx, "candidate+").or_error()?;
        let page = retention::list(ctx.store(), &self.selection, &request).await.or_error()?;
        let versions = self.preview.versions;
        let count =
            Count::new(
                move |_, limit| async move { Ok(limit.map_or(versions, |limit| versions.min(limit))) },
            );
        let cursor = |candidate: &retention::Candidate| Cursor { sort: None, id: candidate.id.0 };
        Ok(connect(page, "candidate+", count, cursor, Into::into))
    }
}

async fn preview(
    ctx: &Context<'_>,
    paths: (Option<&ID>, Option<&ID>),
    rules: Option<Vec<PackageRetentionRuleInput>>,
) -> Result<PackageRetentionPreview, Failure> {
    let place = open_place(ctx, paths, Action::ViewPackageSettings).await?;
    gate::authorize_all_packages(ctx)?;
    let rules = match rules {
        Some(rules) => rules_of(rules)?,
        None => retention::in_force(ctx.store(), place).await?.map(|policy| policy.rules).unwrap_or_default(),
    };
    let protected = retention::protected(ctx.store(), &ctx.state().rules, place.into()).await?;
    let selection = Selection { scope: place.into(), rules, protected, as_of: ctx.now() };
    let preview = retention::preview(ctx.store(), &selection).await?;
    Ok(PackageRetentionPreview { selection: Arc::new(selection), preview })
}

#[derive(Default)]
pub(crate) struct RetentionQuery;

#[Object]
impl RetentionQuery {
    /// What the retention policy of a project or group, or one with other rules, would let go if it were carried out now (ours): exactly
    /// that, and whether it is switched on or not. What a protection rule covers stays. For those who may see the policy.
    #[graphql(complexity = "20 + child_complexity")]
    async fn package_retention_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Full path or decimal id of the project.")] project_path: Option<ID>,
        #[graphql(desc = "Full path or decimal id of the group.")] group_path: Option<ID>,
        #[graphql(desc = "These rules instead of the ones that hold there.")] rules: Option<
            Vec<PackageRetentionRuleInput>,
        >,
    ) -> Outcome<PackageRetentionPreview> {
        preview(ctx, (project_path.as_ref(), group_path.as_ref()), rules).await.or_error()
    }
}
