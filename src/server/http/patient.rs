//! A connection whose client has to go on taking what it is sent.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{self, Instant, Sleep},
};

/// Fails when the other side takes nothing for a while. A client that has stopped reading would hold its connection, an open
/// file or a connection to the bucket, and the pieces in between, for ever.
pub(crate) struct Patient<S> {
    stream: S,
    patience: Duration,
    /// Made at the first wait: most answers fit into the system's buffers.
    alarm: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl<S: AsyncWrite + Unpin> Patient<S> {
    pub(crate) const fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, alarm: None, waiting: false }
    }

    /// Tries to send, and looks at the time if that has to wait.
    fn attempt<T>(
        &mut self,
        context: &mut Context<'_>,
        send: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let outcome = send(Pin::new(&mut self.stream), context);
        if outcome.is_ready() {
            self.waiting = false;
            return outcome;
        }
        let patience = self.patience;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(time::sleep(patience)));
        if !self.waiting {
            self.waiting = true;
            alarm.as_mut().reset(Instant::now() + patience);
        }
        match alarm.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client takes no more of the answer",
            ))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.attempt(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.attempt(context, |stream, context| stream.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.attempt(context, S::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.attempt(context, S::poll_shutdown)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up_and_a_slow_one_is_not() {
        let (server, mut client) = tokio::io::duplex(1000);
        let mut server = Patient::new(server, Duration::from_millis(400));
        let slow = tokio::spawn(async move {
            let mut bytes = [0; 1000];
            for _ in 0..12 {
                time::sleep(Duration::from_millis(60)).await;
                client.read_exact(&mut bytes).await.expect("more");
            }
            client
        });
        server
            .write_all(&[7; 12_000])
            .await
            .expect("it takes longer than the patience, and never pauses for as long");
        let _client = slow.await.expect("no panic");
        let error = server.write_all(&[7; 2000]).await.expect_err("nobody reads any more");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
