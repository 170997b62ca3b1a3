//! The database, and nothing else: finds, lists and changes what is stored.
//!
//! Only `graphql`, `server` and `testkit` may call this crate. Rows leave it as plain structs, wrapped in
//! [`access::Guarded`] wherever somebody might not be allowed to see them, or filtered by an [`access::Visible`]; an ORM row
//! never does.
//!
//! * Reads run on [`Store::reader`]'s pool; a list costs a constant number of statements. Those that nearly every request
//!   needs are executed in place where SQLite is the database, see `reader.rs`.
//! * Writes go through [`Store::write`]: on SQLite one writer commits up to 64 of them at once, each in its own savepoint;
//!   on PostgreSQL each is a transaction, tried again when the database asks for that.
//! * Time and secrets' owners come in as parameters; randomness comes from one function in `secret.rs`.
//! * Every instant that is written or compared in SQL goes through `convert::stored`, see there why.
//!
//! What must not go in here: decisions about who may do what (they are `access`'s), formats' rules, bytes, protocols. A
//! closure given to [`Store::write`] awaits the database only: while it runs, no other write does.

mod address;
mod connect;
mod convert;
mod error;
mod facts;
mod page;
mod reader;
mod refusals;
mod roles;
mod rows;
mod search;
mod secret;
mod usage;
mod visible;
mod writer;

pub mod access_tokens;
pub mod audit_events;
pub mod blobs;
pub mod cleanup_policies;
pub mod deploy_tokens;
pub mod groups;
pub mod identities;
pub mod instance_settings;
pub mod job_token_scope;
pub mod jobs;
pub mod limits;
pub mod members;
pub mod package_settings;
pub mod packages;
pub mod passwords;
pub mod pipelines;
pub mod projects;
pub mod protection_rules;
pub mod resource_tokens;
pub mod retention;
pub mod sessions;
pub mod sign_in_attempts;
pub mod signing_keys;
pub mod storage;
pub mod trusted_publishers;
pub mod users;

#[cfg(test)]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures::future::BoxFuture;
use sea_orm::{DatabaseConnection, DatabaseTransaction};

pub use address::{Depth, IdOrPath};
pub use connect::Settings;
pub use error::{Result, StoreError};
pub use page::{Cursor, Direction, Page, PageRequest, Side, SortValue};
pub use secret::{Secret, TokenHash};

use crate::{audit_events::Actor, facts::FactsCache, reader::Reader, usage::Usage, writer::Writer};

/// What a write runs in.
pub(crate) type Tx = DatabaseTransaction;

/// A handle to the database. Clones share everything.
///
/// A handle stands for somebody: what is changed through it is written down in the audit log as theirs. See
/// [`Store::on_behalf_of`].
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
    actor: Arc<Actor>,
}

#[derive(Debug)]
struct Inner {
    reader: DatabaseConnection,
    /// Reads in place, on SQLite.
    in_place: Option<Arc<Reader>>,
    /// What migrations run on: SQLite's only writing connection, or the one pool.
    main: DatabaseConnection,
    writer: Writer,
    usage: Usage,
    statements: Arc<AtomicU64>,
    facts: FactsCache,
}

impl Store {
    /// Opens the database. The schema is not looked at: run `migration::migrate` on [`Store::migration_connection`] first
    /// thing.
    pub async fn connect(settings: &Settings) -> Result<Self> {
        let connections = connect::open(settings).await?;
        let usage = Usage::start(connections.writer.clone());
        let inner = Inner {
            reader: connections.reader,
            in_place: connections.in_place,
            main: connections.main,
            writer: connections.writer,
            usage,
            statements: connections.statements,
            facts: FactsCache::default(),
        };
        Ok(Self { inner: Arc::new(inner), actor: Arc::new(Actor::system("System")) })
    }

    /// A handle that stands for `actor`. One that nobody asked this of stands for the server itself.
    #[must_use]
    pub fn on_behalf_of(&self, actor: Actor) -> Self {
        Self { inner: Arc::clone(&self.inner), actor: Arc::new(actor) }
    }

    /// In whose name the handle writes.
    pub(crate) fn actor(&self) -> Arc<Actor> {
        Arc::clone(&self.actor)
    }

    /// The connection that migrations run on. For nothing else.
    pub fn migration_connection(&self) -> &DatabaseConnection {
        &self.inner.main
    }

    /// How many SQL statements ran so far, `BEGIN`, `COMMIT` and savepoints left out. Lets a test assert that a list costs
    /// a constant number.
    pub fn statements(&self) -> u64 {
        self.inner.statements.load(Ordering::Relaxed)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.inner.reader.ping().await?)
    }

    /// Writes down what uses of tokens and packages were noted so far, instead of in some seconds.
    pub async fn write_down_uses(&self) {
        self.inner.usage.flush().await;
    }

    /// Writes what is still to be written down and closes every connection.
    pub async fn close(&self) -> Result<()> {
        self.inner.usage.flush().await;
        if let Some(reader) = &self.inner.in_place {
            reader.close();
        }
        self.inner.reader.close_by_ref().await?;
        Ok(self.inner.main.close_by_ref().await?)
    }

    /// What reads run on.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.inner.reader
    }

    /// What hot reads run on, where it is SQLite that is read.
    pub(crate) fn in_place(&self) -> Option<&Arc<Reader>> {
        self.inner.in_place.as_ref()
    }

    /// Where uses of tokens are reported.
    pub(crate) fn usage(&self) -> &Usage {
        &self.inner.usage
    }

    /// Runs `work` on `input` in a transaction of its own and answers once it is durable; nothing of it stays when it
    /// returns an error. May run it more than once (PostgreSQL, after a deadlock), hence `Fn` and a borrowed input.
    ///
    /// A caller that goes away while waiting for its turn is skipped. Once begun, the work is finished on SQLite, and undone
    /// on PostgreSQL unless it is already being committed.
    pub(crate) async fn write<I, T, F>(&self, input: I, work: F) -> Result<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t Tx, &'t I) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        self.inner.writer.write(input, work).await
    }
}
