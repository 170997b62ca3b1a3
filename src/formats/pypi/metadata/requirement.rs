//! Requirements as `Requires-Dist` writes them (PEP 508, and the parentheses of PEP 345).

use crate::pypi::rules::is_name;

/// Longest text of a requirement.
const MAX_LENGTH: usize = 4_096;

/// What a requirement asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Requirement {
    /// The distribution, as it is written.
    pub(super) name: String,
    /// Its extras in brackets, then the accepted versions or `@` and an address; `*` when all will do.
    pub(super) wanted: String,
    /// The condition under which it is needed, extras among them. Empty: always.
    pub(super) marker: String,
}

/// Takes a requirement apart. What stands in its parts is left as it is: only installers must understand all of it.
pub(super) fn parse(text: &str) -> Option<Requirement> {
    let text = text.trim();
    if text.len() > MAX_LENGTH || text.contains(|letter: char| letter.is_control() && !letter.is_whitespace())
    {
        return None;
    }
    let end =
        text.find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-')));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    if !is_name(name) {
        return None;
    }
    let (extras, rest) = split_extras(rest.trim_start())?;
    let (versions, marker) = split_marker(rest);
    let versions = versions.trim();
    let versions = match versions.strip_prefix('(') {
        Some(inside) => inside.strip_suffix(')')?.trim(),
        None => versions,
    };
    if !(versions.is_empty()
        || versions.starts_with(['<', '>', '=', '!', '~', '@'])
        || is_bare_version(versions))
    {
        return None;
    }
    let wanted = match (extras.as_str(), versions) {
        ("", "") => "*".to_owned(),
        ("", versions) => versions.to_owned(),
        (extras, "") => extras.to_owned(),
        (extras, versions) => format!("{extras} {versions}"),
    };
    Some(Requirement { name: name.to_owned(), wanted, marker: marker.trim().to_owned() })
}

/// `[a, b]` in front of `rest`, without spaces; empty when there is none.
fn split_extras(rest: &str) -> Option<(String, &str)> {
    let Some(inside) = rest.strip_prefix('[') else { return Some((String::new(), rest)) };
    let (inside, rest) = inside.split_once(']')?;
    let extras: Vec<&str> = inside.split(',').map(str::trim).collect();
    let is_fine = inside.trim().is_empty() || extras.iter().all(|extra| is_name(extra));
    let joined = if inside.trim().is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    is_fine.then_some((joined, rest))
}

/// A semicolon begins the marker; in an address, which may have one, only after a space.
fn split_marker(rest: &str) -> (&str, &str) {
    let is_address = rest.trim_start().starts_with('@');
    rest.split_once(if is_address { " ;" } else { ";" }).unwrap_or((rest, ""))
}

/// `foo (1.0)`, as setuptools once wrote it.
fn is_bare_version(versions: &str) -> bool {
    versions.starts_with(|letter: char| letter.is_ascii_digit())
}
