//! How values are written for people.

/// An instant as the schema prints it, to the minute.
pub(crate) fn instant(text: &str) -> String {
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn instants_are_told_to_the_minute() {
        assert_eq!(super::instant("2026-11-23T12:00:59.5Z"), "2026-11-23 12:00 UTC");
        assert_eq!(super::instant("soon"), "soon");
    }
}
