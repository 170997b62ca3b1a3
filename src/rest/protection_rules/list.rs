//! Listing rules, which GitLab does without pages.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, dialect};
use http::StatusCode;
use serde_json::Value;

use super::{
    RestGroupProtectionRules, RestProjectProtectionRules, rest_group_protection_rules,
    rest_project_protection_rules, rule_json,
};
use crate::shape::{Place, known, withheld};

/// Rules read at once.
const PAGE_SIZE: i64 = 500;

pub(super) async fn list(call: Call, place: Place) -> Result<Response, Failure> {
    let mut rules = read(&call, place).await?.ok_or_else(|| withheld(&call))?;
    rules.reverse();
    let shown: Vec<_> = rules.into_iter().map(|rule| rule.shown).collect();
    Ok(dialect::answer(StatusCode::OK, &shown))
}

/// A rule as a list shows it, and when it was last changed, which is not shown.
pub(super) struct Rule {
    pub(super) shown: Value,
    pub(super) updated_at: String,
}

/// The rule with this number. None where the caller may not see the rules.
pub(super) async fn find(call: &Call, place: Place, id: i64) -> Result<Option<Rule>, Failure> {
    let Some(rules) = read(call, place).await? else { return Ok(None) };
    let found = rules.into_iter().find(|rule| rule.shown["id"] == id);
    found.map(Some).ok_or_else(|| Failure::not_found(Subject::ProtectionRule))
}

macro_rules! rules_of {
    ($page:expr) => {{
        let rules = $page.nodes.iter();
        rules
            .map(|rule| Rule { shown: rule_json!(rule), updated_at: rule.updated_at.clone() })
            .collect::<Vec<_>>()
    }};
}

/// Every rule of the place itself, newest first. None where the caller may not see them.
async fn read(call: &Call, place: Place) -> Result<Option<Vec<Rule>>, Failure> {
    let (mut rules, mut after) = (Vec::new(), None);
    loop {
        let full_path = call.param("id").to_owned();
        let missing = || Failure::not_found(place.subject());
        let (page, next) = match place {
            Place::Project => {
                let variables =
                    rest_project_protection_rules::Variables { full_path, first: PAGE_SIZE, after };
                let found = call.run::<RestProjectProtectionRules>(variables).await?.project;
                let found = found.ok_or_else(missing)?;
                known(found.visibility, place)?;
                let Some(page) = found.packages_protection_rules else {
                    return Ok(None);
                };
                let next = page.page_info.has_next_page.then_some(page.page_info.end_cursor).flatten();
                (rules_of!(page), next)
            }
            Place::Group => {
                let variables = rest_group_protection_rules::Variables { full_path, first: PAGE_SIZE, after };
                let found = call.run::<RestGroupProtectionRules>(variables).await?.group;
                let found = found.ok_or_else(missing)?;
                known(found.visibility, place)?;
                let Some(page) = found.packages_protection_rules else {
                    return Ok(None);
                };
                let next = page.page_info.has_next_page.then_some(page.page_info.end_cursor).flatten();
                (rules_of!(page), next)
            }
        };
        rules.extend(page);
        if next.is_none() {
            return Ok(Some(rules));
        }
        after = next;
    }
}
