//! Tickets: sealed values that a client carries and cannot change.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;
use thiserror::Error;
use time::OffsetDateTime;

/// Longest ticket in bytes: it has to fit into a URL.
const LONGEST: usize = 4096;

/// Why a ticket is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TicketError {
    /// It is no ticket, or the value does not fit into one.
    #[error("the ticket is malformed")]
    Malformed,
    /// It was sealed with another key or for another purpose, or it was changed.
    #[error("the ticket is not genuine")]
    Forged,
    /// Its time is over.
    #[error("the ticket has expired")]
    Expired,
}

/// Seals values into URL-safe tickets, `base64url(JSON).base64url(HMAC-SHA256)`, and opens them again. What a ticket
/// says can be read by whoever holds it.
#[derive(Clone)]
pub struct Sealer {
    /// Keyed once; every ticket starts from a copy.
    mac: Hmac<Sha256>,
}

#[derive(Serialize)]
struct Sealed<'a, T> {
    #[serde(rename = "e")]
    expires_at: i64,
    #[serde(rename = "v")]
    value: &'a T,
}

#[derive(Deserialize)]
struct Opened<T> {
    #[serde(rename = "e")]
    expires_at: i64,
    #[serde(rename = "v")]
    value: T,
}

impl Sealer {
    /// A sealer with this secret. Replicas that share it open each other's tickets.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { mac: Hmac::new_from_slice(key).expect("HMAC takes keys of any length") }
    }

    /// Seals `value` until `expires_at`. It opens for the same `purpose` only.
    pub fn seal<T: Serialize>(
        &self,
        purpose: &'static str,
        value: &T,
        expires_at: OffsetDateTime,
    ) -> Result<String, TicketError> {
        let sealed = Sealed { expires_at: expires_at.unix_timestamp(), value };
        let json = serde_json::to_vec(&sealed).map_err(|_| TicketError::Malformed)?;
        let mut ticket = URL_SAFE_NO_PAD.encode(json);
        let code = self.authenticate(purpose, &ticket).finalize().into_bytes();
        ticket.push('.');
        URL_SAFE_NO_PAD.encode_string(code, &mut ticket);
        if ticket.len() > LONGEST { Err(TicketError::Malformed) } else { Ok(ticket) }
    }

    /// The value that was sealed for `purpose`, if the ticket is genuine and its time not over.
    pub fn open<T: DeserializeOwned>(
        &self,
        purpose: &'static str,
        ticket: &str,
        now: OffsetDateTime,
    ) -> Result<T, TicketError> {
        if ticket.len() > LONGEST {
            return Err(TicketError::Malformed);
        }
        let (payload, code) = ticket.split_once('.').ok_or(TicketError::Malformed)?;
        let code = URL_SAFE_NO_PAD.decode(code).map_err(|_| TicketError::Malformed)?;
        self.authenticate(purpose, payload).verify_slice(&code).map_err(|_| TicketError::Forged)?;
        let json = URL_SAFE_NO_PAD.decode(payload).map_err(|_| TicketError::Malformed)?;
        let opened: Opened<T> = serde_json::from_slice(&json).map_err(|_| TicketError::Malformed)?;
        if now.unix_timestamp() >= opened.expires_at {
            return Err(TicketError::Expired);
        }
        Ok(opened.value)
    }

    /// The purpose goes in with its length before it: no purpose and payload read like another pair.
    fn authenticate(&self, purpose: &str, payload: &str) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(&(purpose.len() as u64).to_be_bytes());
        mac.update(purpose.as_bytes());
        mac.update(payload.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-01-02 03:04:05 UTC);
    const LATER: OffsetDateTime = time::macros::datetime!(2026-01-02 03:09:05 UTC);

    fn sealer() -> Sealer {
        Sealer::new(&[7; 32])
    }

    #[test]
    fn opens_what_it_sealed_until_the_time_is_over() {
        let ticket = sealer().seal("download", &("file", 42), LATER).expect("small");
        assert!(
            ticket.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)),
            "{ticket}"
        );
        let opened: (String, u32) = sealer().open("download", &ticket, NOW).expect("genuine");
        assert_eq!(opened, ("file".to_owned(), 42));
        let expired = sealer().open::<(String, u32)>("download", &ticket, LATER);
        assert_eq!(expired, Err(TicketError::Expired));
    }

    #[test]
    fn does_not_open_for_another_purpose_or_with_another_key() {
        let ticket = sealer().seal("download", &1, LATER).expect("small");
        assert_eq!(sealer().open::<u32>("uploaded", &ticket, NOW), Err(TicketError::Forged));
        assert_eq!(sealer().open::<u32>("downloa", &ticket, NOW), Err(TicketError::Forged));
        assert_eq!(Sealer::new(&[8; 32]).open::<u32>("download", &ticket, NOW), Err(TicketError::Forged));
    }

    #[test]
    fn refuses_what_is_no_ticket() {
        let long = format!("{}.AAAA", "A".repeat(LONGEST));
        for refused in ["", ".", "abc", "a.b.c", "a.=", &long, "é.é"] {
            let outcome = sealer().open::<u32>("download", refused, NOW);
            assert!(matches!(outcome, Err(TicketError::Malformed | TicketError::Forged)), "{refused}");
        }
        let outcome = sealer().seal("download", &"a".repeat(LONGEST), LATER);
        assert_eq!(outcome, Err(TicketError::Malformed));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_change_is_noticed(position in 0_usize..200, replacement in "[A-Za-z0-9_.-]") {
            let ticket = sealer().seal("download", &"some value", LATER).expect("small");
            let position = position % ticket.len();
            let mut changed = ticket.clone();
            changed.replace_range(position..=position, &replacement);
            prop_assume!(changed != ticket);
            prop_assert!(sealer().open::<String>("download", &changed, NOW).is_err());
        }
    }
}
