//! Tests of what needs no backend: credentials, queries, headers of downloads.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Carrier;
use http::{HeaderMap, HeaderValue, header};
use time::macros::datetime;

use crate::{
    CredentialPolicy, QueryPairs,
    credentials::find,
    serve::{content_disposition, is_not_modified},
};

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| ((*name).try_into().expect("name"), value.parse().expect("value")))
        .collect()
}

#[test]
fn every_carrier_is_found() {
    let query = QueryPairs::default();
    let policy = CredentialPolicy::default();
    let basic = format!("Basic {}", STANDARD.encode("ann:se:cret"));
    for (name, value, carrier, username, secret) in [
        ("private-token", "t", Carrier::PrivateToken, None, "t"),
        ("deploy-token", "t", Carrier::DeployToken, None, "t"),
        ("job-token", "t", Carrier::JobToken, None, "t"),
        ("authorization", "Bearer t", Carrier::Bearer, None, "t"),
        ("authorization", "bearer  t ", Carrier::Bearer, None, "t"),
        ("authorization", basic.as_str(), Carrier::Basic, Some("ann"), "se:cret"),
    ] {
        let found = find(&headers(&[(name, value)]), &query, policy).expect("readable").expect("there");
        assert_eq!(
            (found.carrier, found.username.as_deref(), found.secret.as_str()),
            (carrier, username, secret)
        );
        assert!(!format!("{found:?}").contains("cret"), "secrets are not shown");
    }
}

#[test]
fn an_authorization_that_cannot_be_read_is_refused() {
    for value in ["Basic %%%", "Basic", "Negotiate abc", "Basic bm9jb2xvbg=="] {
        assert!(
            find(&headers(&[("authorization", value)]), &QueryPairs::default(), CredentialPolicy::default())
                .is_err()
        );
    }
}

#[test]
fn queries_keep_repeated_keys_and_decode_once() {
    let query = QueryPairs::parse(Some("a=1&a=2&b=%2541&c=x+y&d")).expect("valid");
    assert_eq!(query.iter().filter(|(key, _)| *key == "a").count(), 2);
    assert_eq!((query.get("b"), query.get("c"), query.get("d")), (Some("%41"), Some("x y"), Some("")));
    assert!(QueryPairs::parse(Some("a=%ff")).is_err());
}

#[test]
fn conditional_requests() {
    let modified = Some(datetime!(2026-11-23 10:00:00.5 UTC));
    for (name, value, expected) in [
        ("if-none-match", "\"abc\"", true),
        ("if-none-match", "W/\"abc\", \"x\"", true),
        ("if-none-match", "*", true),
        ("if-none-match", "\"abd\"", false),
        ("if-modified-since", "Mon, 23 Nov 2026 10:00:00 GMT", true),
        ("if-modified-since", "Mon, 23 Nov 2026 09:59:59 GMT", false),
        ("if-modified-since", "yesterday", false),
    ] {
        assert_eq!(is_not_modified(&headers(&[(name, value)]), "abc", modified), expected, "{name}: {value}");
    }
    let mut both = headers(&[("if-modified-since", "Mon, 23 Nov 2026 10:00:00 GMT")]);
    both.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"other\""));
    assert!(!is_not_modified(&both, "abc", modified), "If-None-Match wins");
}

#[test]
fn file_names_cannot_break_out_of_the_header() {
    let header = content_disposition("dir/a\"b\r\nX: y\u{e9}.bin");
    let text = header.to_str().expect("ASCII");
    assert_eq!(
        text,
        "attachment; filename=\"a_b__X: y_.bin\"; filename*=UTF-8''a%22b%0D%0AX%3A%20y%C3%A9.bin"
    );
}
