//! Files of checksums that clients put.

use super::stage::{Stage, md5, sha1, told};

const JAR: &str = "com/acme/app/1.0/app-1.0.jar";

#[tokio::test]
async fn a_checksum_is_compared_and_not_kept() {
    let stage = Stage::new().await;
    stage.put(JAR, "content").await.expect(200);
    let blobs = stage.world.blob_count();
    for (suffix, digest, status) in [
        ("sha1", sha1(b"content"), 204),
        ("sha1", format!("{}\n", sha1(b"content").to_uppercase()), 204),
        ("md5", md5(b"content"), 200),
        ("sha256", "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73".to_owned(), 200),
    ] {
        let answer = stage.put(&format!("{JAR}.{suffix}"), digest).await.expect(status);
        assert!(answer.body.is_empty(), "{}", answer.text());
    }
    assert_eq!(stage.world.blob_count(), blobs);
    stage.world.nothing_stays_staged().await;
    assert_eq!(stage.get(&format!("{JAR}.sha1")).await.expect(200).text(), sha1(b"content"));
}

#[tokio::test]
async fn a_checksum_of_other_bytes_is_a_conflict_that_names_both() {
    let stage = Stage::new().await;
    stage.put(JAR, "content").await.expect(200);
    let (sent, stored) = (sha1(b"other"), sha1(b"content"));
    let answer = stage.put(&format!("{JAR}.sha1"), sent.clone()).await;
    let text = format!(
        "409 Conflict - The SHA-1 of app-1.0.jar is {stored}, but {sent} was sent: publish the file again"
    );
    assert_eq!(told(&answer), (409, text));
    let answer = stage.put(&format!("{JAR}.md5"), "no digest").await;
    assert_eq!(told(&answer), (409, "409 Conflict - 'no digest' is no MD5 for app-1.0.jar".to_owned()));
    let long = "0".repeat(5000);
    stage.put(&format!("{JAR}.sha512"), long).await.expect(400);
}

#[tokio::test]
async fn a_checksum_of_nothing_is_not_found_and_a_reader_may_not_send_one() {
    let stage = Stage::new().await;
    let answer = stage.put(&format!("{JAR}.sha1"), sha1(b"content")).await;
    assert_eq!(told(&answer), (404, "404 Package File Not Found".to_owned()));
    stage.put(JAR, "content").await.expect(200);
    let people = &stage.world.people;
    for path in [
        format!("{JAR}.sha1"),
        "com/acme/app/maven-metadata.xml".to_owned(),
        "com/acme/maven-metadata.xml.md5".to_owned(),
        "com/acme/app/1-SNAPSHOT/maven-metadata.xml".to_owned(),
        "com/maven-metadata.xml".to_owned(),
    ] {
        stage.put_by(&path, sha1(b"content"), &people.reporter).await.expect(403);
        stage.put_by(&path, sha1(b"content"), &people.outsider).await.expect(404);
        stage.client.put(stage.at(&path)).body(sha1(b"content")).send().await.expect(401);
    }
}
