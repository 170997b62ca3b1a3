//! A person's way through a provider: the authorization code flow (OpenID Connect Core 1.0 §3.1) with PKCE (RFC 7636), state and
//! nonce. What has to be remembered on the way is handed out at the departure and asked for at the return.

mod profile;

pub use profile::Profile;

use std::{
    pin::Pin,
    time::{Duration, Instant},
};

use domain::{ErrorCode, Failure};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse, TokenResponse as _,
    TokenUrl,
    basic::{
        BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use tokio::sync::Mutex;
use url::Url;

use crate::{
    Verifier,
    discovery::{Discovery, discover},
    fetch::{Fetcher, Unanswered},
    issuer::{check_issuer, is_safe},
    verify::of_issuer,
};

/// How long what an issuer says of itself is believed.
const LIFETIME: Duration = Duration::from_hours(1);
/// How long an issuer that did not answer is not asked again.
const PAUSE: Duration = Duration::from_secs(5);

/// The beginning of a token answer that is asked for here.
type TokenAnswer = StandardTokenResponse<IdTokenField, BasicTokenType>;
/// A client that knows where to send people, and where to redeem codes.
type CodeClient = Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    EndpointSet,
>;

/// What OpenID Connect adds to the answer of a token endpoint. It is a secret while it is good, and so has no `Debug` of its own.
#[derive(Deserialize, Serialize)]
struct IdTokenField {
    id_token: Option<String>,
}

impl std::fmt::Debug for IdTokenField {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("IdTokenField(…)")
    }
}

impl ExtraTokenFields for IdTokenField {}

impl<'c> AsyncHttpClient<'c> for Fetcher {
    type Error = Unanswered;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Unanswered>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// A provider, as the administrator describes it.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// What addresses call it.
    pub name: String,
    /// What people read.
    pub label: String,
    /// Its issuer, exactly as it names itself.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// What proves that it is this server.
    pub client_secret: ClientSecret,
    /// What is asked for; `openid` is among it.
    pub scopes: Vec<String>,
    /// Whether whom it knows and this server does not becomes a user.
    pub create_users: bool,
    /// The claim that such a user's name is made from.
    pub username_claim: String,
}

/// A provider that people sign in with.
pub struct Provider {
    settings: ProviderSettings,
    fetcher: Fetcher,
    verifier: Verifier,
    known: Mutex<Option<Known>>,
}

struct Known {
    asked: Instant,
    answer: Result<Discovery, String>,
}

/// Where a browser goes, and what is to be remembered until it comes back. It has no `Debug`: secrets are in it.
pub struct Departure {
    /// The address at the provider.
    pub authorization_url: String,
    /// What the provider gives back.
    pub state: String,
    /// What the ID token repeats.
    pub nonce: String,
    /// What the code is redeemed with.
    pub pkce_verifier: String,
}

/// What a browser came back with, its state compared already, and what was remembered.
pub struct Return {
    /// The code.
    pub code: String,
    /// Who says that it is the issuer (RFC 9207), when anybody does.
    pub issuer: Option<String>,
    /// What was remembered.
    pub nonce: String,
    /// What was remembered.
    pub pkce_verifier: String,
}

impl Provider {
    /// The provider with these settings. Says what is wrong with them, and why.
    pub fn new(settings: ProviderSettings) -> Result<Self, String> {
        check_issuer(&settings.issuer)?;
        let fetcher = Fetcher::new()?;
        let verifier = of_issuer(&settings.issuer, fetcher.clone());
        Ok(Self { settings, fetcher, verifier, known: Mutex::default() })
    }

    /// What addresses call it.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// What people read.
    pub fn label(&self) -> &str {
        &self.settings.label
    }

    /// Its issuer.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Whether whom it knows and this server does not becomes a user.
    pub const fn creates_users(&self) -> bool {
        self.settings.create_users
    }

