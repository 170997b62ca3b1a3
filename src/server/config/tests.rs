#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

use std::{env, fs, path::Path, process::Command, time::Duration};

use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use super::{
    Config, Database, Environment, Settings, Storage, TEMPLATE, chosen_token, storage::AwsVariables,
};

/// The settings alone, as a command line.
#[derive(Parser)]
struct Line {
    #[command(flatten)]
    settings: Settings,
}

fn resolved(settings: Settings) -> Result<Config, String> {
    Config::resolve(settings, Environment::default()).map_err(|stop| stop.to_string())
}

#[test]
fn defaults_are_those_of_the_contract() {
    let config = resolved(Settings::default()).unwrap();
    assert_eq!(config.listen, "127.0.0.1:8080");
    assert_eq!(config.data_dir, Path::new("./entrepot-data"));
    let Database::Sqlite { url, file } = &config.database else { panic!("{:?}", config.database) };
    assert_eq!(file, Path::new("./entrepot-data/entrepot.db"));
    assert!(url.ends_with("/entrepot-data/entrepot.db?mode=rwc"), "{url}");
    assert_eq!(config.storage, Storage::Folder("./entrepot-data/blobs".into()));
    assert_eq!(config.external_url, None);
    assert_eq!(config.http.shutdown_grace, Duration::from_secs(30));
    assert!(config.telemetry.metrics);
}

/// What the environment says, seen from a process that has one of its own.
#[test]
fn a_flag_wins_over_a_variable_and_that_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entrepot.toml");
    fs::write(&file, "listen = \"file:1\"\ndata_dir = \"/file\"\nlog = \"trace\"\nmetrics = false\n")
        .unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "config::tests::in_a_process_of_its_own", "--ignored", "--nocapture"])
        .env("ENTREPOT_LISTEN", "variable:2")
        .env("ENTREPOT_DATA_DIR", "/variable")
        .env("ENTREPOT_EXTERNAL_URL", "")
        .env("ENTREPOT_TEST_FILE", &file)
        .env("ENTREPOT_ADMIN_TOKEN", "a-token-of-the-environment")
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
}

#[test]
#[ignore = "runs in the process that the test above starts"]
fn in_a_process_of_its_own() {
    let matches = Line::command().get_matches_from(["entrepot", "--listen", "flag:3"]);
    let given = Line::from_arg_matches(&matches).unwrap().settings;
    let file = std::env::var("ENTREPOT_TEST_FILE").unwrap();
    let config = Config::load(given, Some(Path::new(&file))).unwrap();
    assert_eq!(config.listen, "flag:3");
    assert_eq!(config.data_dir, Path::new("/variable"));
    assert_eq!(config.telemetry.filter, "trace");
    assert_eq!(config.external_url, None);
    assert!(!config.telemetry.metrics);
    assert_eq!(config.admin_token.as_ref().unwrap().expose(), "a-token-of-the-environment");
    assert!(!format!("{config:?}").contains("a-token"));
}

