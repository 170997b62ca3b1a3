//! npm's JSON: bodies that clients send, answers that they read.

pub(super) mod body;
mod bounded_json;

use domain::Failure;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `GET /-/v1/search`.
#[derive(Debug, Serialize)]
pub(super) struct SearchAnswer {
    /// The packages found.
    pub(super) objects: Vec<SearchObject>,
    /// How many there are on all pages.
    pub(super) total: i64,
}

/// One package found.
#[derive(Debug, Serialize)]
pub(super) struct SearchObject {
    /// What is shown of it.
    pub(super) package: SearchPackage,
    /// How well it fits, for clients that sort.
    pub(super) score: Score,
    /// The same.
    #[serde(rename = "searchScore")]
    pub(super) search_score: f64,
}

/// A score. All results have the same: the order is the model's.
#[derive(Debug, Serialize)]
pub(super) struct Score {
    /// The sum.
    #[serde(rename = "final")]
    pub(super) total: f64,
    /// Its parts.
    pub(super) detail: ScoreDetail,
}

/// The parts of a score.
#[derive(Debug, Serialize)]
pub(super) struct ScoreDetail {
    /// Of the sources.
    pub(super) quality: f64,
    /// By downloads.
    pub(super) popularity: f64,
    /// Of the project.
    pub(super) maintenance: f64,
}

/// A package as a search shows it. npm needs `maintainers`.
#[derive(Debug, Serialize)]
pub(super) struct SearchPackage {
    name: String,
    scope: String,
    version: String,
    description: Value,
    keywords: Value,
    date: String,
    links: Map<String, Value>,
    author: Value,
    publisher: Value,
    maintainers: Value,
}

impl SearchPackage {
    /// The package `name`, whose newest version is `version`, published at `date` with this manifest.
    pub(super) fn new(name: String, version: String, date: String, manifest: &Value) -> Self {
        let field = |name: &str| manifest.get(name).cloned();
        let link = |field: &str, value: Option<&Value>| {
            let address = value.and_then(|value| value.as_str().or_else(|| value.get("url")?.as_str()))?;
            Some((field.to_owned(), Value::from(address)))
        };
        let links =
            ["homepage", "repository", "bugs"].iter().filter_map(|name| link(name, manifest.get(*name)));
        let people =
            |value: Option<Value>| value.filter(is_people).unwrap_or_else(|| Value::Array(Vec::new()));
        Self {
            scope: super::rules::scope(&name).unwrap_or("unscoped").to_owned(),
            version,
            description: field("description").filter(Value::is_string).unwrap_or_else(|| Value::from("")),
            keywords: field("keywords").filter(is_texts).unwrap_or_else(|| Value::Array(Vec::new())),
            date,
            links: links.collect(),
            author: field("author").unwrap_or(Value::Null),
            publisher: field("_npmUser").filter(is_person).unwrap_or(Value::Null),
            maintainers: people(field("maintainers")),
            name,
        }
    }
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}

/// npm calls `strip` on the user name of every maintainer.
fn is_person(value: &Value) -> bool {
    value.get("username").is_some_and(Value::is_string)
}

fn is_people(value: &Value) -> bool {
    value.as_array().is_some_and(|people| people.iter().all(is_person))
}

/// `PUT /-/user/org.couchdb.user:NAME`: `npm login --auth-type=legacy`.
#[derive(Deserialize)]
pub(super) struct LoginBody {
    /// The user name.
    pub(super) name: String,
    /// The password: here, a token.
    pub(super) password: String,
}

/// Reads a small JSON body.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    // The error's own text may show values, and one of them is a password.
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Failure::invalid("body", format!("The request body is not the expected JSON at {place}"))
    })
}

/// What npm reads of an audit in its older form, for no findings.
pub(super) fn empty_audit() -> Value {
    serde_json::json!({
        "actions": [],
        "advisories": {},
        "muted": [],
        "metadata": {
            "vulnerabilities": { "info": 0, "low": 0, "moderate": 0, "high": 0, "critical": 0 },
            "dependencies": 0,
            "devDependencies": 0,
            "optionalDependencies": 0,
            "totalDependencies": 0
        }
    })
}