    /// Sends somebody to the provider, who is to come back to `redirect_uri`. Fails with `UNAVAILABLE` when the provider does
    /// not say where.
    pub async fn depart(&self, redirect_uri: &str) -> Result<Departure, Failure> {
        let (client, _) = self.client(redirect_uri).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random().into_secret();
        let (url, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .add_extra_param("nonce", nonce.as_str())
            .set_pkce_challenge(challenge)
            .url();
        Ok(Departure {
            authorization_url: url.into(),
            state: state.into_secret(),
            nonce,
            pkce_verifier: verifier.into_secret(),
        })
    }

    /// Redeems what somebody came back to `redirect_uri` with. Fails with `UNAUTHENTICATED` and the reason, or with
    /// `UNAVAILABLE` when the provider does not answer.
    pub async fn redeem(
        &self,
        redirect_uri: &str,
        back: Return,
        now: OffsetDateTime,
    ) -> Result<Profile, Failure> {
        let (client, discovery) = self.client(redirect_uri).await?;
        match &back.issuer {
            Some(issuer) if *issuer != self.settings.issuer => {
                return Err(unaccepted("the answer is another issuer's"));
            }
            None if discovery.authorization_response_iss_parameter_supported => {
                return Err(unaccepted("the answer does not say whose it is"));
            }
            Some(_) | None => {}
        }
        let answer = client
            .exchange_code(AuthorizationCode::new(back.code))
            .set_pkce_verifier(PkceCodeVerifier::new(back.pkce_verifier))
            .request_async(&self.fetcher)
            .await
            .map_err(|error| self.unredeemed(&error))?;
        let token = answer.extra_fields().id_token.as_deref();
        let token = token.ok_or_else(|| unaccepted("the provider gave no ID token"))?;
        let token = self.verifier.verify(token, now).await?;
        let subject = profile::check(&token, &self.settings.client_id, &back.nonce)?;
        let mut claims = token.claims;
        if let Some(address) = discovery.userinfo_endpoint.filter(|_| self.settings.create_users) {
            self.add_user_info(&address, answer.access_token().secret(), &subject, &mut claims).await;
        }
        Ok(Profile::read(subject, &claims, &self.settings.username_claim))
    }

    /// Adds to `claims` what the provider tells of somebody beside the ID token. What is missing is asked from the administrator
    /// of the provider, not from the person: it is no reason to turn them away.
    async fn add_user_info(
        &self,
        address: &str,
        access_token: &str,
        subject: &str,
        claims: &mut Map<String, Value>,
    ) {
        let told = self.fetcher.get::<Map<String, Value>>(address, Some(access_token)).await;
        match told {
            // Of somebody else nothing is believed (OpenID Connect Core 1.0 §5.3.2).
            Ok(told) if told.get("sub").and_then(Value::as_str) == Some(subject) => {
                for (name, value) in told {
                    claims.entry(name).or_insert(value);
                }
            }
            Ok(_) => tracing::warn!(oidc.issuer = %self.settings.issuer, "user info is about somebody else"),
            Err(why) => {
                tracing::warn!(oidc.issuer = %self.settings.issuer, error = %why, "user info cannot be had");
            }
        }
    }

    async fn client(&self, redirect_uri: &str) -> Result<(CodeClient, Discovery), Failure> {
        let built = match self.discovery().await {
            Ok(discovery) => self.build(redirect_uri, &discovery).map(|client| (client, discovery)),
            Err(why) => Err(why),
        };
        built.map_err(|why| self.unavailable(&why))
    }

    /// What the issuer says of itself. One request at a time asks; the others wait for its answer.
    async fn discovery(&self) -> Result<Discovery, String> {
        let mut known = self.known.lock().await;
        if let Some(Known { asked, answer }) = known.as_ref()
            && asked.elapsed() < if answer.is_ok() { LIFETIME } else { PAUSE }
        {
            return answer.clone();
        }
        let answer = discover(&self.fetcher, &self.settings.issuer).await.map_err(|why| why.to_string());
        *known = Some(Known { asked: Instant::now(), answer: answer.clone() });
        answer
    }

    fn build(&self, redirect_uri: &str, discovery: &Discovery) -> Result<CodeClient, String> {
        let endpoint = |given: &Option<String>, what: &str| {
            let given = given.as_deref().ok_or_else(|| format!("its discovery names no {what}"))?;
            match Url::parse(given) {
                Ok(url) if is_safe(&url) => Ok(url),
                _ => Err(format!("its {what} '{given}' is neither HTTPS nor on this machine")),
            }
        };
        let authorization = endpoint(&discovery.authorization_endpoint, "authorization_endpoint")?;
        let token = endpoint(&discovery.token_endpoint, "token_endpoint")?;
        let redirect = RedirectUrl::new(redirect_uri.to_owned()).map_err(|error| error.to_string())?;
        let methods = discovery.token_endpoint_auth_methods_supported.as_deref();
        let takes_basic =
            methods.is_none_or(|methods| methods.iter().any(|one| one == "client_secret_basic"));
        Ok(Client::new(ClientId::new(self.settings.client_id.clone()))
            .set_client_secret(self.settings.client_secret.clone())
            .set_auth_type(if takes_basic { AuthType::BasicAuth } else { AuthType::RequestBody })
            .set_auth_uri(AuthUrl::from_url(authorization))
            .set_token_uri(TokenUrl::from_url(token))
            .set_redirect_uri(redirect))
    }

    fn unavailable(&self, why: &str) -> Failure {
        tracing::warn!(oidc.issuer = %self.settings.issuer, error = %why, "a provider cannot be used");
        let message = format!("{} cannot be reached: try again later", self.settings.label);
        Failure::new(ErrorCode::Unavailable, message)
    }

    fn unredeemed(&self, error: &RequestTokenError<Unanswered, BasicErrorResponse>) -> Failure {
        match error {
            RequestTokenError::ServerResponse(told) => {
                tracing::warn!(oidc.issuer = %self.settings.issuer, error = %told.error(), "a code was not redeemed");
                unaccepted("the provider does not redeem the code")
            }
            RequestTokenError::Request(why) => self.unavailable(&why.to_string()),
            // What it said may hold tokens, and is not told.
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                self.unavailable("its token endpoint does not answer as one does")
            }
        }
    }
}

fn unaccepted(why: &str) -> Failure {
    Failure::new(ErrorCode::Unauthenticated, format!("The sign-in is refused: {why}"))
}
