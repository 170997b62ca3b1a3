//! What several formats use. Nothing comes here before its third user, except what GitLab's formats share by definition,
//! and guards against hostile input, which must not differ between two.

/// The `scope` variable of an operation in the caller's sight, for where the request stands.
macro_rules! scope {
    ($call:expr, $operation:ident) => {{
        let (project_path, group_path) = $call.scope_paths();
        $operation::PackageScopeInput { project_path, group_path }
    }};
}
pub(crate) use scope;

pub(crate) mod checksum;
mod excerpt;
pub(crate) mod form;
pub(crate) mod index_cache;
pub(crate) mod respond;
pub(crate) mod tarball;

pub(crate) use excerpt::excerpt;
