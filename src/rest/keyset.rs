//! Pages that go on from where the last one ended, as GitLab tells them: a `Link` to the next one, and nothing else.

use axum::response::Response;
use domain::Failure;
use gateway::{Call, dialect};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use url::form_urlencoded;

use crate::params::Params;

/// The page a request asks for with `pagination=keyset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keyset {
    /// Where the page begins; at the beginning of the list when there is none.
    pub(crate) cursor: Option<String>,
}

impl Keyset {
    /// Reads `pagination` and `cursor`. None for numbered pages.
    pub(crate) fn of(params: &Params) -> Result<Option<Self>, Failure> {
        let asked = params.text("pagination")?.as_deref() == Some("keyset");
        Ok(if asked { Some(Self { cursor: params.filled("cursor")? }) } else { None })
    }

    /// A page of JSON, with the address of the page that begins at `next` if there is one. A token in the query is not repeated.
    pub(crate) fn respond(
        call: &Call,
        rows: &impl Serialize,
        next: Option<&str>,
    ) -> Result<Response, Failure> {
        let mut response = dialect::answer(StatusCode::OK, rows);
        if let Some(next) = next {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for (key, value) in call.query.iter() {
                if !matches!(key, "cursor" | "page" | "private_token" | "job_token" | "access_token") {
                    query.append_pair(key, value);
                }
            }
            query.append_pair("cursor", next);
            let (root, path) = (call.gateway.external_url(), call.uri.path());
            let link = format!("<{root}{path}?{}>; rel=\"next\"", query.finish());
            let link = HeaderValue::try_from(link).map_err(|_| Failure::internal())?;
            response.headers_mut().insert(header::LINK, link);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::Keyset;
    use crate::params::Params;

    #[test]
    fn only_when_asked_for() {
        let of = |pairs: &[(&str, &str)]| Keyset::of(&Params::of_pairs(pairs)).expect("texts");
        assert_eq!(of(&[("cursor", "x")]), None);
        assert_eq!(of(&[("pagination", "offset")]), None);
        assert_eq!(of(&[("pagination", "keyset")]), Some(Keyset { cursor: None }));
        let from = Keyset { cursor: Some("x".to_owned()) };
        assert_eq!(of(&[("pagination", "keyset"), ("cursor", "x")]), Some(from));
    }
}
