//! Forms with a file in them (`multipart/form-data`, RFC 7578), read with flat memory.
//!
//! multer reads ahead for as long as its source has something, and keeps what it has not made sense of, be that a header
//! without an end. So its source is behind a gate: it gets the next chunk of the body when it can do nothing with what it has,
//! and no more when nothing comes of it.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use domain::{ErrorCode, Failure};
use futures::Stream;
use gateway::ByteStream;
use multer::{Constraints, Field, Multipart, SizeLimit};

/// What the parser may be given without making anything of it: the headers of a part.
const MAX_AHEAD: usize = 64 * 1024;

/// Why a form cannot be read further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormError {
    /// It is longer than it may be.
    #[error("the form is larger than the limit")]
    TooLarge,
    /// It ended before its end.
    #[error("the form broke off before its end")]
    BrokenOff,
    /// It is no form.
    #[error("the form cannot be read")]
    Malformed,
}

impl FormError {
    /// The failure; `malformed` says how the form should be.
    pub(crate) fn into_failure(self, malformed: &'static str) -> Failure {
        match self {
            Self::TooLarge => Failure::new(ErrorCode::TooLarge, "The form is larger than the limit"),
            Self::BrokenOff => {
                Failure::new(ErrorCode::Invalid, "The upload broke off before its end; send it again")
            }
            Self::Malformed => Failure::new(ErrorCode::Invalid, malformed),
        }
    }
}

impl From<multer::Error> for FormError {
    fn from(error: multer::Error) -> Self {
        match error {
            multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } => {
                Self::TooLarge
            }
            multer::Error::IncompleteStream
            | multer::Error::IncompleteHeaders
            | multer::Error::IncompleteFieldData { .. }
            | multer::Error::StreamReadFailed(_) => Self::BrokenOff,
            _ => Self::Malformed,
        }
    }
}

/// What passes between the parser's source and whoever drives the parser.
#[derive(Default)]
struct Gate {
    /// Whether the source may give one chunk.
    is_open: bool,
    /// Whether the body is at its end.
    is_over: bool,
    /// Bytes given since the parser last made something of them.
    ahead: usize,
}

type Shared = Arc<Mutex<Gate>>;

fn lock(gate: &Shared) -> MutexGuard<'_, Gate> {
    gate.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Drives the parser: what it makes of what it has, or else of one chunk more, and so on.
fn drive<T>(
    gate: &Shared,
    context: &mut Context<'_>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<Result<T, multer::Error>>,
) -> Poll<Result<T, FormError>> {
    loop {
        if let Poll::Ready(result) = poll(context) {
            let mut state = lock(gate);
            (state.ahead, state.is_open) = (0, false);
            return Poll::Ready(result.map_err(Into::into));
        }
        let mut state = lock(gate);
        if state.is_over {
            return Poll::Ready(Err(FormError::BrokenOff));
        }
        if state.is_open {
            return Poll::Pending; // the body has nothing now, and wakes this task
        }
        if state.ahead > MAX_AHEAD {
            return Poll::Ready(Err(FormError::Malformed));
        }
        state.is_open = true;
    }
}

/// The parser's source.
struct Gated {
    body: ByteStream,
    gate: Shared,
}

impl Stream for Gated {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if !lock(&self.gate).is_open {
            return Poll::Pending; // whoever drives the parser asks again
        }
        let item = ready!(self.body.as_mut().poll_next(context));
        let mut state = lock(&self.gate);
        state.is_open = false;
        match &item {
            Some(Ok(chunk)) => state.ahead += chunk.len(),
            Some(Err(_)) => {}
            None => state.is_over = true,
        }
        Poll::Ready(item)
    }
}

/// A form, read part by part.
pub(crate) struct Form {
    parts: Multipart<'static>,
    gate: Shared,
}

impl Form {
    /// The form in a body whose parts are separated by `boundary`, of at most `longest` bytes.
    pub(crate) fn new(body: ByteStream, boundary: String, longest: u64) -> Self {
        let gate = Shared::default();
        let constraints = Constraints::new().size_limit(SizeLimit::new().whole_stream(longest));
        let source = Gated { body, gate: Arc::clone(&gate) };
        Self { parts: Multipart::with_constraints(source, boundary, constraints), gate }
    }

    /// The next part; none at the end of the form. What was not read of the part before is passed over, and that part must be
    /// gone.
    pub(crate) async fn next(&mut self) -> Result<Option<Part>, FormError> {
        let field = std::future::poll_fn(|context| {
            drive(&self.gate, context, |context| self.parts.poll_next_field(context))
        });
        let field = field.await?;
        Ok(field.map(|field| Part { field, gate: Arc::clone(&self.gate) }))
    }
}

/// A part of a form: a stream of its content.
pub(crate) struct Part {
    field: Field<'static>,
    gate: Shared,
}

impl Part {
    /// What the field is called.
    pub(crate) fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    /// The name of the file that it is.
    pub(crate) fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }
}

impl Stream for Part {
    type Item = Result<Bytes, FormError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { field, gate } = self.get_mut();
        let poll =
            |context: &mut Context<'_>| Pin::new(&mut *field).poll_next(context).map(Option::transpose);
        drive(gate, context, poll).map(Result::transpose)
    }
}
