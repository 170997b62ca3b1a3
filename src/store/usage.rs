//! When tokens were last used: written down later and in bulk, so that no request waits for it.

use std::{collections::HashMap, time::Duration as Wait};

use sea_orm::Value;
use time::{Duration, OffsetDateTime};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};

use crate::{Result, Tx, convert::stored, rows, writer::Writer};

/// How exact `last_used_at` is: a token that is used all the time is written down this often.
pub(crate) const EXACTNESS: Duration = Duration::minutes(10);
/// How long uses are gathered before they are written.
const PERIOD: Wait = Wait::from_secs(5);
/// Uses that may wait; more are forgotten, which is better than a request that waits.
const QUEUE: usize = 4096;

/// A token of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    /// A personal access token.
    Access(i64),
    /// A deploy token.
    Deploy(i64),
    /// Not a token: a package, one of whose files was downloaded.
    Package(i64),
}

enum Message {
    Used(Token, OffsetDateTime),
    Flush(oneshot::Sender<()>),
}

/// Where uses of tokens are reported.
#[derive(Debug)]
pub(crate) struct Usage {
    queue: mpsc::Sender<Message>,
}

impl Usage {
    /// Starts the task that writes uses down. It ends when the store is dropped.
    pub(crate) fn start(writer: Writer) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        tokio::spawn(gather(writer, messages));
        Self { queue }
    }

    /// Notes that `token` was used `now`, unless it is already known to have been, just before.
    pub(crate) fn note(&self, token: Token, last_used_at: Option<OffsetDateTime>, now: OffsetDateTime) {
        if last_used_at.is_none_or(|last| last + EXACTNESS <= now) {
            // A full queue loses a note, no more.
            drop(self.queue.try_send(Message::Used(token, now)));
        }
    }

    /// Writes down what was noted so far.
    pub(crate) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            // The task answers, or it is gone with the runtime.
            drop(written.await);
        }
    }
}

async fn gather(writer: Writer, mut messages: mpsc::Receiver<Message>) {
    let mut noted = HashMap::new();
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(Message::Used(token, at)) => { noted.insert(token, at); }
                Some(Message::Flush(done)) => {
                    write_down(&writer, &mut noted).await;
                    // Whoever asked may have gone.
                    let _ = done.send(());
                }
                None => return,
            },
            _ = ticks.tick() => write_down(&writer, &mut noted).await,
        }
    }
}

async fn write_down(writer: &Writer, noted: &mut HashMap<Token, OffsetDateTime>) {
    if noted.is_empty() {
        return;
    }
    let uses: Vec<_> = std::mem::take(noted).into_iter().collect();
    let outcome = writer.write(uses, |tx, uses| Box::pin(update(tx, uses))).await;
    if let Err(error) = outcome {
        tracing::warn!(error = %error, "when tokens were last used could not be written down");
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
            Token::Package(id) => (
                "UPDATE packages SET last_downloaded_at = $1 WHERE id = $2 AND (last_downloaded_at IS NULL OR last_downloaded_at < $1)",
                *id,
            ),
        };
        rows::execute(tx, sql, [Value::from(stored(*at)), id.into()]).await?;
    }
    Ok(())
}
