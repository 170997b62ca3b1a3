//! What a package format is to the server.

use std::sync::Arc;

use domain::{PackageFormat, rules::FormatRules};

use crate::{Dialect, RouteTable};

/// What a format is called and where it answers: data, so that no form, page or setting elsewhere knows the format.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// Which format.
    pub format: PackageFormat,
    /// Its folder in URLs: `/api/v4/projects/:id/packages/<mount>`.
    pub mount: &'static str,
}

/// One package format: descriptor, rules and routes. Stateless; one instance serves the process.
pub trait Format: Send + Sync {
    /// What it is called and where it answers.
    fn descriptor(&self) -> Descriptor;

    /// Name and version rules, the inspector, index fragments.
    fn rules(&self) -> &'static dyn FormatRules;

    /// How its clients read credentials and errors.
    fn dialect(&self) -> Arc<dyn Dialect>;

    /// Its routes, relative to the mount of each level.
    fn routes(&self, table: &mut RouteTable);
}
