//! The instance's limits: of documents, of requests, of files.

use std::collections::BTreeMap;

use access::Action;
use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use domain::{
    Failure, InstanceLimits, Throttle,
    limits::{self, file_size_key, rate_keys},
};
use serde_json::Value;

use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
    package::PackageTypeEnum,
    scalars::BigInt,
};

/// Requests that are counted together (ours).
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::Throttle")]
pub(crate) enum RateLimitName {
    /// Requests without a credential, for each address.
    UnauthenticatedApi,
    /// Requests with an accepted credential, for each user, deploy token or trusted publisher.
    AuthenticatedApi,
    /// Requests of package managers without a credential, for each address; as UNAUTHENTICATED_API while this is off.
    UnauthenticatedPackagesApi,
    /// Requests of package managers with an accepted credential; as AUTHENTICATED_API while this is off.
    AuthenticatedPackagesApi,
    /// Credentials that were not accepted, for each address. While too many were not, no other from there is looked at.
    FailedAuthentication,
    /// Attempts to sign in or to exchange an ID token, for each address.
    SignIn,
}

/// How many requests of one kind are let through (ours).
#[derive(SimpleObject)]
pub(crate) struct RateLimit {
    name: RateLimitName,
    /// Whether they are counted.
    enabled: bool,
    /// How many at once, and in each period on the whole.
    requests_per_period: u64,
    /// How long a period is.
    period_in_seconds: u64,
}

/// What a document that comes through `POST /api/graphql` may ask for (ours).
#[derive(SimpleObject)]
pub(crate) struct GraphqlLimits {
    /// Complexity that an anonymous caller may spend.
    anonymous_complexity: u64,
    /// Complexity that a signed-in caller may spend.
    signed_in_complexity: u64,
    /// Deepest nesting of fields.
    depth: u64,
    /// Longest document, in characters.
    length: u64,
    /// Most documents in a batch.
    batch_size: u64,
}

/// How large a file of one format may be (ours).
#[derive(SimpleObject)]
pub(crate) struct FileSizeLimit {
    package_type: PackageTypeEnum,
    /// Most bytes; 0 for no limit.
    maximum_size: BigInt,
}

/// The instance's limits.
pub(crate) struct Limits(InstanceLimits);

/// The instance's limits (ours).
#[Object(name = "InstanceLimits")]
impl Limits {
    /// What a document may ask for.
    async fn graphql(&self) -> GraphqlLimits {
        let limits::GraphqlLimits { anonymous_complexity, signed_in_complexity, depth, length, batch } =
            self.0.graphql;
        GraphqlLimits { anonymous_complexity, signed_in_complexity, depth, length, batch_size: batch }
    }
    /// How many requests of each kind are let through. Each server counts for itself.
    async fn rate_limits(&self) -> Vec<RateLimit> {
        let limit = |throttle| {
            let limits::Rate { enabled, requests, seconds } = self.0.rate(throttle);
            RateLimit {
                name: throttle.into(),
                enabled,
                requests_per_period: requests,
                period_in_seconds: seconds,
            }
        };
        Throttle::ALL.into_iter().map(limit).collect()
    }
    /// How large a file of each format may be.
    async fn file_size_limits(&self) -> Vec<FileSizeLimit> {
        let limit = |(format, size): (&domain::PackageFormat, &u64)| FileSizeLimit {
            package_type: (*format).into(),
            maximum_size: BigInt(*size),
        };
        self.0.file_sizes.iter().map(limit).collect()
    }
}

/// What documents may ask for from now on; what is left out stays.
#[derive(InputObject)]
pub(crate) struct GraphqlLimitsInput {
    /// From 50 on.
    anonymous_complexity: Option<u64>,
    /// From 50 on.
    signed_in_complexity: Option<u64>,
    /// From 5 to 32.
    depth: Option<u64>,
    /// From 2000 to 1000000 characters.
    length: Option<u64>,
    /// From 1 to 100.
    batch_size: Option<u64>,
}

