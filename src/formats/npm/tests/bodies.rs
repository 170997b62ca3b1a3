//! The decoder of publishes: bodies recorded from clients, and bodies no client sends.

use std::{
    io::{self, Read, Write},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{ErrorCode, Failure};
use gateway::{StageWriter, StagedBlob};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{super::wire::body::*, digests, hex, inspect, package};

/// An upload that lies in memory, and takes so many bytes at most.
#[derive(Clone)]
struct Upload(Arc<Mutex<Vec<u8>>>, usize);

impl Upload {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("not poisoned").clone()
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.0.lock().expect("not poisoned");
        if written.len() + bytes.len() > self.1 {
            return Err(io::Error::other(Failure::new(ErrorCode::TooLarge, "larger than the limit")));
        }
        written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl StageWriter for Upload {
    fn finish(self: Box<Self>) -> Result<StagedBlob, Failure> {
        let bytes = self.bytes();
        Ok(StagedBlob { size: bytes.len() as u64, digests: digests(&bytes), guard: Box::new(()) })
    }
}

/// A reader that gives a few bytes at a time.
struct Slowly<'a> {
    rest: &'a [u8],
    step: usize,
}

impl Read for Slowly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.step.min(self.rest.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest = &self.rest[length..];
        Ok(length)
    }
}

fn decode_with_limit(source: &mut dyn Read, limit: usize) -> Result<(Body, Vec<u8>), Failure> {
    let upload = Upload(Arc::default(), limit);
    let body = decode(source, Sink::Upload(Box::new(upload.clone())))?;
    Ok((body, upload.bytes()))
}

fn decode_all(body: &[u8]) -> Result<(Body, Vec<u8>), Failure> {
    decode_with_limit(&mut &*body, 1 << 20)
}

fn refusal(body: &[u8]) -> String {
    let Err(failure) = decode_all(body) else { panic!("{:?} was accepted", String::from_utf8_lossy(body)) };
    assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::Invalid, Some("body")), "{failure}");
    failure.message.into_owned()
}

/// What `npm publish` and its like sent for one package each, and what is kept of it. Recorded with npm 11.19.1,
/// pnpm 12.21.0, yarn 1.22.22 and 4.18.1, bun 1.4.5.
#[test]
fn every_client_can_publish() {
    macro_rules! bodies {
        ($($name:literal),+) => {
            [$(($name, include_bytes!(concat!("../snapshots/bodies/", $name, ".json")).as_slice())),+]
        };
    }
    let recorded = bodies!(
        "npm11-plain",
        "npm11-odd",
        "npm11-bins",
        "pnpm12-plain",
        "pnpm12-odd",
        "pnpm12-bins",
        "pnpm12-wsa",
        "yarn1-plain",
        "yarn1-bins",
        "yarn4-plain",
        "yarn4-bins",
        "yarn4-wsa",
        "bun1-plain",
        "bun1-odd",
        "bun1-bins"
    );
    for (client, recorded) in recorded {
        let (body, tarball) = decode_all(recorded).unwrap_or_else(|failure| panic!("{client}: {failure}"));
        let name = body.name.expect("all clients send it");
        let mut versions = body.versions.expect("all clients send them");
        assert_eq!(versions.len(), 1, "{client}");
        let SentVersion { version, manifest, .. } = versions.remove(0);
        let inspection = inspect(&name, &version, Value::Object(manifest.expect("the first")), &tarball)
            .unwrap_or_else(|failure| panic!("{client}: {failure}"));
        assert_eq!(body.tags.len(), 1, "{client}");
        let facts: Map<String, Value> =
            ["bin", "scripts", "dependencies", "bundleDependencies", "hasInstallScript", "main"]
                .into_iter()
                .filter_map(|field| Some((field.to_owned(), inspection.metadata.get(field)?.clone())))
                .collect();
        assert_snapshot!(format!("published_by_{client}"), facts);
    }
}

fn publish(tarball: &[u8]) -> Value {
    json!({
        "_id": "web",
        "name": "web",
        "dist-tags": { "latest": "1.0.0" },
        "versions": { "1.0.0": { "name": "web", "version": "1.0.0", "readme": "# \u{e9}\n\"quoted\"", "n": [1, 2.5, null] } },
        "readme": "# Web",
        "_attachments": {
            "web-1.0.0.tgz": { "content_type": "x", "data": STANDARD.encode(tarball), "length": tarball.len() },
        },
    })
}

