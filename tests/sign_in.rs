//! Signing in: with a password and by way of a provider, what a session may, and who may change what.

mod command_line;
mod passwords;
mod providers;

use serde_json::{Value, json};
use testkit::{ClientSecret, Issuer, Person, ProviderSettings, World};
use url::Url;

const BEGIN: &str = "mutation B($input: BeginProviderSignInInput!) { beginProviderSignIn(input: $input) { \
    authorizationUrl attempt errors } }";

/// The issuer as a provider of the name `people`.
pub(crate) fn people(issuer: &Issuer, create_users: bool) -> ProviderSettings {
    ProviderSettings {
        name: "people".to_owned(),
        label: "Our people".to_owned(),
        issuer: issuer.url().to_owned(),
        client_id: "us".to_owned(),
        client_secret: ClientSecret::new("hush".to_owned()),
        scopes: vec!["openid".to_owned(), "email".to_owned()],
        create_users,
        username_claim: "login".to_owned(),
    }
}

/// A browser on its way through the provider.
pub(crate) struct Browser {
    /// Where it was sent.
    address: Url,
    attempt: String,
}

impl Browser {
    /// Sends somebody to the provider.
    pub(crate) async fn begin(world: &World, by: &Person) -> Self {
        let answer = world.graphql(by, BEGIN, json!({ "input": { "provider": "people" } })).await;
        let begun = &answer["data"]["beginProviderSignIn"];
        let text = |name: &str| begun[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        Self { address: text("authorizationUrl").parse().expect("an address"), attempt: text("attempt") }
    }

    /// What stands in the address it was sent to.
    fn asked(&self, name: &str) -> String {
        let mut pairs = self.address.query_pairs();
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).expect("a parameter")
    }

    /// What an honest provider says of `subject`, with `changes`.
    fn claims(&self, issuer: &Issuer, world: &World, subject: &str, changes: Value) -> Value {
        let now = world.now().unix_timestamp();
        let mut claims = json!({ "iss": issuer.url(), "aud": "us", "sub": subject, "iat": now, "exp": now + 300,
            "nonce": self.asked("nonce") });
        let changes = changes.as_object().expect("an object").clone();
        claims.as_object_mut().expect("an object").extend(changes);
        claims
    }

    /// Signs `subject` in there, whose ID token says `changes` as well, and comes back with the code.
    pub(crate) fn come_back(
        &self,
        issuer: &Issuer,
        world: &World,
        subject: &str,
        code: &str,
        changes: Value,
    ) -> Value {
        let token = issuer.token(&self.claims(issuer, world, subject, changes));
        self.with_token(issuer, code, token)
    }

    /// Comes back with a code for this ID token.
    fn with_token(&self, issuer: &Issuer, code: &str, token: String) -> Value {
        issuer.grant(code, &self.asked("code_challenge"), token);
        json!({ "attempt": self.attempt, "provider": "people", "code": code, "state": self.asked("state") })
    }
}
