//! An issuer of ID tokens on this machine, as CI has one.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{Json, Router, extract::State, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};

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
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
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
        *self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that says this, signed with its key.
    pub fn token(&self, claims: &Value) -> String {
        let key = self.shared.key.lock().unwrap_or_else(PoisonError::into_inner);
        key.sign(&json!({ "alg": "ES256", "typ": "JWT", "kid": key.kid }), claims)
    }

    /// A token that says this, signed with a key of the same name that is not its own.
    pub fn forged(&self, claims: &Value) -> String {
        let kid = self.shared.key.lock().unwrap_or_else(PoisonError::into_inner).kid.clone();
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": kid });
        Key::fresh(kid).sign(&header, claims)
    }

    /// Signs with a new key called `kid` from now on, and shows only that.
    pub fn rotate(&self, kid: &str) {
        *self.shared.key.lock().unwrap_or_else(PoisonError::into_inner) = Key::fresh(kid.to_owned());
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn discovery(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "issuer": shared.url, "jwks_uri": format!("{}/keys", shared.url) }))
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    *shared.asked.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    let key = shared.key.lock().unwrap_or_else(PoisonError::into_inner).public();
    // A kind that nobody knows yet does no harm.
    Json(json!({ "keys": [{ "kty": "lattice", "kid": "later" }, key] }))
}
