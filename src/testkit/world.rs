//! Everything behind the doors, in one call.

use std::{sync::Arc, time::Duration};

use async_graphql::{BatchRequest, BatchResponse, Variables};
use axum::Router;
use blob::{BlobStore, DiskStore, MemoryStore, StagingId};
use domain::{Clock, Failure, rules::RuleBook};
use gateway::{Backend, Gateway, Origin, Session};
use graphql::{Collected, CollectionRules, Model, Worker};
use oidc::{Provider, ProviderSettings};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::Store;
use time::OffsetDateTime;

use crate::{Client, People, Person, TestClock, database::TestDatabase};

/// What links in answers start with.
pub(crate) const EXTERNAL_URL: &str = "http://registry.test";

/// Where a world keeps bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blobs {
    /// In memory.
    #[default]
    Memory,
    /// In a temporary folder.
    Disk,
}

async fn model(
    store: Store,
    blobs: Arc<dyn BlobStore>,
    rules: RuleBook,
    clock: Arc<TestClock>,
    trusted: &Trusted,
) -> Arc<Model> {
    let id_tokens = oidc::Verifier::new(&trusted.issuers).expect("issuers");
    let providers =
        trusted.providers.iter().cloned().map(|provider| Provider::new(provider).expect("a provider"));
    let sign_in = graphql::SignIn { passwords: trusted.passwords, providers: providers.collect() };
    let external_url = EXTERNAL_URL.into();
    let settings = graphql::Settings { store, blobs, rules, clock, external_url, id_tokens, sign_in };
    Model::new(settings).await.expect("a model")
}

/// Whom a world believes beside its own tokens.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// Whose ID tokens projects may trust.
    pub issuers: Vec<String>,
    /// Whether people sign in with passwords.
    pub passwords: bool,
    /// With whom they sign in as well.
    pub providers: Vec<ProviderSettings>,
}

impl Default for Trusted {
    fn default() -> Self {
        Self { issuers: Vec::new(), passwords: true, providers: Vec::new() }
    }
}

/// A registry with nothing in it but people.
pub struct World {
    /// Tells the world what time it is.
    pub clock: Arc<TestClock>,
    /// The cast.
    pub people: Arc<People>,
    /// The door for adapters.
    pub gateway: Gateway,
    /// The canonical model.
    pub model: Arc<Model>,
    rules: RuleBook,
    trusted: Trusted,
    memory: Option<MemoryStore>,
    bytes: Arc<dyn BlobStore>,
    pub(crate) store: Store,
    /// Last, so that the database goes when its connections have gone.
    _database: TestDatabase,
}

impl World {
    /// A world that knows the formats of `rules` and keeps bytes in memory.
    pub async fn new(rules: RuleBook) -> Self {
        Self::with(rules, Blobs::Memory).await
    }

    /// A world that knows the formats of `rules` and keeps bytes where `blobs` says.
    pub async fn with(rules: RuleBook, blobs: Blobs) -> Self {
        Self::build(rules, blobs, Trusted::default()).await
    }

    /// A world that trusts the ID tokens of these issuers.
    pub async fn trusting(rules: RuleBook, issuers: &[&str]) -> Self {
        let issuers = issuers.iter().map(|issuer| (*issuer).to_owned()).collect();
        Self::believing(rules, Trusted { issuers, ..Trusted::default() }).await
    }

    /// A world that believes whom `trusted` names.
    pub async fn believing(rules: RuleBook, trusted: Trusted) -> Self {
        Self::build(rules, Blobs::Memory, trusted).await
    }

    async fn build(rules: RuleBook, blobs: Blobs, trusted: Trusted) -> Self {
        let (database, people) = TestDatabase::new().await;
        let settings = store::Settings { max_connections: 4, ..store::Settings::new(&database.url) };
        let store = Store::connect(&settings).await.expect("a copy of the template");
        let clock = Arc::new(TestClock::default());
        let memory = (blobs == Blobs::Memory).then(MemoryStore::new);
        let bytes: Arc<dyn BlobStore> = match &memory {
            Some(memory) => Arc::new(memory.clone()),
            None => Arc::new(DiskStore::open(database.directory.path().join("blobs")).expect("a folder")),
        };
        let model = model(store.clone(), Arc::clone(&bytes), rules.clone(), clock.clone(), &trusted).await;
        let gateway = Gateway::new(model.clone(), EXTERNAL_URL);
        Self { clock, people, gateway, model, rules, trusted, memory, bytes, store, _database: database }
    }

    /// Another server of this world: on the same database and the same bytes.
    pub async fn replica(&self) -> Arc<Model> {
        let (bytes, clock) = (Arc::clone(&self.bytes), self.clock.clone());
        model(self.store.clone(), bytes, self.rules.clone(), clock, &self.trusted).await
    }

