//! The way every write takes.
//!
//! SQLite has one writer at a time and pays for durability once per commit, so writes are queued and committed in groups.
//! PostgreSQL does that itself.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};

use crate::{Result, StoreError};

/// Most writes in one commit.
const BATCH: usize = 64;
/// Writes that may wait for their turn before callers wait to be queued.
const QUEUE: usize = 1024;
/// How long one write may take before it is given up.
const LIMIT: Duration = Duration::from_mins(1);
/// How often PostgreSQL is asked again after a deadlock or a serialization failure.
const ATTEMPTS: u32 = 6;

/// Where writes go.
#[derive(Clone, Debug)]
pub(crate) enum Writer {
    /// To a task that commits them in groups.
    Grouped(mpsc::Sender<Box<dyn Job>>),
    /// Each to a connection of a pool.
    Pooled(DatabaseConnection),
}

impl Writer {
    /// A task that writes through `connection`, the only one that does. `suspect` makes the pool replace the connection.
    pub(crate) fn grouped(connection: DatabaseConnection, suspect: Arc<AtomicBool>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(commit_groups(connection, suspect, jobs));
        Self::Grouped(queue)
    }

    /// See [`Store::write`](crate::Store::write).
    pub(crate) async fn write<I, T, F>(&self, input: I, work: F) -> Result<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t DatabaseTransaction, &'t I) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        match self {
            Self::Grouped(queue) => {
                let (reply, answer) = oneshot::channel();
                let job = Box::new(Write { input, work, outcome: None, reply: Some(reply) });
                queue.send(job).await.map_err(|_| StoreError::GivenUp("the store is closed"))?;
                answer.await.map_err(|_| StoreError::GivenUp("the store is closed"))?
            }
            Self::Pooled(pool) => write_pooled(pool, input, work).await,
        }
    }
}

async fn write_pooled<I, T, F>(pool: &DatabaseConnection, input: I, work: F) -> Result<T>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    F: for<'t> Fn(&'t DatabaseTransaction, &'t I) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
{
    let mut attempt = 0;
    loop {
        let outcome = async {
            let transaction = pool.begin().await?;
            match guarded(work(&transaction, &input)).await {
                Ok(value) => transaction.commit().await.map(|()| value).map_err(StoreError::from),
                Err(error) => {
                    // Whatever the rollback says, the work's own error is the one to tell.
                    if let Err(rollback) = transaction.rollback().await {
                        tracing::warn!(error = %rollback, "a rollback failed");
                    }
                    Err(error)
                }
            }
        }
        .await;
        attempt += 1;
        match outcome {
            Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                tracing::debug!(error = %error, attempt, "a transaction is tried again");
                tokio::time::sleep(Duration::from_millis(5 << attempt)).await;
            }
            outcome => return outcome,
        }
    }
}

/// What `work` comes to, a panic or a wait without end made into an error: neither may hold up the other writes.
async fn guarded<T>(work: BoxFuture<'_, Result<T>>) -> Result<T> {
    match tokio::time::timeout(LIMIT, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => Err(StoreError::GivenUp("it panicked")),
        Err(_elapsed) => Err(StoreError::GivenUp("it took too long")),
    }
}

/// A queued write.
pub(crate) trait Job: Send {
    /// Does the work and keeps its outcome; `Err` says that it failed and must leave nothing behind.
    fn run<'t>(&'t mut self, transaction: &'t DatabaseTransaction) -> BoxFuture<'t, Result<(), ()>>;
    /// Tells the caller: the outcome, or `failed` where even a good outcome could not be committed.
    fn answer(self: Box<Self>, failed: Option<StoreError>);
    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
}

struct Write<I, T, F> {
    input: I,
    work: F,
    outcome: Option<Result<T>>,
    reply: Option<oneshot::Sender<Result<T>>>,
}

impl<I, T, F> Job for Write<I, T, F>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    F: for<'t> Fn(&'t DatabaseTransaction, &'t I) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
{
    fn run<'t>(&'t mut self, transaction: &'t DatabaseTransaction) -> BoxFuture<'t, Result<(), ()>> {
        Box::pin(async move {
            let outcome = guarded((self.work)(transaction, &self.input)).await;
            let answer = outcome.as_ref().map(|_| ()).map_err(|_| ());
            self.outcome = Some(outcome);
            answer
        })
    }

    fn answer(mut self: Box<Self>, failed: Option<StoreError>) {
        let outcome = match (failed, self.outcome.take()) {
            (Some(error), _) => Err(error),
            (None, Some(outcome)) => outcome,
            (None, None) => Err(StoreError::GivenUp("it was not run")),
        };
        if let Some(reply) = self.reply.take() {
            // The caller may be gone; what it asked for is done nevertheless.
            drop(reply.send(outcome));
        }
    }

    fn is_abandoned(&self) -> bool {
        self.reply.as_ref().is_none_or(oneshot::Sender::is_closed)
    }
}

async fn commit_groups(
    connection: DatabaseConnection,
    suspect: Arc<AtomicBool>,
    mut jobs: mpsc::Receiver<Box<dyn Job>>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while jobs.recv_many(&mut batch, BATCH).await > 0 {
        batch.retain(|job| !job.is_abandoned());
        if batch.is_empty() {
            continue;
        }
        let failed = commit_batch(&connection, &mut batch).await.err();
        if let Some(error) = &failed {
            // A connection whose BEGIN, COMMIT or ROLLBACK failed may have lost count of its transactions.
            suspect.store(true, Ordering::Release);
            tracing::warn!(error = %error, writes = batch.len(), "a group of writes failed as a whole");
        }
        for job in batch.drain(..) {
            job.answer(failed.clone());
        }
    }
}

/// Runs the batch in one transaction, each job in its own savepoint; a job that is alone needs none, since nothing but its own
/// is undone with the transaction. `Err` says that nothing of it was committed.
async fn commit_batch(connection: &DatabaseConnection, batch: &mut [Box<dyn Job>]) -> Result<()> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(options).await?;
    if let [job] = batch {
        match job.run(&transaction).await {
            Ok(()) => transaction.commit().await?,
            Err(()) => transaction.rollback().await?,
        }
        return Ok(());
    }
    for job in batch {
        let savepoint = transaction.begin().await?;
        match job.run(&savepoint).await {
            Ok(()) => savepoint.commit().await?,
            Err(()) => savepoint.rollback().await?,
        }
    }
    Ok(transaction.commit().await?)
}
