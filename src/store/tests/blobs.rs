//! The way of stored bytes: what a publish and a removal do to each other at every step.

use domain::{BlobId, ErrorCode, rules::Republish};
use time::{Duration, OffsetDateTime};

use super::{
    NOW, TestStore,
    packages::{publication, world},
};
use crate::{
    Result, Store, StoreError,
    blobs::{self, Collectable, Content},
    packages::{self, NewPublication, Published},
    projects::Project,
};

const LATER: OffsetDateTime = NOW.saturating_add(Duration::DAY);

fn version(project: &Project, version: &str) -> NewPublication {
    publication(project, version, 1, Republish::LatestWins)
}

async fn claimed(store: &Store, project: &Project, number: &str) -> Result<NewPublication> {
    let mut publication = version(project, number);
    blobs::claim(store, &mut publication).await?;
    Ok(publication)
}

async fn publish(store: &Store, project: &Project, number: &str) -> Published {
    let publication = claimed(store, project, number).await.expect("nothing is on its way out");
    packages::publish(store, publication, NOW).await.expect("published")
}

async fn destroy(store: &Store, published: &Published, now: OffsetDateTime) {
    let viewer = super::world::viewer(domain::UserId(1));
    let found =
        packages::find(store, &viewer, published.package, now).await.expect("an answer").expect("there");
    let package = found.authorize(&viewer, access::Action::View).expect("public");
    packages::destroy(store, &package, now).await.expect("destroyed");
}

/// A version that was published and deleted.
async fn deleted() -> (TestStore, Project) {
    let (store, project) = world().await;
    let published = publish(&store, &project, "1").await;
    destroy(&store, &published, NOW).await;
    (store, project)
}

async fn condemn(store: &Store, released_before: OffsetDateTime, now: OffsetDateTime) -> u64 {
    let (last, condemned) =
        blobs::condemn(store, BlobId(0), 100, released_before, now).await.expect("an answer");
    assert!(last.is_some());
    condemned
}

async fn begin(store: &Store, condemned_before: OffsetDateTime) -> Vec<Collectable> {
    blobs::begin_removals(store, (LATER, condemned_before), 100, LATER).await.expect("an answer")
}