#[test]
fn what_is_kept_of_a_publish() {
    let tarball = package(&json!({ "name": "web", "version": "1.0.0" }));
    let (body, uploaded) = decode_all(publish(&tarball).to_string().as_bytes()).expect("fine");
    assert_eq!(uploaded, tarball);
    let attachment = body.tarball.expect("uploaded");
    assert_eq!(attachment.file_name, "web-1.0.0.tgz");
    assert_eq!(
        attachment.staged.digests.hex(domain::DigestAlgorithm::Sha256),
        Some(hex(&tarball, domain::DigestAlgorithm::Sha256))
    );
    assert_eq!(body.tags, [("latest".to_owned(), "1.0.0".to_owned())]);
    let manifest = body.versions.expect("there").remove(0).manifest.expect("the first");
    // The readme is not even held.
    assert_eq!(Value::Object(manifest), json!({ "name": "web", "version": "1.0.0", "n": [1, 2.5, null] }));
}

#[test]
fn a_provenance_bundle_is_json_in_a_text() {
    let mut body = publish(b"x");
    body["_attachments"]["web-1.0.0.sigstore"] =
        json!({ "content_type": "b", "data": "{\"a\":1}", "length": 7 });
    let (decoded, _) = decode_all(body.to_string().as_bytes()).expect("fine");
    assert_eq!(decoded.provenance, Some(json!({ "a": 1 })));
    for data in [json!("not JSON"), json!("[]"), json!(5), json!("\"".repeat(2 << 20))] {
        body["_attachments"]["web-1.0.0.sigstore"]["data"] = data;
        assert!(refusal(body.to_string().as_bytes()).contains("provenance bundle"));
    }
}

