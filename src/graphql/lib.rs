//! The canonical model: the schema, and everything that may happen to it.
//!
//! The only caller of `store`, `blob` and `access`. Adapters reach it through `gateway` alone; people and scripts through
//! `POST /api/graphql`, which runs the same schema with limits. Every resolver authorizes through `gate`, every failure
//! leaves through `outcome`.
//!
//! What must not go in here: protocols of package managers, SQL, knowledge of one format beyond the metadata types that
//! GitLab's schema prescribes.

#![recursion_limit = "256"] // The roots are merged of many nouns, one inside the next.

mod audit_event;
mod authenticate;
mod backend;
mod background;
mod cleanup_policy;
mod coercion;
mod context;
mod gate;
mod group;
mod in_force;
mod instance;
mod limits;
mod member;
mod mutation;
mod nul;
mod outcome;
mod package;
mod package_settings;
mod pipeline;
mod place;
mod project;
mod protection_rule;
mod query;
mod refusals;
mod relay;
mod retention;
mod scalars;
mod sign_in;
mod storage;
mod throttle;
mod token;
mod trusted_publishing;
mod upload;
mod user;
mod validate;
mod virtual_registry;

use std::sync::Arc;

use async_graphql::{
    BatchRequest, BatchResponse, EmptySubscription, Request, Response, SchemaBuilder, ServerResult,
};
use blob::{BlobStore, Sealer};
use domain::{Clock, Failure, rules::RuleBook};
use futures::future::BoxFuture;
use gateway::{ByteStream, Session};
use store::Store;

pub use background::{Collected, CollectionRules, Worker, collect, collectable};
pub use sign_in::SignIn;
pub use throttle::THROTTLED;
pub use validate::validate;

use crate::package::TerraformModuleMetadataSharedFields;
use crate::{
    context::{Arrived, State},
    in_force::InForce,
    limits::{Door, LimitsFactory, Spent},
    mutation::Mutation,
    query::Query,
    refusals::Refusals,
    relay::global_id::PackagesUploadID,
};

type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// Purpose of the key that seals upload ids and read tickets.
const TICKETS: &str = "tickets";

/// What a model is made of.
pub struct Settings {
    /// The database, migrated.
    pub store: Store,
    /// The bytes.
    pub blobs: Arc<dyn BlobStore>,
    /// The rules of every format the server knows.
    pub rules: RuleBook,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// What links start with, without a slash at the end.
    pub external_url: Arc<str>,
    /// Checks ID tokens of the issuers that the administrator trusts.
    pub id_tokens: oidc::Verifier,
    /// How people may sign in.
    pub sign_in: SignIn,
}

/// The canonical model, ready to run operations. One per process.
pub struct Model {
    state: Arc<State>,
    /// For adapters: strict, without limits, since their documents are ours and tested.
    internal: Schema,
    /// For everybody else: the same types, the same validation, and limits.
    open: Schema,
}

fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .register_output_type::<TerraformModuleMetadataSharedFields>()
}

/// The schema in the schema definition language, as `schema.graphql` holds it.
pub fn sdl() -> String {
    let options =
        async_graphql::SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items();
    builder().finish().sdl_with_options(options)
}

impl Model {
    /// Makes the model. Reads, or on the first start makes, the key that seals tickets.
    pub async fn new(settings: Settings) -> Result<Arc<Self>, Failure> {
        let Settings { store, blobs, rules, clock, external_url, id_tokens, sign_in } = settings;
        let key = store.signing_key(TICKETS, clock.now()).await?;
        let in_force = InForce::read(&store, &rules, &clock).await?;
        let state = Arc::new(State {
            in_force,
            store,
            blobs,
            rules,
            clock,
            external_url,
            sealer: Sealer::new(&key),
            id_tokens,
            sign_in,
            arrived: Arc::new(Arrived::default()),
        });
        Ok(Arc::new(Self {
            state,
            internal: builder().finish(),
            open: builder().extension(LimitsFactory).finish(),
        }))
    }

    /// Runs what came in through the open door, under its limits.
    ///
    /// Boxed and nameless, as at the internal door: a future with a name is laid out by each crate that awaits it, down to the
    /// last noun of the roots, which an optimized build of a crate with the usual recursion limit refuses.
    pub fn execute_open<'a>(
        &'a self,
        session: &'a Session,
        request: BatchRequest,
    ) -> BoxFuture<'a, BatchResponse> {
        Box::pin(async move {
            match request {
                BatchRequest::Single(request) => {
                    BatchResponse::Single(self.execute_one(session, request).await)
                }
                BatchRequest::Batch(requests) => {
                    let mut responses = Vec::with_capacity(requests.len());
                    for request in requests {
                        responses.push(self.execute_one(session, request).await);
                    }
                    BatchResponse::Batch(responses)
                }
            }
        })
    }

    async fn execute_one(&self, session: &Session, mut request: Request) -> Response {
        let limits = self.state.in_force.limits();
        let admitted = limits::admit(&mut request, &limits.graphql)
            .and_then(|()| coercion::check(&mut request))
            .and_then(|()| without_nul(&mut request));
        let mut response = match admitted {
            Ok(()) => {
                let request = request.data(Arc::new(Spent::default()));
                self.run(&self.open, Door::Open, session, request).await
            }
            Err(error) => Response::from_errors(vec![error]),
        };
        response.errors.iter_mut().for_each(outcome::with_code);
        response
    }

    /// Runs a request in the name of its caller. What it was refused is written down before the answer goes out.
    async fn run(&self, schema: &Schema, door: Door, session: &Session, request: Request) -> Response {
        if let Err(failure) = nul::check_variables(&request.variables) {
            return Response::from_errors(vec![outcome::request_error(failure)]);
        }
        let caller = backend::caller(session);
        let store = self.state.store.on_behalf_of(caller.actor());
        let refusals = Arc::new(Refusals::default());
        let request = request
            .data(caller)
            .data(store.clone())
            .data(Arc::clone(&refusals))
            .data(Arc::clone(&self.state))
            .data(door);
        let response = schema.execute(request).await;
        refusals.write_down(&response, &store, self.state.clock.now()).await;
        response
    }

    /// Most documents that a batch may hold.
    pub fn batch_limit(&self) -> u64 {
        self.state.in_force.limits().graphql.batch
    }

    /// Takes over limits that were changed through another server, and forgets requests that no longer count. To be called every
    /// few seconds.
    pub async fn follow_limits(&self) -> Result<(), Failure> {
        self.state.in_force.follow(&self.state.store).await
    }

    /// Receives the bytes of an upload that `createUpload` gave the token of, for a publish in a later request. Answers the size.
    pub async fn receive_upload(
        &self,
        session: &Session,
        token: &str,
        body: ByteStream,
    ) -> Result<u64, Failure> {
        let id = PackagesUploadID::from_token(token);
        let staged = upload::stage_at_door(&self.state, &backend::caller(session), &id.0, body).await?;
        Ok(staged.size)
    }
}

/// Refuses a document in which U+0000 is written. Variables are looked at on every way in.
fn without_nul(request: &mut Request) -> ServerResult<()> {
    nul::check_document(request.parsed_query()?).map_err(outcome::request_error)
}
