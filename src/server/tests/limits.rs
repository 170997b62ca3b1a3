//! Limits as clients of the server meet them: over sockets, whose other end has an address.

use serde_json::{Value, json};

use super::{Running, config, start, start_with};
use crate::config::TrustedProxies;

const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;

impl Running {
    /// Changes limits as the administrator.
    async fn set_limits(&self, input: Value) {
        let query = "mutation U($input: UpdateInstanceLimitsInput!) { updateInstanceLimits(input: $input) { errors } }";
        let body = json!({ "query": query, "variables": { "input": input } }).to_string();
        let (_, _, answer) = self.graphql(&self.by_root(), &body).await;
        assert_eq!(answer["data"]["updateInstanceLimits"]["errors"], json!([]), "{answer}");
    }

    fn by_root(&self) -> String {
        format!("\r\nPRIVATE-TOKEN: {}", self.token)
    }

    /// Lets 10 requests without a credential through in an hour.
    async fn ten_an_hour(&self) {
        let rate = json!({ "name": "UNAUTHENTICATED_API", "enabled": true, "requestsPerPeriod": 10, "periodInSeconds": 3_600 });
        self.set_limits(json!({ "rateLimits": [rate] })).await;
    }

    /// How many requests in a row are let through when the proxies' header says what `forwarded_for` does of each.
    async fn let_through(&self, forwarded_for: impl Fn(usize) -> String) -> usize {
        for number in 0..25 {
            let header = format!("\r\nX-Forwarded-For: {}", forwarded_for(number));
            let (status, head, body) = self.graphql(&header, TYPENAME).await;
            if status == 200 {
                continue;
            }
            assert_eq!(status, 429, "{body}");
            let told = body["errors"][0]["message"].as_str().unwrap();
            assert!(told.starts_with("Too many requests: throttle_unauthenticated_api"), "{told}");
            for name in
                ["retry-after: ", "ratelimit-limit: 1\r\n", "ratelimit-remaining: 0\r\n", "ratelimit-reset: "]
            {
                assert!(head.contains(name), "{head}");
            }
            return number;
        }
        25
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_says_of_itself_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    server.ten_an_hour().await;
    assert_eq!(server.let_through(|number| format!("203.0.113.{number}")).await, 10);
    assert_eq!(server.get("/-/health").await.0, 200, "it is not counted");
    assert_eq!(server.get("/-/readiness").await.0, 200, "nor is this");
    let (status, _, body) = server.get("/api/v4/version").await;
    assert_eq!(status, 429, "{body}");
    assert_eq!(server.graphql(&server.by_root(), TYPENAME).await.0, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_each_client_counts_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.trusted_proxies = TrustedProxies::parse(Some(vec!["127.0.0.0/8".to_owned()])).unwrap();
    let server = start_with(config).await;
    server.ten_an_hour().await;
    assert_eq!(server.let_through(|number| format!("203.0.113.{number}")).await, 25);
    // The proxy writes down whom it saw, behind what the client made up.
    assert_eq!(server.let_through(|number| format!("198.51.100.{number}, 203.0.113.200")).await, 10);
    let (_, _, metrics) = server.get("/-/metrics").await;
    assert!(
        metrics.contains(r#"entrepot_throttled_requests_total{throttle="throttle_unauthenticated_api"}"#),
        "{metrics}"
    );

    // Who changed the limits came through it, too, and nobody said from where: the proxy itself.
    let query = r#"{"query":"{ auditEvents(scope: {}, filter: {eventNames: [APPLICATION_SETTING_UPDATED]}) { nodes { details } } }"}"#;
    let by_root = format!("{}\r\nX-Forwarded-For: 192.0.2.1", server.by_root());
    server.set_limits(json!({ "graphql": { "depth": 19 } })).await;
    let (_, _, events) = server.graphql(&by_root, query).await;
    let details = &events["data"]["auditEvents"]["nodes"][0]["details"];
    assert_eq!(
        (&details["change"], &details["ip_address"]),
        (&json!("graphql_depth"), &json!("127.0.0.1")),
        "{events}"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_and_uploads_keep_to_the_limits() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let sizes = json!([{ "packageType": "GENERIC", "maximumSize": "6" }]);
    server.set_limits(json!({ "graphql": { "batchSize": 2 }, "fileSizeLimits": sizes })).await;
    let batch = |count: usize| format!("[{}]", vec![TYPENAME; count].join(","));
    assert_eq!(server.graphql("", &batch(2)).await.0, 200);
    let (status, _, refused) = server.graphql("", &batch(3)).await;
    let told = refused["errors"][0]["message"].as_str();
    assert_eq!((status, told), (400, Some("The list holds 3 operations, at most 2 are accepted")));

    let mut upload = Value::Null;
    for mutation in [
        r#"createGroup(input: { name: "Acme", path: "acme" }) { errors }"#,
        r#"createProject(input: { namespacePath: "acme", path: "web" }) { errors }"#,
        r#"createUpload(input: { projectPath: "acme/web", packageType: GENERIC }) { upload { path } errors }"#,
    ] {
        let body = json!({ "query": format!("mutation {{ {mutation} }}") }).to_string();
        let (_, _, answer) = server.graphql(&server.by_root(), &body).await;
        upload = answer["data"]["createUpload"]["upload"]["path"].clone();
    }
    let put = format!("PUT {} HTTP/1.1{}", upload.as_str().unwrap(), server.by_root());
    let (status, _, body) = server.ask(&put, "seven b").await;
    assert_eq!((status, body.as_str()), (400, r#"{"message":"400 Bad request - File is too large"}"#));
    assert_eq!(server.ask(&put, "six by").await.0, 201);
    server.stop().await;
}