fn is_unavailable<T>(outcome: Result<T>) {
    match outcome.err() {
        Some(StoreError::Failure(failure)) if failure.code == ErrorCode::Unavailable => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn bytes_stay_for_as_long_as_a_file_keeps_them() {
    let (store, project) = world().await;
    let one = publish(&store, &project, "1").await;
    let other = publish(&store, &project, "2").await;
    assert_eq!(condemn(&store, LATER, LATER).await, 0, "two files have them");
    destroy(&store, &one, NOW).await;
    assert_eq!(condemn(&store, LATER, LATER).await, 0, "one file has them");
    destroy(&store, &other, NOW + Duration::HOUR).await;
    assert_eq!(condemn(&store, NOW + Duration::minutes(59), LATER).await, 0, "not for long enough");
    let amount = blobs::unreferenced(&store, NOW + Duration::hours(2)).await.expect("an answer");
    assert_eq!((amount.contents, amount.bytes), (1, 3));
    assert_eq!(condemn(&store, NOW + Duration::hours(2), LATER).await, 1);
    assert_eq!(condemn(&store, NOW + Duration::hours(2), LATER).await, 0, "once");
    assert_eq!(begin(&store, LATER - Duration::SECOND).await, [], "they stay condemned for a while");
    let begun = begin(&store, LATER).await;
    assert_eq!(begun.len(), 1);
    assert_eq!(begun[0].content.size, 3);
    assert_eq!(begin(&store, LATER).await, [], "one server has it");
    blobs::finish_removals(&store, begun, LATER).await.expect("finished");
    assert_eq!(condemn(&store, LATER, LATER).await, 0, "what is gone is not condemned");
    let amount = blobs::unreferenced(&store, LATER).await.expect("an answer");
    assert_eq!(amount.contents, 0);
    assert_eq!(
        blobs::purge(&store, LATER, 10).await.expect("an answer"),
        0,
        "the deleted files need the digests"
    );
}

#[tokio::test]
async fn a_deleted_project_keeps_nothing() {
    let (store, project) = world().await;
    publish(&store, &project, "1").await;
    crate::projects::destroy(&store, project.id, NOW).await.expect("destroyed");
    assert_eq!(condemn(&store, NOW - Duration::SECOND, LATER).await, 0);
    assert_eq!(condemn(&store, NOW, LATER).await, 1);
}

#[tokio::test]
async fn a_publish_takes_condemned_bytes_up_again() {
    let (store, project) = deleted().await;
    assert_eq!(condemn(&store, LATER, NOW).await, 1);
    publish(&store, &project, "2").await;
    assert_eq!(begin(&store, LATER).await, []);
    assert_eq!(condemn(&store, LATER, LATER).await, 0);
}

#[tokio::test]
async fn a_publish_that_asked_before_the_removal_is_refused_after_it() {
    let (store, project) = deleted().await;
    let slow = claimed(&store, &project, "2").await.expect("the bytes are there");
    condemn(&store, LATER, NOW).await;
    let begun = begin(&store, LATER).await;
    assert_eq!(begun.len(), 1);
    is_unavailable(packages::publish(&store, slow, LATER).await);
    blobs::finish_removals(&store, begun, LATER).await.expect("finished");
    let again = claimed(&store, &project, "2").await.expect("the bytes are to be written again");
    assert_eq!(again.files[0].removals, 1);
    packages::publish(&store, again, LATER).await.expect("published");
    assert_eq!(condemn(&store, LATER, LATER).await, 0, "they are stored again");
}

#[tokio::test]
async fn a_publish_that_took_stored_bytes_is_refused_when_they_are_gone() {
    let (store, project) = deleted().await;
    let stored = |number: &str| {
        let mut publication = version(&project, number);
        publication.files[0].is_stored = true;
        publication
    };
    let mut slow = stored("2");
    blobs::claim(&store, &mut slow).await.expect("the bytes are there");
    condemn(&store, LATER, NOW).await;
    let begun = begin(&store, LATER).await;
    blobs::finish_removals(&store, begun, LATER).await.expect("finished");
    is_unavailable(packages::publish(&store, slow, LATER).await);
    let refused = blobs::claim(&store, &mut stored("2")).await;
    assert!(matches!(refused, Err(StoreError::Failure(failure)) if failure.code == ErrorCode::NotFound));
}

/// A server that dies between a removal's beginning and its end leaves it to others.
#[tokio::test]
async fn a_removal_that_broke_off_is_taken_over() {
    let (store, project) = deleted().await;
    condemn(&store, LATER, NOW).await;
    let lost = begin(&store, LATER).await;
    assert_eq!(lost.len(), 1);
    is_unavailable(claimed(&store, &project, "2").await);
    let stalled = blobs::stalled_removals(&store, LATER - Duration::SECOND, 10, LATER).await;
    assert_eq!(stalled.expect("an answer"), [], "it may still be under way");
    let now = LATER + Duration::HOUR;
    let stalled = blobs::stalled_removals(&store, LATER, 10, now).await.expect("an answer");
    assert_eq!(stalled.iter().map(|row| row.content).collect::<Vec<_>>(), [lost[0].content]);
    let again = blobs::stalled_removals(&store, LATER, 10, now).await.expect("an answer");
    assert_eq!(again, [], "one server has it");
    blobs::finish_removals(&store, lost, now).await.expect("an answer");
    is_unavailable(claimed(&store, &project, "2").await);
    blobs::finish_removals(&store, stalled, now).await.expect("finished");
    assert_eq!(claimed(&store, &project, "2").await.expect("over").files[0].removals, 2);
}

#[tokio::test]
async fn bytes_without_a_row_get_one_and_go_the_same_way() {
    let (store, project) = world().await;
    let sha256 = version(&project, "1").files[0].digests.sha256;
    let unknown = blobs::unknown(&store, &[sha256]).await.expect("an answer");
    assert!(unknown.contains(&sha256));
    // A publish that is under way, and found the bytes there.
    let under_way = claimed(&store, &project, "1").await.expect("nothing is known of them");
    let found = vec![Content { sha256, size: 3 }];
    assert_eq!(blobs::adopt(&store, found.clone(), NOW).await.expect("an answer"), 1);
    assert_eq!(blobs::adopt(&store, found.clone(), NOW).await.expect("an answer"), 0, "it has one");
    assert!(blobs::unknown(&store, &[sha256]).await.expect("an answer").is_empty());
    let begun = begin(&store, NOW).await;
    assert_eq!(begun[0].content, found[0]);
    is_unavailable(packages::publish(&store, under_way, NOW).await);
    blobs::finish_removals(&store, begun, NOW).await.expect("finished");
    assert!(blobs::unknown(&store, &[sha256]).await.expect("an answer").contains(&sha256));
    assert_eq!(blobs::purge(&store, NOW - Duration::SECOND, 10).await.expect("an answer"), 0);
    assert_eq!(blobs::purge(&store, NOW, 10).await.expect("an answer"), 1, "nobody needs the digests");
    publish(&store, &project, "1").await;
    assert_eq!(blobs::adopt(&store, found, NOW).await.expect("an answer"), 0, "what is stored stays so");
    assert_eq!(begin(&store, LATER).await, []);
}
