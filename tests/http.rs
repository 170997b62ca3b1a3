//! HTTP as RFC 9110 has it, on files and uploads of the real server.

use crate::{
    clients::Registry,
    server::{Database, ROOT_TOKEN, Response},
};

/// A request of the administrator's.
fn send(registry: &Registry, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let headers = [&[("PRIVATE-TOKEN", ROOT_TOKEN)], headers].concat();
    registry.server.request(method, path, &headers, body)
}

#[test]
fn ranges_and_conditions_are_answered_as_the_standard_says() {
    let registry = Registry::new(Database::Sqlite);
    let path = format!("{}/generic/http/1.0.0/five.txt", registry.project_packages());
    assert_eq!(send(&registry, "PUT", &path, &[], b"12345").status, 201);
    let whole = send(&registry, "GET", &path, &[], b"");
    assert_eq!((whole.status, whole.body.as_slice()), (200, b"12345".as_slice()));
    let (etag, modified) = (whole.header("etag").to_owned(), whole.header("last-modified").to_owned());
    let long_ago = "Wed, 01 Jan 2020 00:00:00 GMT";
    type Case<'a> = (&'a [(&'a str, &'a str)], u16, &'a str, &'a [u8]);
    let table: &[Case] = &[
        (&[("Range", "bytes=1-2")], 206, "bytes 1-2/5", b"23"),
        (&[("Range", "bytes=3-")], 206, "bytes 3-4/5", b"45"),
        (&[("Range", "bytes=-2")], 206, "bytes 3-4/5", b"45"),
        (&[("Range", "bytes=0-99999999999999999999")], 206, "bytes 0-4/5", b"12345"),
        (&[("Range", "bytes=5-")], 416, "bytes */5", b""),
        (&[("Range", "bytes=-0")], 416, "bytes */5", b""),
        (&[("Range", "bytes=9-3")], 200, "", b"12345"),
        (&[("Range", "bytes=0-0,2-2")], 200, "", b"12345"),
        (&[("Range", "bytes=1-2"), ("If-Range", &etag)], 206, "bytes 1-2/5", b"23"),
        (&[("Range", "bytes=1-2"), ("If-Range", "\"other\"")], 200, "", b"12345"),
        (&[("If-None-Match", &etag)], 304, "", b""),
        (&[("If-None-Match", "\"other\"")], 200, "", b"12345"),
        (&[("If-Modified-Since", &modified)], 304, "", b""),
        (&[("If-Match", &etag)], 200, "", b"12345"),
        (&[("If-Match", "*")], 200, "", b"12345"),
        (&[("If-Match", "\"other\"")], 412, "", b""),
        (&[("If-Unmodified-Since", long_ago)], 412, "", b""),
        (&[("If-Unmodified-Since", &modified)], 200, "", b"12345"),
    ];
    for (headers, status, range, wanted) in table {
        let response = send(&registry, "GET", &path, headers, b"");
        let got = (response.status, response.header("content-range"), response.body.as_slice());
        assert_eq!(got, (*status, *range, *wanted), "{headers:?}");
        let head = send(&registry, "HEAD", &path, headers, b"");
        assert_eq!((head.status, head.header("content-range")), (*status, *range), "HEAD {headers:?}");
        let length = head.header("content-length");
        match *status {
            200 => assert_eq!(length, "5", "{headers:?}"),
            206 => assert_eq!(length, wanted.len().to_string(), "{headers:?}"),
            304 => assert_eq!(length, "", "it would be said of the file: {headers:?}"),
            _ => {}
        }
    }
}

#[test]
fn a_part_or_an_encoding_is_not_taken_for_a_file() {
    let registry = Registry::new(Database::Sqlite);
    let packages = registry.project_packages();
    let paths = [
        format!("{packages}/generic/http/1.0.0/part.txt"),
        format!("{packages}/maven/org/acme/part/1.0/part-1.0.jar"),
        format!("{packages}/npm/part"),
    ];
    for path in &paths {
        for header in [("Content-Range", "bytes 0-4/10"), ("Content-Encoding", "gzip")] {
            let response = send(&registry, "PUT", path, &[header], b"12345");
            assert_eq!(response.status, 400, "{path} {header:?}");
            let text = response.text();
            assert!(text.contains(header.0) && text.contains(header.1), "{path}: {text}");
        }
        assert_eq!(send(&registry, "GET", path, &[], b"").status, 404, "{path}");
    }
    let identity = send(&registry, "PUT", &paths[0], &[("Content-Encoding", "identity")], b"12345");
    assert_eq!(identity.status, 201);
}

#[test]
fn an_audit_asks_who_is_asking() {
    let registry = Registry::new(Database::Sqlite);
    for kind in ["advisories/bulk", "audits/quick"] {
        let path = format!("{}/npm/-/npm/v1/security/{kind}", registry.project_packages());
        assert_eq!(send(&registry, "POST", &path, &[], b"{}").status, 200, "{path}");
        assert_eq!(registry.server.request("POST", &path, &[], b"{}").status, 401, "{path}");
    }
}
