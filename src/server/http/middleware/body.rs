//! Bodies on their way in: counted, and given up when they pause for too long.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{self, Instant, Sleep};

/// A body that fails when nothing of it arrives for a while.
pub(crate) struct Pausing {
    inner: Body,
    patience: Duration,
    /// Made at the first pause: most bodies are here at once.
    alarm: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    received: Arc<AtomicU64>,
}

impl Pausing {
    /// Watches over the body of `request`, if it has one.
    pub(crate) fn around(request: Request, patience: Duration, received: &Arc<AtomicU64>) -> Request {
        if request.body().is_end_stream() {
            return request;
        }
        request.map(|inner| {
            let received = Arc::clone(received);
            Body::new(Self { inner, patience, alarm: None, waiting: false, received })
        })
    }

    /// Whether the pause has lasted too long.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let patience = self.patience;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(time::sleep(patience)));
        if !self.waiting {
            self.waiting = true;
            alarm.as_mut().reset(Instant::now() + patience);
        }
        alarm.as_mut().poll(context).is_ready()
    }
}

impl HttpBody for Pausing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            self.waiting = false;
            if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref)
            {
                self.received.fetch_add(data.len() as u64, Ordering::Relaxed);
            }
            return Poll::Ready(frame);
        }
        if self.is_over(context) {
            let error = io::Error::new(io::ErrorKind::TimedOut, "the body paused for too long");
            return Poll::Ready(Some(Err(axum::Error::new(error))));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, atomic::AtomicU64},
        time::Duration,
    };

    use axum::{body::Body, extract::Request};
    use bytes::Bytes;
    use futures::{StreamExt as _, stream};
    use http_body_util::BodyExt as _;

    use super::Pausing;

    #[tokio::test]
    async fn a_body_that_pauses_is_given_up_and_a_slow_one_is_not() {
        let piece = || Ok::<_, std::io::Error>(Bytes::from_static(b"abc"));
        let slow = stream::iter(0..12).then(move |_| async move {
            tokio::time::sleep(Duration::from_millis(40)).await;
            piece()
        });
        let received = Arc::new(AtomicU64::new(0));
        let watched = |body| Pausing::around(Request::new(body), Duration::from_millis(400), &received);
        let whole =
            watched(Body::from_stream(slow)).into_body().collect().await.expect("it never pauses for long");
        assert_eq!(whole.to_bytes().len(), 36);
        assert_eq!(received.load(std::sync::atomic::Ordering::Relaxed), 36);
        let stuck = stream::iter([piece()]).chain(stream::pending());
        let error =
            watched(Body::from_stream(stuck)).into_body().collect().await.expect_err("it never goes on");
        assert!(error.to_string().contains("paused"), "{error}");
    }
}
