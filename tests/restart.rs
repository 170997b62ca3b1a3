//! The server ends in the middle of publishes, without a warning, and starts again: what was acknowledged is there and whole,
//! what was not is there as a whole or not at all, and nobody has to repair anything.

mod client;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;

use crate::{
    clients::{Registry, say},
    server::{Database, Setup, databases},
};
use client::{Client, Publication};

/// How many times the server is killed when nobody asks for more.
const KILLS: u32 = 5;
const MANY_KILLS: u32 = 20;

/// Clients that publish at the same time, two for each way of publishing.
const CLIENTS: u32 = 10;

/// Random numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// When to kill: so many publishes were acknowledged, and some time has passed. Machines differ in speed.
struct Moment {
    acknowledged: u64,
    later: Duration,
}

/// How long clients may take to get there.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a client tried, and whether it was told that it worked.
struct Attempt {
    publication: Publication,
    is_acknowledged: bool,
}

#[test]
fn what_was_acknowledged_survives_kills() {
    let kills = if std::env::var_os("ENTREPOT_TEST_LARGE").is_some() { MANY_KILLS } else { KILLS };
    let seed = std::env::var("ENTREPOT_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or(0x5eed_0001);
    for database in databases() {
        survives(database, kills, seed);
    }
}

fn survives(database: Database, kills: u32, seed: u64) {
    let begun = Instant::now();
    let mut dice = Dice(seed);
    let mut registry = Registry::new(database);
    let mut attempts = Vec::new();
    for round in 1..=kills {
        let about = format!("{database:?}, kill {round}, ENTREPOT_TEST_SEED={seed}");
        let moment = Moment { acknowledged: dice.throw(9), later: Duration::from_millis(dice.throw(60)) };
        let tried = publish_until_killed(&mut registry, round, seed, moment);
        registry.server.start_again();
        let client = Client::new(&registry);
        check(&client, &tried, &about);
        for attempt in tried.iter().filter(|attempt| !attempt.is_acknowledged) {
            client.publish_again(&attempt.publication, &about);
        }
        attempts.extend(tried);
    }
    let about = format!("{database:?}, at the end, ENTREPOT_TEST_SEED={seed}");
    let client = Client::new(&registry);
    check(&client, &attempts, &about);
    client.everything_listed_is_whole(&about);
    let acknowledged = attempts.iter().filter(|attempt| attempt.is_acknowledged).count();
    let (all, took) = (attempts.len(), begun.elapsed());
    say(&format!("{database:?}: {kills} kills, {acknowledged} of {all} publishes acknowledged, {took:.1?}"));
    assert!(acknowledged > 0 && acknowledged < all, "{about}: the kills met publishes under way");
    if Setup::from(database).is_on_disk() {
        leftovers_go_with_the_sweep(&mut registry);
    }
}

/// Lets clients publish, kills the server under them, and gives what they tried.
fn publish_until_killed(registry: &mut Registry, round: u32, seed: u64, moment: Moment) -> Vec<Attempt> {
    let acknowledged = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (client, acknowledged) = (Client::new(registry), Arc::clone(&acknowledged));
            let mut dice =
                Dice(seed ^ u64::from(round * CLIENTS + number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            thread::spawn(move || {
                let mut attempts = Vec::new();
                for count in 0_u32.. {
                    let mut size = || usize::try_from(1 << dice.throw(22)).expect("small");
                    let version = format!("1.{number}.{count}");
                    let publication = match number % 5 {
                        0 => Publication::file(&format!("file-{round}-{number}-{count}"), size()),
                        1 => Publication::release(
                            &format!("release-{round}-{number}-{count}"),
                            [size(), size(), size()],
                        ),
                        // Both into one package.
                        2 => Publication::npm(&format!("web-{round}"), &version, size()),
                        3 => Publication::jar(&format!("app-{round}"), &version, size()),
                        _ => Publication::wheel(&format!("lib-{round}"), &version, size()),
                    };
                    let is_acknowledged = client.publish(&publication).is_some_and(|status| status < 300);
                    attempts.push(Attempt { publication, is_acknowledged });
                    if !is_acknowledged {
                        return attempts;
                    }
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                attempts
            })
        })
        .collect();
    let begun = Instant::now();
    while acknowledged.load(Ordering::Relaxed) < moment.acknowledged && begun.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(moment.later);
    registry.server.kill();
    clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
}

fn check(client: &Client, attempts: &[Attempt], about: &str) {
    let mut documents: BTreeMap<String, String> = BTreeMap::new();
    for Attempt { publication, is_acknowledged } in attempts {
        let visible = client.visible_files(publication, about);
        let (all, name) = (publication.files().len(), publication.name());
        assert!(visible == all || visible == 0, "{about}: {visible} of {all} files of {name} are there");
        assert!(visible == all || !is_acknowledged, "{about}: {name} was acknowledged and is gone");
        if let Some((path, line)) = publication.listing() {
            // What is listed has its files, and what has files is listed.
            let document = documents.entry(path).or_insert_with_key(|path| client.document(path));
            assert_eq!(document.contains(&line), visible == all, "{about}: {line} of {name} in {document}");
        }
    }
    for (path, document) in documents.iter().filter(|(path, _)| path.starts_with("npm/")) {
        let packument: Value = serde_json::from_str(document).unwrap_or_default();
        for (tag, version) in packument["dist-tags"].as_object().into_iter().flatten() {
            let is_there = packument["versions"][version.as_str().unwrap_or_default()].is_object();
            assert!(is_there, "{about}: {path}: {tag} points at {version}");
        }
    }
}

/// Uploads that a killed server left are there for as long as somebody may want them, and then no longer.
fn leftovers_go_with_the_sweep(registry: &mut Registry) {
    let staging = registry.server.data().join("blobs/staging");
    let left = entries(&staging);
    registry.server.kill();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365);
    for file in &left {
        let file = fs::File::options().write(true).open(staging.join(file)).expect("a file");
        file.set_modified(long_ago).expect("a time");
    }
    registry.server.start_again();
    for _ in 0..500 {
        if entries(&staging).is_empty() {
            return say(&format!("{} leftovers were swept", left.len()));
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the sweep leaves {:?}", entries(&staging));
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect()
}
