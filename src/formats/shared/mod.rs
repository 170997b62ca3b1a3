//! What several formats use. Nothing comes here before its third user, except what GitLab's formats share by definition,
//! and guards against hostile input, which must not differ between two.

pub(crate) mod checksum;
pub(crate) mod form;
pub(crate) mod index_cache;
pub(crate) mod respond;
pub(crate) mod tarball;
