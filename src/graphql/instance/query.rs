//! What the instance is.

use std::sync::Arc;

use access::Action;
use async_graphql::{Context, Object, SimpleObject};
use store::instance_settings;

use super::settings::InstanceSettings;
use crate::{
    context::ContextExt,
    gate,
    limits::Spent,
    outcome::{OrError, Outcome},
};

/// The release of GitLab whose interfaces this server speaks: scripts compare it with what they need.
const SPOKEN_VERSION: &str = "18.10.0";

/// What the instance is.
#[derive(SimpleObject)]
struct Metadata {
    /// The release of GitLab whose interfaces it speaks.
    version: &'static str,
    /// Its own name and release.
    revision: String,
    /// Whether it is an Enterprise Edition.
    enterprise: bool,
}

/// What the document costs, and may cost.
#[derive(SimpleObject)]
struct QueryComplexity {
    /// What it costs.
    score: Option<i32>,
    /// What a document of the caller may cost.
    limit: Option<i32>,
}

#[derive(Default)]
pub(crate) struct InstanceQuery;

#[Object]
impl InstanceQuery {
    /// What the instance is.
    async fn metadata(&self) -> Option<Metadata> {
        let revision = format!("entrepot-{}", env!("CARGO_PKG_VERSION"));
        Some(Metadata { version: SPOKEN_VERSION, revision, enterprise: false })
    }

    /// Says back what it is told, and by whom.
    async fn echo(&self, ctx: &Context<'_>, text: String) -> String {
        match &ctx.caller().username {
            Some(username) => format!("\"{username}\" says: {text}"),
            None => format!("nil says: {text}"),
        }
    }

    /// What the document costs, and may cost.
    async fn query_complexity(&self, ctx: &Context<'_>) -> Option<QueryComplexity> {
        let limits = ctx.state().in_force.limits();
        let (score, limit) = ctx.data_opt::<Arc<Spent>>()?.complexity(&limits.graphql, ctx.caller());
        Some(QueryComplexity { score: i32::try_from(score).ok(), limit: i32::try_from(limit).ok() })
    }

    /// The instance's switches (ours). For signed-in callers.
    async fn instance_settings(&self, ctx: &Context<'_>) -> Outcome<InstanceSettings> {
        gate::authorize_instance(ctx, Action::View).or_error()?;
        Ok(instance_settings::get(ctx.store()).await.or_error()?.into())
    }
}
