//! Patterns in which `*` stands for any text, and nothing else is special.

/// Whether `pattern` fits the whole of `text`. Takes time in proportion to the two lengths, whatever the pattern: what is between
/// two `*` is looked for once, from where the last piece ended.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}