    /// Writes down what was used and downloaded so far, which else happens within seconds.
    pub async fn write_down_uses(&self) {
        self.store.write_down_uses().await;
    }

    /// What time it is in this world.
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// A client of `router`.
    pub fn client(&self, router: Router) -> Client {
        Client::new(router)
    }

    /// How many SQL statements ran so far.
    pub fn statements(&self) -> u64 {
        self.store.statements()
    }

    /// Uploads under way or staged, in a world that keeps bytes in memory.
    pub fn staged_count(&self) -> usize {
        self.memory.as_ref().expect("bytes in memory").staged_count()
    }

    /// Waits until nothing is staged, for some seconds at most. What an upload leaves is removed behind the answer that
    /// ended it, so that a count at that very moment tells nothing.
    pub async fn nothing_stays_staged(&self) {
        let started = std::time::Instant::now();
        while self.staged_count() > 0 && started.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.staged_count(), 0, "nothing stays staged");
    }

    /// Contents stored for good, in a world that keeps bytes in memory.
    pub fn blob_count(&self) -> usize {
        self.memory.as_ref().expect("bytes in memory").blob_count()
    }

    /// Does what is to be done beside requests, until nothing is due; gives how many jobs that were.
    pub async fn run_jobs(&self) -> usize {
        self.model.ensure_jobs().await.expect("a list of jobs");
        let worker = Worker { name: "test".to_owned(), keep_deleted: time::Duration::DAY };
        let mut ran = 0;
        while self.model.run_next_job(&worker).await.expect("a job") {
            ran += 1;
        }
        ran
    }

    /// Removes what nothing refers to, as an administrator does on the machine: at once.
    pub async fn collect(&self, keep_deleted: time::Duration) -> Collected {
        let rules = CollectionRules { keep_deleted, grace: time::Duration::ZERO };
        graphql::collect(&self.store, &*self.bytes, &*self.clock, rules).await.expect("a collection")
    }

    /// Contents, and bytes, that [`World::collect`] would remove: those that rows know, and those that none does.
    pub async fn collectable(&self, keep_deleted: time::Duration) -> [(u64, u64); 2] {
        let found = graphql::collectable(&self.store, &*self.bytes, &*self.clock, keep_deleted).await;
        let (unreferenced, unknown) = found.expect("an answer");
        [unreferenced, unknown].map(|amount| (amount.contents, amount.bytes))
    }

    /// Leaves bytes in the storage that no row knows, as a publish does that fails at its end.
    pub async fn leave_bytes(&self, content: &[u8]) {
        let id = StagingId::random().expect("randomness");
        let mut sink = self.bytes.create_staging(id).await.expect("a new upload");
        let bytes = content.to_vec();
        let written = tokio::task::spawn_blocking(move || {
            sink.write_all(&bytes)?;
            sink.finish()
        });
        written.await.expect("no panic").expect("room");
        let digest: [u8; 32] = Sha256::digest(content).into();
        self.bytes.promote(id, domain::Sha256(digest).into()).await.expect("staged");
    }

    /// Runs a document at the open door, as a script would; gives the whole response. A credential that is not accepted is
    /// the failure.
    pub async fn try_graphql(
        &self,
        person: &Person,
        document: &str,
        variables: Value,
    ) -> Result<Value, Failure> {
        self.run(person, document, None, variables).await
    }

    /// As [`World::graphql`], for one of several operations of a document.
    pub async fn graphql_named(
        &self,
        person: &Person,
        document: &str,
        operation: &str,
        variables: Value,
    ) -> Value {
        self.run(person, document, Some(operation), variables).await.expect("an accepted credential")
    }

    /// What the credential of a person proves.
    pub async fn session(&self, person: &Person) -> Result<Session, Failure> {
        let credential = person.secret().map(|secret| domain::Credential {
            carrier: person.carrier(),
            username: None,
            secret: secret.to_owned(),
        });
        self.model.authenticate(credential.as_ref(), Origin::default()).await
    }

    async fn run(
        &self,
        person: &Person,
        document: &str,
        operation: Option<&str>,
        variables: Value,
    ) -> Result<Value, Failure> {
        let session = self.session(person).await?;
        let mut request = async_graphql::Request::new(document).variables(Variables::from_json(variables));
        request.operation_name = operation.map(ToOwned::to_owned);
        let response = self.model.execute_open(&session, BatchRequest::Single(request)).await;
        let BatchResponse::Single(response) = response else { unreachable!("one request, one response") };
        Ok(serde_json::to_value(response).expect("responses are JSON"))
    }

    /// As [`World::try_graphql`], for a person whose credential is accepted.
    pub async fn graphql(&self, person: &Person, document: &str, variables: Value) -> Value {
        self.try_graphql(person, document, variables).await.expect("an accepted credential")
    }
}
