//! Settings that name a place.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::Url;

use crate::stop::Stop;

/// What would be read as something else in the path of a SQLite address.
const SQLITE_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file.
    Sqlite {
        /// The address for the store.
        url: String,
        /// The file.
        file: PathBuf,
    },
    /// A server.
    Postgres {
        /// The address for the store. May hold a password.
        url: String,
    },
}

impl Database {
    /// Reads an address; without one it is a file in the data folder.
    pub(crate) fn parse(url: Option<&str>, data_dir: &Path) -> Result<Self, Stop> {
        let Some(url) = url else {
            return Self::file(data_dir.join("entrepot.db"));
        };
        match url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => match Url::parse(url) {
                Ok(_) => Ok(Self::Postgres { url: url.to_owned() }),
                Err(error) => Err(Stop::usage(format!("the database URL cannot be read: {error}"))),
            },
            Some(("sqlite", rest)) => {
                let rest = rest.strip_prefix("//").unwrap_or(rest);
                let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
                if path.is_empty() || path.contains(":memory:") || options.contains("mode=memory") {
                    return Err(Stop::usage("the database URL must name a file: sqlite:<file>"));
                }
                let path = percent_decode_str(path).decode_utf8();
                Self::file(PathBuf::from(
                    path.map_err(|_| Stop::usage("the database URL is not valid UTF-8"))?.as_ref(),
                ))
            }
            _ => Err(Stop::usage(format!(
                "the database URL has to start with postgres: or sqlite:, and {} does not",
                scheme(url)
            ))),
        }
    }

    fn file(file: PathBuf) -> Result<Self, Stop> {
        let whole = std::path::absolute(&file).unwrap_or_else(|_| file.clone());
        let Some(path) = whole.to_str() else {
            return Err(Stop::usage(format!("the path {} is not valid UTF-8", file.display())));
        };
        let url = format!("sqlite://{}?mode=rwc", utf8_percent_encode(path, SQLITE_PATH));
        Ok(Self::Sqlite { url, file })
    }

    /// The address for the store.
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Sqlite { url, .. } | Self::Postgres { url } => url,
        }
    }
}

/// Without a password.
impl fmt::Display for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { file, .. } => write!(formatter, "SQLite in {}", file.display()),
            Self::Postgres { url } => {
                let url = Url::parse(url).ok();
                let host = url.as_ref().and_then(Url::host_str).unwrap_or("its default host");
                let name = url.as_ref().map_or("", Url::path).trim_start_matches('/');
                write!(formatter, "PostgreSQL at {host}, database '{name}'")
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Database({self})")
    }
}

/// The part of an address that can be shown: what comes after may hold a password.
pub(super) fn scheme(url: &str) -> String {
    match url.split_once(':') {
        Some((scheme, _)) => format!("'{scheme}:…'"),
        None => "this one".to_owned(),
    }
}

/// Checks the shape of an address to listen on.
pub(crate) fn listen(text: &str) -> Result<String, Stop> {
    let sound = text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && (!host.contains(':') || host.starts_with('[')) && port.parse::<u16>().is_ok()
    });
    if sound {
        return Ok(text.to_owned());
    }
    Err(Stop::usage(format!(
        "'{text}' is no address to listen on: it has to be host:port, like 127.0.0.1:8080"
    )))
}

/// Checks what links start with.
pub(crate) fn external_url(text: &str) -> Result<String, Stop> {
    let refuse = |why: &str| Err(Stop::usage(format!("the external URL '{text}' cannot be used: {why}")));
    match Url::parse(text) {
        Err(error) => refuse(&error.to_string()),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            refuse("it has to start with http: or https:")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => refuse("it holds a user name"),
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            refuse("it has a query or a fragment")
        }
        Ok(url) => Ok(url.as_str().trim_end_matches('/').to_owned()),
    }
}
