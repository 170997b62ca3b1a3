//! The page to sign in on, and the one that leads away.

use askama::Template;
use url::Url;

use super::web_sign_in_options::WebSignInOptionsSignInOptions as Options;
use crate::{
    frame::{Frame, Visitor},
    local_path::LocalPath,
};

/// What was tried before.
#[derive(Debug, Default)]
pub(super) struct Attempted {
    /// The user name or mail address that was given.
    pub(super) login: String,
    /// Where to go on to.
    pub(super) target: Option<LocalPath>,
    /// Why it did not work.
    pub(super) complaint: Option<String>,
}

/// The page to sign in on.
#[derive(Template)]
#[template(path = "sign_in/page.html")]
pub(super) struct Page {
    frame: Frame,
    options: Options,
    login: String,
    target: String,
    complaint: Option<String>,
}

impl Page {
    /// The page, after what was tried.
    pub(super) fn new(frame: Frame, options: Options, attempted: Attempted) -> Self {
        let Attempted { login, target, complaint } = attempted;
        let target = target.map(|target| target.as_str().to_owned()).unwrap_or_default();
        Self { frame, options, login, target, complaint }
    }
}

/// The page that leads to a provider.
#[derive(Template)]
#[template(path = "sign_in/leave.html")]
pub(super) struct Leave<'a> {
    frame: Frame,
    address: &'a str,
    host: &'a str,
}

impl<'a> Leave<'a> {
    /// The page that leads to `address`.
    pub(super) fn new(frame: Frame, address: &'a Url) -> Self {
        Self { frame, address: address.as_str(), host: address.host_str().unwrap_or_default() }
    }
}
