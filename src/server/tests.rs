//! The server as a whole, on a free port and a folder of its own.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod limits;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use serde_json::Value;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    boot::Server,
    config::{Config, Settings},
    stop::Stop,
};

struct Running {
    address: SocketAddr,
    token: String,
    end: oneshot::Sender<()>,
    server: JoinHandle<Result<(), Stop>>,
}

fn config(folder: &Path) -> Config {
    let given = Settings {
        listen: Some("127.0.0.1:0".to_owned()),
        data_dir: Some(folder.join("data")),
        shutdown_grace_seconds: Some(5),
        ..Settings::default()
    };
    Config::load(given, None).unwrap()
}

async fn start(folder: &Path) -> Running {
    start_with(config(folder)).await
}

async fn start_with(config: Config) -> Running {
    let file = config.data_dir.join("admin-token");
    let server = Server::start(config).await.unwrap();
    let address = server.address();
    let token = fs::read_to_string(file).unwrap().trim().to_owned();
    let (end, ended) = oneshot::channel();
    let server = tokio::spawn(server.run(async {
        let _ = ended.await;
    }));
    Running { address, token, end, server }
}

impl Running {
    /// Sends a request, and reads status, head and body.
    async fn ask(&self, head: &str, body: &str) -> (u16, String, String) {
        let (address, head, body) = (self.address, head.to_owned(), body.to_owned());
        let answer = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            let length = body.len();
            let request = format!(
                "{head}\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        })
        .await
        .unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    async fn get(&self, path: &str) -> (u16, String, String) {
        self.ask(&format!("GET {path} HTTP/1.1"), "").await
    }

    async fn graphql(&self, headers: &str, body: &str) -> (u16, String, Value) {
        let head = format!("POST /api/graphql HTTP/1.1\r\nContent-Type: application/json{headers}");
        let (status, head, body) = self.ask(&head, body).await;
        let body = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        (status, head, body)
    }

    async fn stop(self) {
        self.end.send(()).unwrap();
        self.server.await.unwrap().unwrap();
        assert!(TcpStream::connect(self.address).is_err(), "the port is free again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_answers_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;

    let (status, head, body) = server.get("/-/health").await;
    assert_eq!((status, body.as_str()), (200, r#"{"status":"ok"}"#));
    assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    assert!(head.contains("x-request-id: "), "{head}");
    let (_, head, _) = server.ask("GET /-/health HTTP/1.1\r\nX-Request-Id: mine-1", "").await;
    assert!(head.contains("x-request-id: mine-1"), "{head}");
    assert_eq!(server.get("/-/readiness").await.0, 200);
    assert_eq!(server.get("/").await.0, 200);
    assert_eq!(server.get("/api/v3/projects").await.0, 410);
    let (status, _, body) = server.get("/nowhere?private_token=x").await;
    assert_eq!((status, body.as_str()), (404, r#"{"error":"404 Not Found"}"#));
    let (status, _, body) = server.ask("POST /-/health HTTP/1.1", "").await;
    assert_eq!((status, body.as_str()), (405, r#"{"error":"405 Not Allowed"}"#));

    let (status, _, body) = server.get("/-/metrics").await;
    assert_eq!(status, 200);
    assert!(
        body.contains(r#"entrepot_http_requests_total{method="GET",route="/-/health",status="200"}"#),
        "{body}"
    );
    assert!(body.contains(r#"route="unmatched",status="404"}"#), "{body}");
    assert!(body.contains("entrepot_sql_statements_total "), "{body}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_door_follows_graphql_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let typename = r#"{"query":"{ __typename }","variables":null,"operationName":null,"extensions":null}"#;

    let (status, head, body) = server.graphql("", typename).await;
    assert_eq!(status, 200);
    assert_eq!(body["data"]["__typename"], "Query");
    assert!(head.contains("content-type: application/json; charset=utf-8"), "{head}");
    let draft = "\r\nAccept: application/graphql-response+json, application/json;q=0.9";
    let (status, head, _) = server.graphql(draft, typename).await;
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/graphql-response+json; charset=utf-8"), "{head}");
    let (status, _, body) = server.graphql(draft, r#"{"query":"{"}"#).await;
    assert_eq!((status, body.get("data")), (400, None), "{body}");
    let (status, _, body) = server.graphql("", r#"{"query":"{ nothing }"}"#).await;
    assert_eq!((status, body.get("data")), (200, None), "{body}");
    for wrong in ["", "{", "{}", r#"{"query":1}"#, r#"{"query":"{a}","variables":"x"}"#, "[]"] {
        let (status, _, body) = server.graphql("", wrong).await;
        assert_eq!(status, 400, "{wrong}");
        assert!(body["errors"][0]["message"].is_string(), "{body}");
    }

    let (_, _, body) = server.graphql("", &format!("[{typename},{typename}]")).await;
    assert_eq!(body.as_array().map(Vec::len), Some(2), "{body}");
    let many = [typename; 11].join(",");
    assert_eq!(server.graphql("", &format!("[{many}]")).await.0, 400);
    let large = format!(r#"{{"query":"{}"}}"#, " ".repeat(1024 * 1024));
    assert_eq!(server.graphql("", &large).await.0, 413);

    let (status, _, body) = server.graphql("\r\nPRIVATE-TOKEN: glpat-wrong", typename).await;
    assert_eq!((status, body["errors"][0]["message"].as_str()), (401, Some("Invalid token")));
    let bearer = format!("\r\nAuthorization: Bearer {}", server.token);
    assert_eq!(server.graphql(&bearer, typename).await.0, 200);

    let (status, head, body) = server.get("/api/graphql?query=%7B__typename%7D").await;
    assert_eq!(status, 405);
    assert!(head.contains("allow: post"), "{head}");
    assert!(body.contains("POST"), "{body}");
    let form = "POST /api/graphql HTTP/1.1\r\nContent-Type: text/plain";
    assert_eq!(server.ask(form, typename).await.0, 415);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_writes_a_token_for_its_owner_alone_and_later_ones_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path()).await;
    let data = folder.path().join("data");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("admin-token")), 0o600);
    assert!(first.token.starts_with("glpat-") && first.token.len() > 30);
    let second = Server::start(config(folder.path())).await.map(|_| ()).unwrap_err().to_string();
    assert!(second.contains("another entrepot works on"), "{second}");
    let token = first.token.clone();
    first.stop().await;
    let again = start(folder.path()).await;
    assert_eq!(again.token, token);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut busy = config(folder.path());
    busy.listen = taken.local_addr().unwrap().to_string();
    let text = Server::start(busy).await.map(|_| ()).unwrap_err().to_string();
    assert!(text.ends_with("another program uses this address"), "{text}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let mut blocked = config(folder.path());
    blocked.data_dir = file.join("data");
    let text = Server::start(blocked).await.map(|_| ()).unwrap_err().to_string();
    assert!(text.contains("cannot be made: not a directory"), "{text}");
}
