//! Projects.

use access::Guarded;
use async_graphql::{Context, ID, Object};

use crate::relay::global_id::print;

/// A project.
pub(crate) struct Project(store::projects::Project);

impl Project {
    /// The project of a package that the caller may see.
    pub(crate) fn of_package(ctx: &Context<'_>, project: Guarded<store::projects::Project>) -> Self {
        let _ = (ctx, project);
        todo!()
    }
}

/// A project.
#[Object]
impl Project {
    async fn id(&self) -> ID {
        print("Project", self.0.id).into()
    }
}
