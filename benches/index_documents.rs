//! Index documents: npm's packument of 10, 1,000 and 5,000 versions, warm and cold.
//!
//! Through the route, without a socket: credential, access check, revision, and the document from the cache (warm), or put
//! together again since a tag of the package was set (cold).

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use domain::Visibility;
use serde_json::json;
use testkit::{Client, World, artefacts::npm::Version};
use tokio::runtime::Runtime;

const SIZES: [usize; 3] = [10, 1_000, 5_000];

/// A world with a package of so many versions.
struct Stage {
    world: World,
    client: Client,
    /// Address of the project's registry.
    registry: String,
}

impl Stage {
    async fn new(versions: usize) -> Self {
        let world = World::new(formats::rules()).await;
        let client = world.client(formats::router(&world.gateway));
        let group = world.group("acme", Visibility::Private).await;
        let project = world.project(&group, "web", Visibility::Private).await;
        let registry = format!("/api/v4/projects/{}/packages/npm", project.id);
        let dependencies: serde_json::Map<_, _> =
            (1..=6).map(|number| (format!("@acme/dependency-{number}"), json!("^1.0.0"))).collect();
        for number in 0..versions {
            let version = Version::new("@acme/many", format!("1.{number}.0"))
                .with("dependencies", json!(dependencies))
                .with("keywords", json!(["bench", "registry"]));
            let publish = client.put(format!("{registry}/@acme%2fmany")).json(&version.document());
            publish.by(&world.people.developer).send().await.expect(200);
        }
        Self { world, client, registry }
    }

    /// The packument's length.
    async fn read(&self) -> usize {
        let asked = self.client.get(format!("{}/@acme%2fmany", self.registry));
        let asked = asked.header("accept", "application/json").by(&self.world.people.reporter);
        asked.send().await.expect(200).body.len()
    }

    /// Gives the package another revision.
    async fn change(&self, number: usize) {
        let version = json!(format!("1.{number}.0"));
        let place = format!("{}/-/package/@acme%2fmany/dist-tags/next", self.registry);
        let answer = self.client.put(place).json(&version).by(&self.world.people.developer).send().await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }
}

fn index_documents(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    for versions in SIZES {
        let stage = runtime.block_on(Stage::new(versions));
        let mut group = criterion.benchmark_group(format!("packument of {versions} versions"));
        group.sample_size(10).measurement_time(Duration::from_secs(5));
        group.throughput(Throughput::Bytes(runtime.block_on(stage.read()) as u64));
        group.bench_function("warm", |bencher| bencher.iter(|| black_box(runtime.block_on(stage.read()))));
        group.bench_function("cold", |bencher| {
            bencher.iter_custom(|iterations| {
                runtime.block_on(async {
                    let mut taken = Duration::ZERO;
                    for number in 0..usize::try_from(iterations).unwrap_or(usize::MAX) {
                        stage.change(number % versions).await;
                        let begun = Instant::now();
                        black_box(stage.read().await);
                        taken += begun.elapsed();
                    }
                    taken
                })
            });
        });
        group.finish();
    }
}

criterion_group!(benches, index_documents);
criterion_main!(benches);
