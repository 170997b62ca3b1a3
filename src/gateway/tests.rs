//! Tests of what needs no backend: credentials, queries, headers of downloads.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Carrier, ErrorCode};
use http::{HeaderMap, HeaderValue, header};
use time::macros::datetime;

use crate::{
    CredentialPolicy, CsrfToken, QueryPairs, SessionCookie, cookies,
    credentials::find,
    csrf,
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
fn pages_are_asked_with_the_cookie_alone() {
    let policy = CredentialPolicy { session: SessionCookie::Alone, ..CredentialPolicy::default() };
    let query = QueryPairs::parse(Some("private_token=t")).expect("valid");
    for name in ["private-token", "deploy-token", "job-token", "authorization"] {
        let found = find(&headers(&[(name, "Bearer t")]), &query, policy).expect("not looked at");
        assert_eq!(found, None, "{name}");
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

#[test]
fn cookies_are_found_among_others() {
    let mut several = headers(&[("cookie", "a=1; _entrepot_session=s-1; b=2")]);
    assert_eq!(cookies::value(&several, "_entrepot_session").as_deref(), Some("s-1"));
    assert_eq!(cookies::value(&several, "_entrepot"), None);
    several.append(header::COOKIE, HeaderValue::from_static("c=3; b=4"));
    assert_eq!(cookies::value(&several, "c").as_deref(), Some("3"), "HTTP/2 may send them apart");
    assert_eq!(cookies::value(&several, "b").as_deref(), Some("2"), "the first of a name");
}

#[test]
fn a_token_belongs_to_its_secret() {
    let token = CsrfToken::of("entps-one");
    assert!(token.is(CsrfToken::of("entps-one").as_str()));
    for other in [CsrfToken::of("entps-two").as_str(), "", "entps-one", &token.as_str()[1..]] {
        assert!(!token.is(other), "{other}");
    }
    assert!(token.check_header(&headers(&[("x-csrf-token", token.as_str())])).is_ok());
    for (given, says) in [(&[][..], "has to carry"), (&[("x-csrf-token", "wrong")][..], "is not the one")] {
        let refused = token.check_header(&headers(given)).expect_err("refused");
        assert_eq!(refused.code, ErrorCode::Forbidden);
        assert!(refused.message.contains(says), "{}", refused.message);
    }
    assert!(!format!("{token:?}").contains(token.as_str()), "it is not shown");
}

#[test]
fn what_a_foreign_page_sends_is_refused() {
    let external = "https://registry.test/base";
    for (given, is_ours) in [
        (&[][..], true),
        (&[("sec-fetch-site", "same-origin")][..], true),
        (&[("sec-fetch-site", "none")], true),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("origin", "https://registry.test")], true),
        (&[("origin", "https://registry.test:443")], true),
        (&[("origin", "https://registry.test:8443")], false),
        (&[("origin", "http://registry.test")], false),
        (&[("origin", "https://registry.test.evil.test")], false),
        (&[("origin", "null")], false),
        (&[("origin", "https://evil.test"), ("host", "registry.test")], false),
        (&[("origin", "http://10.0.0.1:8080"), ("host", "10.0.0.1:8080")], true),
        (&[("origin", "https://inner.test"), ("host", "inner.test")], true),
        (&[("origin", "http://inner.test:81"), ("host", "inner.test")], false),
        (&[("origin", "http://inner.test"), ("host", "inner.test"), ("sec-fetch-site", "cross-site")], false),
    ] {
        assert_eq!(csrf::refuse_foreign(&headers(given), external).is_ok(), is_ours, "{given:?}");
    }
}
