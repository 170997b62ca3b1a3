//! Forms on their way in. Nothing is believed of one before it has proved that a page of ours sent it.

use axum::response::Response;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{ErrorCode, Failure};
use gateway::{Call, CsrfToken, csrf};
use http::header;
use url::form_urlencoded;

use crate::{cookies::Kind, local_path::LocalPath, site::Site};

/// The field that proves where a form comes from, as in GitLab.
const TOKEN: &str = "authenticity_token";
/// Longest form, in bytes.
const LIMIT: usize = 64 * 1024;

/// The fields of a form that a page of ours sent.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the form of a request, and refuses one that a foreign page may have sent: whoever has a session proves it with the
    /// token of the session, whoever has none with that of a cookie that the page of the form has set.
    pub(crate) async fn read(call: &mut Call, site: &Site) -> Result<Self, Failure> {
        csrf::refuse_foreign(&call.headers, call.gateway.external_url())?;
        let kind = call.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Failure::new(ErrorCode::Unsupported, "Only a form of this site can be sent here"));
        }
        let body = call.read_body(LIMIT).await?;
        let form = Self(form_urlencoded::parse(&body).into_owned().collect());
        let expected = match call.session.csrf_token() {
            Some(token) => Some(token.clone()),
            None => Kind::Form.read(site, &call.headers).map(|secret| CsrfToken::of(&secret)),
        };
        match expected {
            Some(expected) if expected.is(form.text(TOKEN)) => Ok(form),
            _ => Err(Failure::forbidden(
                "This form is not valid any more. Go back, reload the page, and send it again; the browser has to allow cookies",
            )),
        }
    }

    /// The text of a field; empty when it is missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The text of a field that was filled in.
    pub(crate) fn filled(&self, name: &str) -> Option<String> {
        Some(self.text(name).trim()).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    }

    /// Every value of a field that may be there several times.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// Where to go on to after it.
    pub(crate) fn target(&self) -> Option<LocalPath> {
        LocalPath::parse(self.text("redirect_to"))
    }
}

/// What the forms of a page for somebody without a session are proved with.
pub(crate) struct FormSecret {
    secret: String,
    is_new: bool,
}

impl FormSecret {
    /// The one that the browser has, or a new one.
    pub(crate) fn of(call: &Call, site: &Site) -> Result<Self, Failure> {
        if let Some(secret) = Kind::Form.read(site, &call.headers).filter(|secret| !secret.is_empty()) {
            return Ok(Self { secret, is_new: false });
        }
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| {
            tracing::error!(%error, "the system gives no random bytes");
            Failure::internal()
        })?;
        Ok(Self { secret: URL_SAFE_NO_PAD.encode(bytes), is_new: true })
    }

    /// What the forms of the page carry.
    pub(crate) fn token(&self) -> CsrfToken {
        CsrfToken::of(&self.secret)
    }

    /// Gives it to the browser, if it does not have it.
    pub(crate) fn hand_over(self, site: &Site, response: &mut Response) {
        if self.is_new {
            Kind::Form.set(site, self.secret, response);
        }
    }
}
