//! How many duplicated files are kept, and when that is carried out.

use domain::{KeptDuplicates, Visibility};
use time::Duration;

use super::{
    NOW, test_store,
    world::{group, project},
};
use crate::{
    cleanup_policies::{self, CADENCE, CleanupPolicy},
    convert::stored,
};

#[tokio::test]
async fn what_is_said_again_puts_nothing_off() {
    let store = test_store().await;
    let acme = group(&store, None, "acme", Visibility::Private).await;
    let web = project(&store, acme.id, "web", Visibility::Private).await.id;
    let later = NOW + Duration::hours(1);
    assert_eq!(cleanup_policies::find(&store, web).await.expect("a policy"), CleanupPolicy::default());
    let ten = CleanupPolicy { kept: KeptDuplicates::Ten, next_run_at: Some(stored(NOW + CADENCE)) };
    for (kept, now, expected) in [
        (Some(KeptDuplicates::Ten), NOW, ten),
        (Some(KeptDuplicates::Ten), later, ten),
        (None, later, ten),
        (
            Some(KeptDuplicates::One),
            later,
            CleanupPolicy { kept: KeptDuplicates::One, next_run_at: Some(stored(later + CADENCE)) },
        ),
        (Some(KeptDuplicates::All), later, CleanupPolicy::default()),
    ] {
        let policy = cleanup_policies::update(&store, web, kept, now).await.expect("a change");
        assert_eq!(policy, expected, "{kept:?}");
        assert_eq!(cleanup_policies::find(&store, web).await.expect("a policy"), expected, "{kept:?}");
    }
}
