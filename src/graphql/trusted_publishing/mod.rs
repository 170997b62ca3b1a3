//! Trusted publishing: an ID token of CI is exchanged for a short-lived token of one project, without a stored secret.

mod exchange;
mod publisher;

pub(crate) use exchange::ExchangeMutation;
pub(crate) use publisher::{TrustedPublisher, TrustedPublisherMutation, publishers_of};
