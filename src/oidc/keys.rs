//! The keys of an issuer: fetched when they are needed, kept for a while, fetched anew when a token names one that is not there.

use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    discovery,
    fetch::{Fetcher, Unanswered},
};

/// How long keys are believed.
const LIFETIME: Duration = Duration::from_hours(1);
/// How long nobody asks again after an answer, whatever tokens name: they cost the sender nothing.
const PAUSE: Duration = Duration::from_secs(30);

/// A set of keys as it arrives. Keys of a kind that this release does not know do no harm to the others.
#[derive(Deserialize)]
struct AnyKeys {
    keys: Vec<Value>,
}

struct Known {
    fetched: Instant,
    /// When the issuer was last asked, with or without an answer.
    asked: Instant,
    /// The keys, or why there are none.
    keys: Result<JwkSet, String>,
}

/// The keys of one issuer.
pub(crate) struct IssuerKeys {
    issuer: String,
    known: Mutex<Option<Known>>,
}

impl IssuerKeys {
    pub(crate) fn new(issuer: String) -> Self {
        Self { issuer, known: Mutex::default() }
    }

    /// The key called `kid`; without a name the only one for signatures there is. `None` when the issuer has none such, an
    /// error when it could not be asked. One request at a time asks; the others wait for its answer.
    pub(crate) async fn find(&self, fetcher: &Fetcher, kid: Option<&str>) -> Result<Option<Jwk>, String> {
        let mut known = self.known.lock().await;
        if let Some(Known { fetched, asked, keys }) = known.as_ref() {
            let found = keys.as_ref().ok().and_then(|keys| pick(keys, kid));
            let age = fetched.elapsed();
            if found.is_some() && age < LIFETIME {
                return Ok(found);
            }
            if asked.elapsed() < PAUSE {
                return match keys {
                    Ok(_) => Ok(None),
                    Err(why) => Err(why.clone()),
                };
            }
        }
        let keys = self.fetch(fetcher).await.map_err(|why| why.to_string());
        let found = keys.as_ref().map(|keys| pick(keys, kid)).map_err(Clone::clone);
        let now = Instant::now();
        *known = match (keys, known.take()) {
            // Keys that are good are not thrown away because somebody named another one at the wrong moment.
            (Err(_), Some(Known { fetched, keys: Ok(keys), .. })) if fetched.elapsed() < LIFETIME => {
                Some(Known { fetched, asked: now, keys: Ok(keys) })
            }
            (keys, _) => Some(Known { fetched: now, asked: now, keys }),
        };
        found
    }

    async fn fetch(&self, fetcher: &Fetcher) -> Result<JwkSet, Unanswered> {
        let discovery = discovery::discover(fetcher, &self.issuer).await?;
        let any: AnyKeys = fetcher.get(&discovery.jwks_uri, None).await?;
        let keys = any.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(JwkSet { keys })
    }
}

/// Keys that are for something else than signatures do not count.
fn pick(keys: &JwkSet, kid: Option<&str>) -> Option<Jwk> {
    let mut signing = keys
        .keys
        .iter()
        .filter(|key| key.common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature));
    match kid {
        Some(kid) => signing.find(|key| key.common.key_id.as_deref() == Some(kid)).cloned(),
        None => {
            let only = signing.next()?;
            signing.next().is_none().then(|| only.clone())
        }
    }
}
