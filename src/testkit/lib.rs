//! A whole registry in one call, for tests: database, bytes, model, gateway, people with credentials, a client.
//!
//! A dev-dependency of `formats`, `rest` and `tests/`. It arranges with builders and lets tests act and assert through
//! protocols; the `Store` behind it stays inside, so that a format's test cannot look past the seam. What must not go in
//! here: anything that depends on `formats`, `rest` or `server` (a test hands their routers in), and mocks of our own code.
//!
//! ```ignore
//! let world = World::new(formats::rules()).await;
//! let client = world.client(formats::router(&world.gateway));
//! let group = world.group("acme", Visibility::Private).await;
//! let project = world.project(&group, "web", Visibility::Private).await;
//! client.get(format!("/api/v4/projects/{}/packages/npm/left-pad", project.id)).by(&world.people.reporter).send().await;
//! ```

pub mod artefacts;
mod builders;
mod bulk;
mod client;
mod clock;
mod database;
mod issuer;
mod limited;
mod people;
pub mod protocol;
mod world;

pub use builders::{Group, Project};
pub use client::{Answer, Client, Request};
pub use clock::{NOW, TestClock};
pub use database::{HeldTransaction, PostgresDatabase};
pub use issuer::Issuer;
pub use people::{Carried, People, Person};
pub use world::{Blobs, Trusted, World};

pub use oidc::{ClientSecret, ProviderSettings};
