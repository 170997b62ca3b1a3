//! A browser, as far as pages without scripts need one: it keeps cookies, and fills in the form on the page it is on.

use http::{Method, header};
use testkit::{Answer, Client, Request};
use url::form_urlencoded;

/// What browsers of today send.
const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

pub(super) struct Browser {
    client: Client,
    cookies: Vec<(String, String)>,
    /// The page it is on.
    page: String,
}

impl Browser {
    pub(super) fn new(client: Client) -> Self {
        Self { client, cookies: Vec::new(), page: String::new() }
    }

    /// The value of a cookie it has.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Opens an address.
    pub(super) async fn get(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path);
        let answer = self.send(request).await;
        if answer.status == 200 {
            self.page = answer.text();
        }
        answer
    }

    /// Sends the form on the page to `path`, filled in like this.
    pub(super) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token();
        let fields = [&[("authenticity_token", token.as_str())], fields].concat();
        self.post(path, &fields).await
    }

    /// Sends a form that a page of ours need not have held.
    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.form(path, fields);
        self.send(request).await
    }

    /// Such a form on its way, for more headers.
    pub(super) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Request {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.request(Method::POST, path);
        request.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// What proves the forms of the page.
    pub(super) fn token(&self) -> String {
        let (_, after) =
            self.page.split_once("name=\"authenticity_token\" value=\"").expect("a form on the page");
        after.split('"').next().expect("a value").to_owned()
    }

    pub(super) fn request(&self, method: Method, path: &str) -> Request {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.client.request(method, path).header("accept", ACCEPT);
        if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) }
    }

    pub(super) async fn send(&mut self, request: Request) -> Answer {
        let answer = request.send().await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("text");
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.set_cookie(name, value);
        }
        answer
    }
}
