//! `npm search`.

use axum::response::Response;
use domain::Failure;
use gateway::Call;
use serde_json::json;

use super::scope;
use crate::npm::{
    NpmSearch, npm_search,
    wire::{Score, ScoreDetail, SearchAnswer, SearchObject, SearchPackage},
};

/// Results of one page, when the client does not say, and at most (npm's registry).
const PAGE: i64 = 20;
const MAX_PAGE: i64 = 250;
/// The furthest a search goes: results are counted off from the first.
const MAX_SKIP: i64 = 10_000;

/// Packages whose name contains the text. Clients filter further by themselves.
pub(super) async fn search(call: Call) -> Result<Response, Failure> {
    let number = |key, default, maximum| {
        let stated = call.query.get(key).and_then(|text| text.parse::<i64>().ok());
        stated.unwrap_or(default).clamp(0, maximum)
    };
    let variables = npm_search::Variables {
        scope: scope!(call, npm_search),
        search: call.query.get("text").and_then(words),
        first: number("size", PAGE, MAX_PAGE),
        skip: number("from", 0, MAX_SKIP),
    };
    let found = call.run::<NpmSearch>(variables).await?.package_indexes;
    let objects = found.nodes.into_iter().filter_map(object).collect();
    Ok(super::json(&json!(SearchAnswer { objects, total: found.count })))
}

/// Refuses whoever may not look for packages here.
pub(super) async fn admit(call: &Call) -> Result<(), Failure> {
    let scope = scope!(call, npm_search);
    call.run::<NpmSearch>(npm_search::Variables { scope, search: None, first: 1, skip: 0 }).await?;
    Ok(())
}

/// The text without npm's qualifiers (`keywords:cli`), which would be found in no name. None when nothing is left.
fn words(text: &str) -> Option<String> {
    let words: Vec<_> = text.split_whitespace().filter(|word| !word.contains(':')).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn object(node: npm_search::NpmSearchPackageIndexesNodes) -> Option<SearchObject> {
    let latest = node.latest?;
    let manifest = latest.raw_metadata;
    Some(SearchObject {
        package: SearchPackage::new(node.name, latest.version?, latest.created_at, &manifest),
        score: Score { total: 1.0, detail: ScoreDetail { quality: 1.0, popularity: 1.0, maintenance: 1.0 } },
        search_score: 1.0,
    })
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn qualifiers_are_no_words() {
        assert_eq!(words(" web  keywords:cli,x tools "), Some("web tools".to_owned()));
        assert_eq!(words("keywords:cli"), None);
        assert_eq!(words(""), None);
        assert_eq!(words("@acme/web"), Some("@acme/web".to_owned()));
    }
}
