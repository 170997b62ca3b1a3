//! Who asks: the cast of every test, with credentials.

use access::{Identity, Via, Viewer};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Carrier, Role, Scope, Scopes, TokenLimits, UserId};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use store::{
    Secret, Store,
    access_tokens::{self, NewAccessToken},
    users::{self, NewUser},
};
use time::{Duration, OffsetDateTime};

use crate::NOW;

/// How a credential travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// In the header named after its kind: `PRIVATE-TOKEN`, `Deploy-Token`.
    ByName,
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic`.
    Basic,
}

/// Somebody who asks, with what they present and what a decision should make of it.
#[derive(Clone, Debug)]
pub struct Person {
    /// What tests call them, which is also the user name.
    pub name: String,
    /// The role that groups made with [`World::group`](crate::World::group) give them.
    pub role: Option<Role>,
    /// Whether the server should accept the credential.
    pub accepted: bool,
    viewer: Viewer,
    secret: Option<String>,
    is_in_session: bool,
}

impl Person {
    /// Somebody who presents nothing.
    pub fn anonymous() -> Self {
        Self {
            name: "anonymous".to_owned(),
            role: None,
            accepted: true,
            viewer: Viewer::anonymous(),
            secret: None,
            is_in_session: false,
        }
    }

    /// Somebody who presents a token that nobody issued.
    pub fn impostor() -> Self {
        Self {
            name: "impostor".to_owned(),
            accepted: false,
            secret: Some("glpat-nobodyissuedthistoken".to_owned()),
            ..Self::anonymous()
        }
    }

    /// Whoever presents this secret.
    pub fn bearing(secret: impl Into<String>) -> Self {
        Self { name: "bearer".to_owned(), secret: Some(secret.into()), ..Self::anonymous() }
    }

    /// Whoever is signed in with the session that this secret carries.
    pub fn signed_in(secret: impl Into<String>) -> Self {
        Self { is_in_session: true, ..Self::bearing(secret) }
    }

    /// How the credential comes to the model, where no door has it.
    pub(crate) const fn carrier(&self) -> Carrier {
        if self.is_in_session { Carrier::Session } else { Carrier::Bearer }
    }

    pub(crate) fn new(name: String, role: Option<Role>, viewer: Viewer, secret: &Secret) -> Self {
        let secret = Some(secret.expose().to_owned());
        Self { name, role, accepted: true, viewer, secret, is_in_session: false }
    }

    /// Identity and ceiling, for computing what a decision should be.
    pub const fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// The user's id; none for deploy tokens and nobody.
    pub const fn user(&self) -> Option<UserId> {
        self.viewer.user()
    }

    /// The secret, for clients that are configured with it.
    pub fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// Whether the person presents a credential.
    pub const fn is_anonymous(&self) -> bool {
        self.secret.is_none()
    }

    /// The headers that present the credential.
    pub fn headers(&self, carried: Carried) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let Some(secret) = self.secret() else { return headers };
        let is_deploy_token = matches!(self.viewer.identity(), Identity::DeployToken { .. });
        let is_publisher = matches!(self.viewer.identity(), Identity::TrustedPublisher { .. });
        let is_job = matches!(self.viewer.via(), Via::Job(_));
        let (name, value) = match carried {
            Carried::ByName if is_deploy_token => {
                (HeaderName::from_static("deploy-token"), secret.to_owned())
            }
            Carried::ByName if is_job => (HeaderName::from_static("job-token"), secret.to_owned()),
            Carried::ByName if is_publisher => (header::AUTHORIZATION, format!("Bearer {secret}")),
            Carried::ByName => (HeaderName::from_static("private-token"), secret.to_owned()),
            Carried::Bearer => (header::AUTHORIZATION, format!("Bearer {secret}")),
            Carried::Basic => (
                header::AUTHORIZATION,
                format!(
                    "Basic {}",
                    STANDARD
                        .encode(format!("{}:{secret}", if is_job { "gitlab-ci-token" } else { &self.name }))
                ),
            ),
        };
        headers.insert(name, HeaderValue::try_from(value).expect("tokens are visible ASCII"));
        headers
    }
}

/// The standing cast. Everybody but the outsider and the administrator is a member, with the role of their name, of every
/// group made with [`World::group`](crate::World::group).
#[derive(Clone, Debug)]
pub struct People {
    /// Presents nothing.
    pub anonymous: Person,
    /// Presents a token that nobody issued.
    pub impostor: Person,
    /// Signed in, member of nothing.
    pub outsider: Person,
    /// A guest.
    pub guest: Person,
    /// A reporter.
    pub reporter: Person,
    /// A developer.
    pub developer: Person,
    /// A maintainer.
    pub maintainer: Person,
    /// An owner.
    pub owner: Person,
    /// Administers the instance, member of nothing.
    pub administrator: Person,
    /// The owner, with a token of the scope `read_package_registry`.
    pub reader: Person,
    /// The owner, with a token of the scope `read_api`.
    pub api_reader: Person,
    /// The developer, with a token of the scope `write_package_registry`.
    pub writer: Person,
    /// The owner, with a token that was revoked.
    pub revoked: Person,
    /// The owner, with a token that has expired.
    pub expired: Person,
}

impl People {
    /// Everybody.
    pub fn all(&self) -> [&Person; 14] {
        [
            &self.anonymous,
            &self.impostor,
            &self.outsider,
            &self.guest,
            &self.reporter,
            &self.developer,
            &self.maintainer,
            &self.owner,
            &self.administrator,
            &self.reader,
            &self.api_reader,
            &self.writer,
            &self.revoked,
            &self.expired,
        ]
    }

    /// Those who become members of groups.
    pub(crate) fn members(&self) -> [&Person; 5] {
        [&self.guest, &self.reporter, &self.developer, &self.maintainer, &self.owner]
    }

    /// Creates the cast.
    pub(crate) async fn create(store: &Store) -> Self {
        let outsider = user(store, "outsider", None).await;
        let guest = user(store, "guest", Some(Role::Guest)).await;
        let reporter = user(store, "reporter", Some(Role::Reporter)).await;
        let developer = user(store, "developer", Some(Role::Developer)).await;
        let maintainer = user(store, "maintainer", Some(Role::Maintainer)).await;
        let owner = user(store, "owner", Some(Role::Owner)).await;
        let administrator = user(store, "administrator", None).await;
        let mut revoked = token(store, &owner, Scope::Api, NOW, None).await;
        revoked.accepted = false;
        let mut expired =
            token(store, &owner, Scope::Api, NOW - Duration::days(30), Some(NOW - Duration::days(3))).await;
        expired.accepted = false;
        // The newest of the owner's tokens is the expired one, the one before it is to be revoked.
        let tokens = access_tokens::list(store, owner.user().expect("a user")).await.expect("tokens");
        let last = tokens.iter().find(|token| token.expires_at.is_none()).expect("the token to revoke");
        access_tokens::revoke(store, last.id, NOW).await.expect("a revocation");
        Self {
            anonymous: Person::anonymous(),
            impostor: Person::impostor(),
            reader: token(store, &owner, Scope::ReadPackageRegistry, NOW, None).await,
            api_reader: token(store, &owner, Scope::ReadApi, NOW, None).await,
            writer: token(store, &developer, Scope::WritePackageRegistry, NOW, None).await,
            outsider,
            guest,
            reporter,
            developer,
            maintainer,
            owner,
            administrator,
            revoked,
            expired,
        }
    }
}

async fn user(store: &Store, name: &str, role: Option<Role>) -> Person {
    let admin = name == "administrator";
    let new = NewUser {
        username: name.to_owned(),
        name: name.to_owned(),
        email: Some(format!("{name}@registry.test")),
        admin,
    };
    let user = users::create(store, new, NOW).await.expect("a user");
    let viewer = Viewer::new(Identity::User { id: user.id, admin }, Scopes::default());
    let nobody = Person::new(name.to_owned(), role, viewer, &Secret::given(""));
    token(store, &nobody, Scope::Api, NOW, None).await
}

/// The same person with another token.
async fn token(
    store: &Store,
    person: &Person,
    scope: Scope,
    created: OffsetDateTime,
    expires: Option<OffsetDateTime>,
) -> Person {
    let scopes: Scopes = [scope].into_iter().collect();
    let new = NewAccessToken {
        user_id: person.user().expect("a user"),
        name: scope.name().to_owned(),
        description: String::new(),
        scopes,
        limits: TokenLimits::none(),
        expires_at: expires.map(OffsetDateTime::date),
    };
    let (_, secret) = access_tokens::create(store, new, created).await.expect("a token");
    let viewer = Viewer::new(person.viewer.identity(), scopes);
    Person::new(person.name.clone(), person.role, viewer, &secret)
}
