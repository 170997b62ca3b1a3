//! `entrepot serve`.

use std::path::Path;

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
    let file = quoted(&token_file.display().to_string());
    let header = format!("-H \"PRIVATE-TOKEN: $(cat {file})\"");
    format!(
        "entrepot listens at {url}\n\
         \n\
         This is the first start. The administrator is root, the token is in {}. To try next:\n\
         \n  \
         curl {header} -d name=Demo -d path=demo {url}/api/v4/groups\n  \
         curl {header} -d path=hello -d namespace_path=demo {url}/api/v4/projects\n  \
         echo hello | curl {header} -T - {url}/api/v4/projects/demo%2Fhello/packages/generic/greeting/1.0.0/hello.txt\n",
        token_file.display()
    )
}

/// A path as a shell reads it.
fn quoted(path: &str) -> String {
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    if plain { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}