/// How many requests of one kind are let through from now on; what is left out stays.
#[derive(InputObject)]
pub(crate) struct RateLimitInput {
    name: RateLimitName,
    enabled: Option<bool>,
    /// From 10 on.
    requests_per_period: Option<u64>,
    /// From 1 to 3600.
    period_in_seconds: Option<u64>,
}

/// How large a file of one format may be from now on.
#[derive(InputObject)]
pub(crate) struct FileSizeLimitInput {
    package_type: PackageTypeEnum,
    /// Most bytes; 0 for no limit.
    maximum_size: BigInt,
}

/// Limits to change; what is left out stays.
#[derive(InputObject)]
pub(crate) struct UpdateInstanceLimitsInput {
    graphql: Option<GraphqlLimitsInput>,
    rate_limits: Option<Vec<RateLimitInput>>,
    file_size_limits: Option<Vec<FileSizeLimitInput>>,
}

impl UpdateInstanceLimitsInput {
    /// The settings to change, by name.
    fn into_values(self, ctx: &Context<'_>) -> Result<BTreeMap<String, Value>, Failure> {
        let mut values = BTreeMap::new();
        let mut change = |name: String, value: Option<Value>| {
            if let Some(value) = value {
                values.insert(name, value);
            }
        };
        if let Some(graphql) = self.graphql {
            for (name, value) in [
                ("graphql_anonymous_complexity", graphql.anonymous_complexity),
                ("graphql_signed_in_complexity", graphql.signed_in_complexity),
                ("graphql_depth", graphql.depth),
                ("graphql_document_length", graphql.length),
                ("graphql_batch_size", graphql.batch_size),
            ] {
                change(name.to_owned(), value.map(Into::into));
            }
        }
        for limit in self.rate_limits.unwrap_or_default() {
            let [enabled, requests, seconds] = rate_keys(limit.name.into());
            change(enabled, limit.enabled.map(Into::into));
            change(requests, limit.requests_per_period.map(Into::into));
            change(seconds, limit.period_in_seconds.map(Into::into));
        }
        for limit in self.file_size_limits.unwrap_or_default() {
            let format = limit.package_type.into();
            ctx.state().rules.get(format)?;
            change(file_size_key(format), Some(limit.maximum_size.0.into()));
        }
        Ok(values)
    }
}

/// The limits as they now are.
#[derive(SimpleObject)]
pub(crate) struct UpdateInstanceLimitsPayload {
    instance_limits: Option<Limits>,
    errors: Vec<String>,
}

#[derive(Default)]
pub(crate) struct LimitsQuery;

#[Object]
impl LimitsQuery {
    /// The instance's limits (ours). For administrators.
    async fn instance_limits(&self, ctx: &Context<'_>) -> Outcome<Limits> {
        gate::authorize_instance(ctx, Action::Administer).or_error()?;
        let defaults = ctx.state().in_force.defaults();
        Ok(Limits(store::limits::get(ctx.store(), defaults).await.or_error()?))
    }
}

#[derive(Default)]
pub(crate) struct LimitsMutation;

#[Object]
impl LimitsMutation {
    /// Changes the instance's limits (ours). For administrators. Other servers follow within seconds.
    async fn update_instance_limits(
        &self,
        ctx: &Context<'_>,
        input: UpdateInstanceLimitsInput,
    ) -> Outcome<Option<UpdateInstanceLimitsPayload>> {
        gate::authorize_instance(ctx, Action::Administer).or_error()?;
        let in_force = &ctx.state().in_force;
        let change = input.into_values(ctx).or_error()?;
        let updated = store::limits::update(ctx.store(), in_force.defaults(), change, ctx.now()).await;
        let limits = updated.or_error()?;
        in_force.set(limits.clone());
        let instance_limits = Some(Limits(limits));
        Ok(Some(UpdateInstanceLimitsPayload { instance_limits, errors: Vec::new() }))
    }
}
