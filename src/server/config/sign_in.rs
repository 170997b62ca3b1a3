//! How people sign in: passwords, and OpenID Connect providers.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use oidc::{ClientSecret, ProviderSettings, check_issuer};
use serde::Deserialize;
use store::Secret;

use super::settings::reason;
use crate::stop::Stop;

/// Longest name of a provider.
const MAX_NAME: usize = 64;

/// How people sign in.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    /// Whether with a password.
    pub(crate) passwords: bool,
    /// With whom else.
    pub(crate) providers: Vec<ProviderSettings>,
}

/// The table `sign_in` of the file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInSettings {
    #[serde(default = "yes")]
    passwords: bool,
    #[serde(default)]
    providers: Vec<ProviderTable>,
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self { passwords: true, providers: Vec::new() }
    }
}

/// One of the tables `sign_in.providers`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawProviderTable")]
struct ProviderTable {
    name: String,
    label: String,
    issuer: String,
    client_id: String,
    secret: SecretSource,
    scopes: Vec<String>,
    create_users: bool,
    username_claim: String,
}

/// Where a secret is found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum SecretSource {
    /// In the configuration.
    Given(Secret),
    /// In a file of its own.
    File(PathBuf),
}

/// The table as it is written. It has no `Debug`: the secret is in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProviderTable {
    name: String,
    label: Option<String>,
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    client_secret_file: Option<PathBuf>,
    #[serde(default = "usual_scopes")]
    scopes: Vec<String>,
    #[serde(default)]
    create_users: bool,
    #[serde(default = "usual_username_claim")]
    username_claim: String,
}

impl TryFrom<RawProviderTable> for ProviderTable {
    type Error = String;

    fn try_from(raw: RawProviderTable) -> Result<Self, String> {
        let secret = match (raw.client_secret, raw.client_secret_file) {
            (Some(text), None) => SecretSource::Given(Secret::given(text)),
            (None, Some(path)) => SecretSource::File(path),
            (Some(_), Some(_)) | (None, None) => {
                return Err(format!("'{}' needs either client_secret or client_secret_file", raw.name));
            }
        };
        Ok(Self {
            label: raw.label.unwrap_or_else(|| raw.name.clone()),
            name: raw.name,
            issuer: raw.issuer,
            client_id: raw.client_id,
            secret,
            scopes: raw.scopes,
            create_users: raw.create_users,
            username_claim: raw.username_claim,
        })
    }
}

const fn yes() -> bool {
    true
}

fn usual_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).into()
}

fn usual_username_claim() -> String {
    "preferred_username".to_owned()
}

impl SignIn {
    /// Checks the settings, and reads the secrets that lie in files of their own.
    pub(super) fn resolve(settings: SignInSettings) -> Result<Self, Stop> {
        let mut names = HashSet::new();
        let mut providers = Vec::new();
        for table in settings.providers {
            let name = table.name.clone();
            let refused = |why: String| Stop::usage(format!("sign_in.providers, '{name}': {why}"));
            if !names.insert(name.clone()) {
                return Err(refused("there is another one of this name".to_owned()));
            }
            providers.push(provider(table).map_err(refused)?);
        }
        Ok(Self { passwords: settings.passwords, providers })
    }
}

fn provider(table: ProviderTable) -> Result<ProviderSettings, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    if table.name.is_empty() || table.name.len() > MAX_NAME || !table.name.bytes().all(plain) {
        return Err(format!("a name has 1 to {MAX_NAME} small letters, digits, '_' and '-'"));
    }
    check_issuer(&table.issuer)?;
    for (key, value) in
        [("label", &table.label), ("client_id", &table.client_id), ("username_claim", &table.username_claim)]
    {
        if value.trim().is_empty() {
            return Err(format!("{key} must not be empty"));
        }
    }
    if !table.scopes.iter().any(|scope| scope == "openid") {
        return Err("scopes has to hold 'openid'".to_owned());
    }
    let client_secret = match table.secret {
        SecretSource::Given(secret) => secret.expose().to_owned(),
        SecretSource::File(path) => read(&path)?,
    };
    if client_secret.is_empty() {
        return Err("the client's secret must not be empty".to_owned());
    }
    Ok(ProviderSettings {
        name: table.name,
        label: table.label,
        issuer: table.issuer,
        client_id: table.client_id,
        client_secret: ClientSecret::new(client_secret),
        scopes: table.scopes,
        create_users: table.create_users,
        username_claim: table.username_claim,
    })
}

fn read(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| {
        format!("client_secret_file {} cannot be read: {}", path.display(), reason(&error))
    })?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::SignIn;
    use crate::config::Settings;

    const PROVIDER: &str = "[[sign_in.providers]]\nname = \"people\"\nissuer = \"https://people.example.org\"\n\
        client_id = \"us\"\nclient_secret = \"hush-hush\"\n";

    fn resolved(text: &str) -> Result<SignIn, String> {
        let settings: Settings = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        assert!(!format!("{settings:?}").contains("hush"), "a secret is not shown");
        SignIn::resolve(settings.sign_in.unwrap_or_default()).map_err(|stop| stop.to_string())
    }

    #[test]
    fn what_is_left_out_is_as_it_usually_is() {
        let none = resolved("").expect("nothing");
        assert!(none.passwords && none.providers.is_empty());
        assert!(!resolved("[sign_in]\npasswords = false\n").expect("settings").passwords);
        let sign_in = resolved(PROVIDER).expect("a provider");
        assert!(sign_in.passwords && !format!("{sign_in:?}").contains("hush"));
        let people = &sign_in.providers[0];
        assert_eq!((people.label.as_str(), people.username_claim.as_str()), ("people", "preferred_username"));
        assert_eq!((people.client_secret.secret().as_str(), people.create_users), ("hush-hush", false));
        assert_eq!(people.scopes, ["openid", "profile", "email"]);
    }

    #[test]
    fn a_secret_may_lie_in_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secret");
        fs::write(&file, " hush-hush\n").expect("written");
        let key = |path: &std::path::Path| format!("client_secret_file = {:?}", path.display().to_string());
        let text = PROVIDER.replace("client_secret = \"hush-hush\"", &key(&file));
        let sign_in = resolved(&text).expect("a provider");
        assert_eq!(sign_in.providers[0].client_secret.secret(), "hush-hush");
        let text = PROVIDER.replace("client_secret = \"hush-hush\"", &key(&folder.path().join("absent")));
        assert!(resolved(&text).expect_err("no file").contains("absent cannot be read: no such file"));
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_its_key() {
        let twice = format!("{PROVIDER}{PROVIDER}");
        for (text, why) in [
            (twice, "another one of this name"),
            (PROVIDER.replace("\"people\"", "\"People\""), "small letters"),
            (PROVIDER.replace("\"people\"", "\"\""), "small letters"),
            (PROVIDER.replace("https:", "http:"), "has to begin with https://"),
            (PROVIDER.replace("\"us\"", "\" \""), "client_id must not be empty"),
            (PROVIDER.replace("hush-hush", ""), "secret must not be empty"),
            (PROVIDER.replace("client_secret = \"hush-hush\"", ""), "either client_secret or"),
            (format!("{PROVIDER}client_secret_file = \"x\"\n"), "either client_secret or"),
            (format!("{PROVIDER}scopes = [\"email\"]\n"), "'openid'"),
            (format!("{PROVIDER}label = \"\"\n"), "label must not be empty"),
            (format!("{PROVIDER}scope = []\n"), "unknown field `scope`"),
        ] {
            let told = resolved(&text).expect_err(why);
            assert!(told.contains(why) && !told.contains("hush"), "{told}");
        }
    }
}
