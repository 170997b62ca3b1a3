//! The root of queries: a list of nouns.

use async_graphql::MergedObject;

use crate::package::PackageQuery;

/// What can be asked.
#[derive(Default, MergedObject)]
pub(crate) struct Query(PackageQuery);
