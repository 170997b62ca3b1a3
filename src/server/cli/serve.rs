//! `entrepot serve`.

use std::path::Path;

use serde_json::json;

use super::print;
use crate::{boot::Server, config::Config, shutdown::Signals, stop::Stop};

/// Serves until a signal comes.
pub(super) async fn run(config: Config) -> Result<(), Stop> {
    let signals = Signals::take()?;
    let server = Server::start(config).await?;
    let url = server.external_url();
    match server.first_run() {
        Some(first_run) => print(&welcome(url, &first_run.token_file))?,
        None => print(&format!("entrepot listens at {url}"))?,
    }
    server.run(signals.first()).await
}

/// What to try next.
fn welcome(url: &str, token_file: &Path) -> String {
    let place = token_file.display();
    let token = format!("-H \"PRIVATE-TOKEN: $(cat {})\"", quoted(&place.to_string()));
    let ask = |mutation: &str| {
        let body = json!({ "query": format!("mutation {{ {mutation} {{ errors }} }}") });
        format!("curl {token} -H 'Content-Type: application/json' {url}/api/graphql -d '{body}'")
    };
    let group = ask("createGroup(input: {name: \"Demo\", path: \"demo\"})");
    let project = ask("createProject(input: {namespacePath: \"demo\", path: \"hello\"})");
    let file = format!("{url}/api/v4/projects/demo%2Fhello/packages/generic/greeting/1.0.0/hello.txt");
    format!(
        "entrepot listens at {url}\n\n\
         This is the first start. The administrator is root, with the token in {place}.\n\
         To sign in to the pages, give root a password: entrepot admin set-password root\n\
         The next three commands to try make a group, a project in it, and publish a file there:\n\n  \
         {group}\n  {project}\n  echo hello | curl {token} -T - {file}\n"
    )
}

/// A path as a shell reads it.
fn quoted(path: &str) -> String {
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    if plain { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}