#[test]
fn the_template_holds_every_key_and_nothing_else() {
    let settings: String = TEMPLATE
        .lines()
        .filter_map(|line| {
            line.strip_prefix('#')
                .filter(|rest| rest.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()))
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let parsed: Settings = toml::from_str(&settings).unwrap();
    let debug = format!("{parsed:?}");
    assert!(!debug.contains("None"), "a key is missing: {debug}");
    let defaults = resolved(Settings::default()).unwrap();
    let config = resolved(parsed).unwrap();
    assert_eq!(config.database, defaults.database);
    assert_eq!(config.storage, defaults.storage);
    assert_eq!(config.http.idle_timeout, defaults.http.idle_timeout);
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entrepot.toml");
    fs::write(&file, "listen = \"127.0.0.1:1\"\nlisten_adress = \"x\"\n").unwrap();
    let text = Settings::read(&file).unwrap_err().to_string();
    assert!(text.contains("line 2") && text.contains("`listen_adress`"), "{text}");
    let text = Settings::read(Path::new("/nowhere/entrepot.toml")).unwrap_err().to_string();
    assert!(text.ends_with("cannot be read: no such file or directory"), "{text}");
}

#[test]
fn addresses_that_cannot_be_used_are_refused_without_showing_passwords() {
    let database = |url: &str| Settings { database_url: Some(url.into()), ..Settings::default() };
    let storage = |url: &str| Settings { storage_url: Some(url.into()), ..Settings::default() };
    let external = |url: &str| Settings { external_url: Some(url.into()), ..Settings::default() };
    let proxies = |text: &str| Settings { trusted_proxies: Some(vec![text.into()]), ..Settings::default() };
    let listen = |address: &str| Settings { listen: Some(address.into()), ..Settings::default() };
    for (settings, expected) in [
        (database("mysql://user:secret@host/x"), "start with postgres: or sqlite:"),
        (database("postgres://user:secret@host:port/x"), "cannot be read"),
        (database("sqlite::memory:"), "must name a file"),
        (storage("ftp://user:secret@host"), "start with file: or s3:"),
        (storage("file:"), "names no folder"),
        (external("registry.example"), "cannot be used"),
        (external("ftp://registry.example"), "start with http: or https:"),
        (listen("8080"), "host:port"),
        (listen("localhost:http"), "host:port"),
        (proxies("10.0.0.0/33"), "no network"),
        (proxies("proxy.example"), "no network"),
    ] {
        let text = resolved(settings).unwrap_err();
        assert!(text.contains(expected) && !text.contains("secret"), "{text}");
    }
    let config = resolved(database("postgres://user:secret@host/packages")).unwrap();
    assert_eq!(config.database.to_string(), "PostgreSQL at host, database 'packages'");
    assert!(!format!("{config:?}").contains("secret"));
    let config = resolved(external("https://registry.example/packages/")).unwrap();
    assert_eq!(config.external_url.as_deref(), Some("https://registry.example/packages"));
}

fn bucket(url: &str, endpoint: Option<&str>, aws: &AwsVariables) -> Result<Storage, String> {
    let settings = Settings {
        storage_url: Some(url.into()),
        s3_endpoint: endpoint.map(Into::into),
        ..Settings::default()
    };
    let environment = Environment { aws: aws.clone(), ..Environment::default() };
    Config::resolve(settings, environment).map(|config| config.storage).map_err(|stop| stop.to_string())
}

fn keys() -> AwsVariables {
    AwsVariables {
        access_key_id: Some("AKEY".into()),
        secret_access_key: Some("very-secret".into()),
        session_token: Some("session-secret".into()),
        region: Some("eu-central-1".into()),
    }
}

#[test]
fn a_bucket_is_named_by_its_url_and_opened_with_the_usual_variables() {
    let Storage::S3(settings) = bucket("s3://packages/a/b/", None, &keys()).unwrap() else { panic!() };
    assert_eq!((settings.bucket.as_str(), settings.prefix.as_str()), ("packages", "a/b"));
    assert_eq!((settings.region.as_str(), settings.endpoint.as_deref()), ("eu-central-1", None));
    assert!(!settings.redirects);
    assert_eq!(settings.credentials.session_token.as_deref(), Some("session-secret"));
    assert_eq!(settings.to_string(), "s3://packages/a/b in eu-central-1");
    assert!(!format!("{settings:?}").contains("secret\""), "{settings:?}");

    let own = AwsVariables { region: None, ..keys() };
    let Storage::S3(settings) = bucket("s3://packages", Some("http://storage:9000/"), &own).unwrap() else {
        panic!()
    };
    assert_eq!(settings.to_string(), "s3://packages at http://storage:9000");
    assert_eq!(settings.region, "us-east-1");
}

#[test]
fn a_bucket_that_cannot_be_opened_is_refused_without_showing_secrets() {
    let nobody = AwsVariables { access_key_id: None, ..keys() };
    let without_secret = AwsVariables { secret_access_key: None, ..keys() };
    let nowhere = AwsVariables { region: None, ..keys() };
    for (url, endpoint, aws, expected) in [
        ("s3:packages", None, keys(), "has to be s3://<bucket>"),
        ("s3://", None, keys(), "is no name of a bucket"),
        ("s3://a b c", None, keys(), "is no name of a bucket"),
        ("s3://AKEY:very-secret@packages", None, keys(), "AWS_ACCESS_KEY_ID"),
        ("s3://packages?secret=1", None, keys(), "nothing else"),
        ("s3://packages/../other", None, keys(), "prefix"),
        ("s3://packages", None, nobody, "needs AWS_ACCESS_KEY_ID"),
        ("s3://packages", None, without_secret, "needs AWS_SECRET_ACCESS_KEY"),
        ("s3://packages", None, nowhere, "needs AWS_REGION"),
        ("s3://packages", Some("storage:9000"), keys(), "start with http: or https:"),
        ("s3://packages", Some("storage"), keys(), "cannot be used"),
        ("s3://packages", Some("http://AKEY:very-secret@storage"), keys(), "holds a user name"),
    ] {
        let text = bucket(url, endpoint, &aws).unwrap_err();
        assert!(text.contains(expected) && !text.contains("secret"), "{url}: {text}");
    }
}

#[test]
fn a_chosen_token_is_judged_before_anything_is_made_with_it() {
    assert!(chosen_token(Ok("  ".to_owned())).unwrap().is_none());
    assert!(chosen_token(Err(env::VarError::NotPresent)).unwrap().is_none());
    assert!(chosen_token(Ok("short".to_owned())).is_err());
    let long = "a-token-of-the-environment";
    assert_eq!(chosen_token(Ok(format!(" {long}\n"))).unwrap().unwrap().expose(), long);
}
