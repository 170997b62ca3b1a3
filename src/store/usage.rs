//! When tokens were last used: written down later and in bulk, so that no request waits for it.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration as Wait,
};

use sea_orm::Value;
use time::{Duration, OffsetDateTime};
use tokio::{
    sync::{Mutex as Turn, oneshot},
    time::{MissedTickBehavior, interval},
};

use crate::{Result, Tx, convert::stored, rows, writer::Writer};

/// How exact `last_used_at` is: a token that is used all the time is written down this often.
pub(crate) const EXACTNESS: Duration = Duration::minutes(10);
/// How long uses are gathered before they are written.
const PERIOD: Wait = Wait::from_secs(5);
/// Tokens whose uses may wait; those of more are forgotten, which is better than a request that waits.
const MOST: usize = 4096;

/// A token of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Token {
    /// A personal access token.
    Access(i64),
    /// A deploy token.
    Deploy(i64),
    /// The token of a CI job.
    Job(i64),
    /// A session.
    Session(i64),
    /// Not a token: a package, one of whose files was downloaded.
    Package(i64),
}

/// Where uses of tokens are reported.
#[derive(Debug)]
pub(crate) struct Usage {
    notes: Arc<Notes>,
    /// Dropped with the store, it ends the task that writes.
    _end: oneshot::Sender<Infallible>,
}

#[derive(Debug)]
struct Notes {
    /// In a map that requests write to themselves: a message to the task would wake it once for every request.
    noted: Mutex<HashMap<Token, OffsetDateTime>>,
    /// Who writes them down, one after the other.
    turn: Turn<()>,
    writer: Writer,
}

impl Usage {
    /// Starts the task that writes uses down. It ends when the store is dropped.
    pub(crate) fn start(writer: Writer) -> Self {
        let notes = Arc::new(Notes { noted: Mutex::default(), turn: Turn::new(()), writer });
        let (end, ended) = oneshot::channel();
        tokio::spawn(write_down_now_and_then(Arc::clone(&notes), ended));
        Self { notes, _end: end }
    }

    /// Notes that `token` was used `now`, unless it is already known to have been, just before.
    pub(crate) fn note(&self, token: Token, last_used_at: Option<OffsetDateTime>, now: OffsetDateTime) {
        if last_used_at.is_none_or(|last| last + EXACTNESS <= now) {
            let mut noted = self.notes.noted.lock().unwrap_or_else(PoisonError::into_inner);
            if noted.len() < MOST || noted.contains_key(&token) {
                noted.insert(token, now);
            }
        }
    }

    /// Writes down what was noted so far.
    pub(crate) async fn flush(&self) {
        self.notes.write_down().await;
    }
}

async fn write_down_now_and_then(notes: Arc<Notes>, mut ended: oneshot::Receiver<Infallible>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = &mut ended => return,
            _ = ticks.tick() => notes.write_down().await,
        }
    }
}

impl Notes {
    async fn write_down(&self) {
        let _turn = self.turn.lock().await;
        let mut uses: Vec<_> = self.noted.lock().unwrap_or_else(PoisonError::into_inner).drain().collect();
        uses.sort_unstable_by_key(|(token, _)| *token); // two servers lock rows in one order
        if uses.is_empty() {
            return;
        }
        let outcome = self.writer.write(uses, |tx, uses| Box::pin(update(tx, uses))).await;
        if let Err(error) = outcome {
            tracing::warn!(error = %error, "when tokens were last used could not be written down");
        }
    }
}

async fn update(tx: &Tx, uses: &[(Token, OffsetDateTime)]) -> Result<()> {
    for (token, at) in uses {
        let (sql, id) = match token {
            Token::Access(id) => (
                "UPDATE access_tokens SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
                *id,
            ),
            Token::Deploy(id) => (
                "UPDATE deploy_tokens SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
                *id,
            ),
            Token::Job(id) => (
                "UPDATE ci_jobs SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
                *id,
            ),
            Token::Session(id) => (
                "UPDATE user_sessions SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
                *id,
            ),
            Token::Package(id) => (
                "UPDATE packages SET last_downloaded_at = $1 WHERE id = $2 AND (last_downloaded_at IS NULL OR last_downloaded_at < $1)",
                *id,
            ),
        };
        rows::execute(tx, sql, [Value::from(stored(*at)), id.into()]).await?;
    }
    Ok(())
}
