//! An issuer of ID tokens on this machine, as CI has one, and as people sign in with one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A key and the name it goes by.
struct Key {
    kid: String,
    pair: EcdsaKeyPair,
}

impl Key {
    fn fresh(kid: String) -> Self {
        let random = SystemRandom::new();
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
        Self { kid, pair: pair.expect("the key just made") }
    }

    fn public(&self) -> Value {
        // An uncompressed point: 4, x, y.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid, "x": text(x), "y": text(y) })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).expect("a signature");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

struct Shared {
    url: String,
    key: Mutex<Key>,
    /// How often the keys were asked for.
    asked: Mutex<usize>,
    /// Codes that can be redeemed, with the challenge that the verifier has to answer, and the ID token.
    codes: Mutex<HashMap<String, (String, String)>>,
    /// What discovery says beside the usual.
    peculiarities: Mutex<Value>,
    /// What the user info endpoint says.
    user_info: Mutex<Value>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An issuer that serves its keys on a loopback address, until it is dropped.
pub struct Issuer {
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

impl Issuer {
    /// Starts one with a key called `first`.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the port just taken");
        let shared = Arc::new(Shared {
            url: format!("http://{address}"),
            key: Mutex::new(Key::fresh("first".to_owned())),
            asked: Mutex::new(0),
            codes: Mutex::default(),
            peculiarities: Mutex::new(json!({})),
            user_info: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(user_info))
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a server");
        });
        Self { shared, server }
    }

    /// What it is called, to the letter.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// How often its keys were asked for.
    pub fn asked(&self) -> usize {
        *lock(&self.shared.asked)
    }

    /// A token that says this, signed with its key.
    pub fn token(&self, claims: &Value) -> String {
        let key = lock(&self.shared.key);
        key.sign(&json!({ "alg": "ES256", "typ": "JWT", "kid": key.kid }), claims)
    }

    /// A token that says this, signed with a key of the same name that is not its own.
    pub fn forged(&self, claims: &Value) -> String {
        let kid = lock(&self.shared.key).kid.clone();
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": kid });
        Key::fresh(kid).sign(&header, claims)
    }

    /// Signs with a new key called `kid` from now on, and shows only that.
    pub fn rotate(&self, kid: &str) {
        *lock(&self.shared.key) = Key::fresh(kid.to_owned());
    }

    /// Gives `id_token` once, to the client `us` with the secret `hush` that brings `code` and answers the PKCE `challenge`.
    pub fn grant(&self, code: &str, challenge: &str, id_token: String) {
        lock(&self.shared.codes).insert(code.to_owned(), (challenge.to_owned(), id_token));
    }

    /// Says these things in its discovery as well.
    pub fn declare(&self, peculiarities: Value) {
        *lock(&self.shared.peculiarities) = peculiarities;
    }

    /// Tells this of whoever signed in.
    pub fn tell(&self, user_info: Value) {
        *lock(&self.shared.user_info) = user_info;
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn discovery(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", shared.url);
    let mut said = json!({ "issuer": shared.url, "jwks_uri": at("keys"), "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"), "userinfo_endpoint": at("userinfo") });
    for (name, value) in lock(&shared.peculiarities).as_object().into_iter().flatten() {
        said[name] = value.clone();
    }
    Json(said)
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    *lock(&shared.asked) += 1;
    let key = lock(&shared.key).public();
    // A kind that nobody knows yet does no harm.
    Json(json!({ "keys": [{ "kty": "lattice", "kid": "later" }, key] }))
}

async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let client = format!("Basic {}", STANDARD.encode("us:hush"));
    let is_client = headers.get("authorization").is_some_and(|given| given.as_bytes() == client.as_bytes())
        || (form.get("client_id").map(String::as_str), form.get("client_secret").map(String::as_str))
            == (Some("us"), Some("hush"));
    let granted = form.get("code").and_then(|code| lock(&shared.codes).remove(code));
    let answered = form.get("code_verifier").map(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
    match granted {
        Some((challenge, id_token)) if is_client && answered.as_ref() == Some(&challenge) => {
            Json(json!({ "access_token": "of-the-test", "token_type": "Bearer", "id_token": id_token }))
                .into_response()
        }
        _ => (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response(),
    }
}

async fn user_info(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    match headers.get("authorization") {
        Some(bearer) if bearer == "Bearer of-the-test" => {
            Json(lock(&shared.user_info).clone()).into_response()
        }
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}
