//! The GraphQL hop: what an adapter pays for asking the model, in process, over asking a function.
//!
//! `metadata` is one object that is answered from memory: all of it is the hop (variables, the document's clone, validation,
//! execution, decoding), which is to stay at 15 µs or less. `currentUser` is the same with one lookup in SQLite.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use domain::{Carrier, Credential};
use gateway::{Operation, Origin, ParsedDocument, Session};
use graphql_client::GraphQLQuery;
use testkit::World;
use tokio::runtime::Runtime;

macro_rules! operation {
    ($name:ident) => {
        #[derive(GraphQLQuery)]
        #[graphql(
            schema_path = "schema.graphql",
            query_path = "benches/hop.graphql",
            normalization = "rust",
            custom_scalars_module = "gateway::scalars"
        )]
        struct $name;

        impl Operation for $name {
            fn parsed() -> &'static ParsedDocument {
                static DOCUMENT: ParsedDocument = ParsedDocument::new();
                &DOCUMENT
            }
        }
    };
}

operation!(HopMetadata);
operation!(HopCurrentUser);

async fn session(world: &World) -> Session {
    let credential = Credential {
        carrier: Carrier::Bearer,
        username: None,
        secret: world.people.reporter.secret().expect("a token").to_owned(),
    };
    world.gateway.authenticate(Some(&credential), Origin::default()).await.expect("an accepted credential")
}

fn hop(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::new(formats::rules()));
    let session = runtime.block_on(session(&world));
    let mut group = criterion.benchmark_group("hop");
    group.bench_function("metadata, from memory", |bencher| {
        bencher.iter(|| {
            let asked = world.gateway.run::<HopMetadata>(&session, hop_metadata::Variables);
            black_box(runtime.block_on(asked).expect("an answer").metadata)
        });
    });
    group.bench_function("currentUser, one lookup", |bencher| {
        bencher.iter(|| {
            let asked = world.gateway.run::<HopCurrentUser>(&session, hop_current_user::Variables);
            black_box(runtime.block_on(asked).expect("an answer").current_user)
        });
    });
    group.finish();
}

criterion_group!(benches, hop);
criterion_main!(benches);