#[test]
fn a_packument_sent_back_says_which_versions_it_has_and_their_deprecations() {
    let body = json!({
        "name": "web", "_rev": "7", "_attachments": {},
        "versions": { "1.0.0": { "deprecated": "old" }, "1.1.0": { "x": {}, "deprecated": "" }, "2.0.0": { "deprecated": false } },
    });
    let (decoded, _) = decode_all(body.to_string().as_bytes()).expect("fine");
    assert!(decoded.tarball.is_none());
    let versions: Vec<_> = decoded
        .versions
        .iter()
        .flatten()
        .map(|sent| (sent.version.as_str(), sent.deprecated.as_deref()))
        .collect();
    assert_eq!(versions, [("1.0.0", Some("old")), ("1.1.0", Some("")), ("2.0.0", None)]);
    let (owners, _) = decode_all(br#"{"_id":"web","maintainers":[]}"#).expect("fine");
    assert!(owners.versions.is_none(), "what says nothing of versions removes none");
}

#[test]
fn attachments_are_refused_where_none_can_be_taken() {
    let refusing = Sink::Refuse(Failure::new(ErrorCode::Unsupported, "not here"));
    let Err(failure) = decode(&mut publish(b"x").to_string().as_bytes(), refusing) else {
        panic!("accepted")
    };
    assert_eq!(failure.code, ErrorCode::Unsupported);
}

#[test]
fn malformed_publishes_are_refused_by_name() {
    let change = |path: &str, value: Value| {
        let mut body = publish(b"tarball");
        *body.pointer_mut(path).expect("there") = value;
        body.to_string()
    };
    let attachment = "/_attachments/web-1.0.0.tgz";
    let two = json!({ "a.tgz": { "data": "AAAA" }, "b.tgz": { "data": "AAAA" } });
    let deep = format!("{{\"versions\":{{\"1\":{{\"x\":{}{}}}}}}}", "[".repeat(200), "]".repeat(200));
    let name = format!("{{\"versions\":{{\"{}\":{{}}}}}}", "1".repeat(100_000));
    for (body, reason) in [
        (change(&format!("{attachment}/data"), json!("")), "Attachment data is empty."),
        (change(&format!("{attachment}/data"), json!(null)), "Attachment data is empty."),
        (change(attachment, json!({})), "Attachment data is empty."),
        (change(&format!("{attachment}/data"), json!("AAA*")), "not valid base64"),
        (change(&format!("{attachment}/data"), json!("AAAAA")), "not valid base64"),
        (change(&format!("{attachment}/data"), json!("AA==AAAA")), "not valid base64"),
        (change(&format!("{attachment}/length"), json!(8)), "has 7 bytes, but its length is given as 8"),
        (change("/_attachments", two), "more than one tarball"),
        (change("/_attachments", json!([])), "has an array where an object belongs"),
        (change("/versions", json!([])), "has an array where an object belongs"),
        (change("/versions/1.0.0", json!(null)), "has null where an object belongs"),
        (change("/name", json!(1)), "has a number where a text belongs"),
        ("[]".to_owned(), "has an array where an object belongs"),
        ("{}{}".to_owned(), "not valid JSON: data behind its end, at line 1, column 3"),
        ("{\"name\":\"a\",\"name\":\"b\"}".to_owned(), "has the member 'name' twice"),
        ("{\"versions\":{\"1\":{\"a\":1,\"a\":2}}}".to_owned(), "has the member 'a' twice"),
        ("{\"a\":tru}".to_owned(), "not valid JSON: a word that is not true, false or null, at line 1"),
        ("{\"name\":\"\\ud800\"}".to_owned(), "not valid JSON: half of a surrogate pair, at line 1"),
        (deep, "nested too deeply"),
        (name, "too large"),
        (String::new(), "ended early"),
    ] {
        let refusal = refusal(body.as_bytes());
        assert!(refusal.contains(reason), "{refusal:?} should say {reason:?}");
    }
    assert!(refusal(b"{\"name\":\"\xff\"}").contains("not valid UTF-8"));
    assert!(refusal(b"{\"_attachments\":{\"a\":{\"data\":\"\xff\"}}}").contains("not valid"));
}

#[test]
fn a_padding_in_the_middle_of_long_data_is_refused() {
    let mut data = STANDARD.encode(vec![0; 48 * 1024 - 1]);
    data.push_str(&STANDARD.encode([0; 100]));
    let body = json!({ "_attachments": { "a.tgz": { "data": data } } }).to_string();
    assert!(refusal(body.as_bytes()).contains("not valid base64"));
}

#[test]
fn a_file_larger_than_allowed_is_refused_while_it_comes() {
    let body = publish(&vec![7; 100_000]).to_string();
    decode_with_limit(&mut body.as_bytes(), 100_000).map(drop).expect("just fits");
    let failure = decode_with_limit(&mut body.as_bytes(), 99_999).map(drop).expect_err("does not");
    assert_eq!(failure.code, ErrorCode::TooLarge);
}

#[test]
fn a_manifest_without_end_is_refused() {
    struct Endless(u64);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(b'a');
            self.0 += buffer.len() as u64;
            Ok(buffer.len())
        }
    }
    for (start, most) in [("{\"", 1 << 20), ("{\"name\":\"", 16 << 20), ("{\"readme\":\"", 256 << 20)] {
        let mut rest = Endless(0);
        let refused = decode_with_limit(&mut start.as_bytes().chain(&mut rest), 1).map(drop);
        assert!(refused.expect_err("too large").message.contains("too large"));
        assert!(rest.0 < most, "{start} was read for {} bytes", rest.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn members_come_in_any_order_and_bytes_in_any_pieces(
        order in Just(["_id", "name", "dist-tags", "versions", "readme", "_attachments"]).prop_shuffle(),
        inner in Just(["content_type", "data", "length"]).prop_shuffle(),
        tarball in proptest::collection::vec(any::<u8>(), 1..3000),
        step in 1_usize..700,
    ) {
        let body = publish(&tarball);
        let attachment = &body["_attachments"]["web-1.0.0.tgz"];
        let attachment: Map<_, _> = inner.iter().map(|key| ((*key).to_owned(), attachment[*key].clone())).collect();
        let mut shuffled: Map<_, _> = order.iter().map(|key| ((*key).to_owned(), body[*key].clone())).collect();
        shuffled["_attachments"]["web-1.0.0.tgz"] = Value::Object(attachment);
        let text = Value::Object(shuffled).to_string();
        let (decoded, uploaded) = decode_with_limit(&mut Slowly { rest: text.as_bytes(), step }, 1 << 20).expect("fine");
        prop_assert_eq!(uploaded, tarball);
        prop_assert_eq!(decoded.name.as_deref(), Some("web"));
        prop_assert_eq!(decoded.versions.map(|versions| versions.len()), Some(1));
    }

    #[test]
    fn any_bytes_are_refused_or_decoded(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_all(&bytes);
    }

    #[test]
    fn any_change_is_refused_or_decoded(at in any::<prop::sample::Index>(), byte: u8) {
        let mut body = publish(b"a small tarball").to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        let _ = decode_all(&body);
    }
}

#[test]
fn cut_off_anywhere_a_body_is_refused() {
    let body = publish(b"a small tarball").to_string();
    for end in 0..body.len() {
        let refusal = refusal(&body.as_bytes()[..end]);
        assert!(refusal.contains("ended early") || refusal.contains("not valid"), "at {end}: {refusal}");
    }
}
