//! What resolvers find in their context.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use access::{Identity, Viewer};
use async_graphql::Context;
use blob::{BlobStore, Sealer, Staged, StagingId};
use domain::{AccessTokenId, CiJobId, Clock, PipelineId, UserSessionId, rules::RuleBook};
use store::{
    Store,
    audit_events::{Actor, Means},
};
use time::OffsetDateTime;

use crate::{in_force::InForce, sign_in::SignIn};

/// What the model is made of; one per process.
pub(crate) struct State {
    /// In nobody's name: changes are made through [`ContextExt::store`].
    pub(crate) store: Store,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) rules: RuleBook,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) external_url: Arc<str>,
    pub(crate) sealer: Sealer,
    pub(crate) id_tokens: oidc::Verifier,
    pub(crate) sign_in: SignIn,
    pub(crate) arrived: Arc<Arrived>,
    pub(crate) in_force: InForce,
}

/// Uploads that arrived through this process and wait for the publish of the same request. The others are read from the
/// manifests in the store of bytes.
#[derive(Default)]
pub(crate) struct Arrived(Mutex<HashMap<StagingId, Staged>>);

impl Arrived {
    pub(crate) fn insert(&self, staged: Staged) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(staged.id, staged);
    }

    pub(crate) fn get(&self, id: StagingId) -> Option<Staged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub(crate) fn remove(&self, id: StagingId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// Who runs the request: what a session holds.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) viewer: Viewer,
    /// Name of the user, or user name of the deploy token.
    pub(crate) username: Option<String>,
    /// The personal access token in use.
    pub(crate) access_token: Option<AccessTokenId>,
    /// The CI job that asks.
    pub(crate) job: Option<CiJobId>,
    /// The pipeline of that job.
    pub(crate) pipeline: Option<PipelineId>,
    /// The session in use.
    pub(crate) session: Option<UserSessionId>,
    /// Where the request comes from.
    pub(crate) address: Option<IpAddr>,
}

impl Caller {
    pub(crate) const fn anonymous() -> Self {
        Self::new(Viewer::anonymous(), None)
    }

    /// A caller of this name who proved to be `viewer`.
    pub(crate) const fn new(viewer: Viewer, username: Option<String>) -> Self {
        Self { viewer, username, access_token: None, job: None, pipeline: None, session: None, address: None }
    }

    /// In whose name changes are written down.
    pub(crate) fn actor(&self) -> Actor {
        let name = self.username.clone().unwrap_or_else(|| "anonymous".to_owned());
        Actor::of(self.viewer.identity(), name).by(self.means()).at(self.address)
    }

    /// By what the caller acts, as the audit log has it.
    const fn means(&self) -> Means {
        match self {
            Self { job: Some(_), .. } => Means::Job,
            Self { session: Some(_), .. } => Means::Session,
            _ => Means::Token,
        }
    }

    /// A text that names the caller, for binding tickets to it.
    pub(crate) fn subject(&self) -> String {
        match self.viewer.identity() {
            Identity::Anonymous => "anonymous".to_owned(),
            Identity::User { id, .. } => format!("user:{id}"),
            Identity::DeployToken { id, .. } => format!("deploy-token:{id}"),
            Identity::TrustedPublisher { id, .. } => format!("trusted-publisher:{id}"),
        }
    }
}

/// Short names for what the context holds.
pub(crate) trait ContextExt<'a> {
    fn state(&self) -> &'a State;
    fn caller(&self) -> &'a Caller;
    fn viewer(&self) -> &'a Viewer {
        &self.caller().viewer
    }
    /// The database, in the name of the caller.
    fn store(&self) -> &'a Store;
    fn now(&self) -> OffsetDateTime {
        self.state().clock.now()
    }
}

impl<'a> ContextExt<'a> for Context<'a> {
    fn state(&self) -> &'a State {
        self.data_unchecked::<Arc<State>>()
    }

    fn caller(&self) -> &'a Caller {
        self.data_unchecked::<Caller>()
    }

    fn store(&self) -> &'a Store {
        self.data_unchecked::<Store>()
    }
}
