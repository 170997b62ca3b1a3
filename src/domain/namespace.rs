//! Rules for the paths and names of users, groups and projects.

use crate::Failure;

/// Longest path segment or display name, in characters (GitLab's limit).
pub const MAX_LENGTH: usize = 255;

/// Longest user name that is made from something else: short enough for a number behind it.
const MAX_USERNAME: usize = 200;

/// Longest description of a project or group, in characters (GitLab's limit).
pub const MAX_DESCRIPTION: usize = 2000;

/// Longest description of a token, in characters (GitLab's limit).
pub const MAX_TOKEN_DESCRIPTION: usize = 255;

/// Longest mail address, in characters (RFC 5321 section 4.5.3.1.3 leaves as many between the angle brackets of a path).
const MAX_EMAIL: usize = 254;

/// Path segments that would collide with routes at the root of the web site.
const RESERVED_TOP_LEVEL: &[&str] =
    &["-", "api", "assets", "health", "oauth", "users", "v2", "login", "admin", "help"];

/// Checks one segment of a path: a user name, or the path of a group or project.
///
/// GitLab's rule: letters, digits, `_`, `-` and `.`; starts with a letter, digit or `_`; does not end in `.`, `.git` or
/// `.atom`; no two special characters in a row are refused here too, since URLs are built from them. A segment of digits
/// only is refused, because ids and paths share a place in URLs.
#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "the text is lower case")]
pub fn validate_segment(field: &'static str, segment: &str) -> Result<(), Failure> {
    let refuse =
        |reason: &str| Err(Failure::invalid(field, format!("'{segment}' is not a valid {field}: {reason}")));
    if segment.is_empty() {
        return Err(Failure::invalid(field, format!("{field} can't be blank")));
    }
    if segment.chars().count() > MAX_LENGTH {
        return refuse("it is longer than 255 characters");
    }
    if !segment.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')) {
        return refuse("it can contain only letters, digits, '_', '-' and '.'");
    }
    if segment.starts_with(['-', '.']) {
        return refuse("it can't start with '-' or '.'");
    }
    let lower = segment.to_ascii_lowercase();
    if lower.ends_with('.') || lower.ends_with(".git") || lower.ends_with(".atom") {
        return refuse("it can't end in '.', '.git' or '.atom'");
    }
    if segment.contains("..") {
        return refuse("it can't contain '..'");
    }
    if segment.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse("it can't consist of digits only, since it would be taken for an id");
    }
    Ok(())
}

/// Checks a user name or the path of a top-level group.
pub fn validate_top_level(field: &'static str, segment: &str) -> Result<(), Failure> {
    validate_segment(field, segment)?;
    if RESERVED_TOP_LEVEL.contains(&segment.to_ascii_lowercase().as_str()) {
        return Err(Failure::invalid(field, format!("'{segment}' is a reserved name")));
    }
    Ok(())
}

/// The user name nearest to `text`: the part before an `@`, each run of what is neither letter nor digit made into one sign.
/// None when nothing of it can be one.
pub fn username_from(text: &str) -> Option<String> {
    const SIGNS: [char; 3] = ['-', '_', '.'];
    let local = text.split('@').next().unwrap_or_default();
    let mut name = String::new();
    for letter in local.chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter);
        } else if !name.ends_with(SIGNS) {
            name.push(if SIGNS.contains(&letter) { letter } else { '-' });
        }
    }
    name.truncate(MAX_USERNAME);
    let name = name.trim_matches(SIGNS);
    validate_top_level("username", name).is_ok().then(|| name.to_owned())
}

/// Checks a display name of a user, group, project or token.
pub fn validate_display_name(field: &'static str, name: &str) -> Result<(), Failure> {
    if name.trim().is_empty() {
        return Err(Failure::invalid(field, format!("{field} can't be blank")));
    }
    if name.chars().count() > MAX_LENGTH {
        return Err(Failure::invalid(field, format!("{field} is too long (maximum is 255 characters)")));
    }
    if name.chars().any(char::is_control) {
        return Err(Failure::invalid(field, format!("{field} can't contain control characters")));
    }
    Ok(())
}

/// Checks what people wrote about something: at most `longest` characters.
pub fn validate_description(description: &str, longest: usize) -> Result<(), Failure> {
    if description.chars().count() > longest {
        let message = format!("description is too long (maximum is {longest} characters)");
        return Err(Failure::invalid("description", message));
    }
    Ok(())
}

/// Checks a mail address, as far as one can without sending something there.
pub fn validate_email(email: &str) -> Result<(), Failure> {
    if email.chars().count() > MAX_EMAIL {
        return Err(Failure::invalid(
            "email",
            format!("email is too long (maximum is {MAX_EMAIL} characters)"),
        ));
    }
    if !email.contains('@') || email.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(Failure::invalid("email", format!("'{email}' is not a mail address")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MAX_EMAIL, username_from, validate_description, validate_email, validate_segment};

    #[test]
    fn texts_have_bounds() {
        let mail = |length: usize| format!("{}@x", "\u{e4}".repeat(length - 2));
        assert!(validate_email(&mail(MAX_EMAIL)).is_ok());
        let refused = validate_email(&mail(MAX_EMAIL + 1)).expect_err("too long");
        assert_eq!((refused.field.as_deref(), refused.message.len() < 100), (Some("email"), true));
        for refused in ["nobody", " a@x", "a@\nx", "a@x\0"] {
            assert!(validate_email(refused).is_err(), "{refused:?}");
        }
        assert!(validate_description("\u{e4}\u{e4}", 2).is_ok());
        assert_eq!(
            validate_description("abc", 2).expect_err("too long").field.as_deref(),
            Some("description")
        );
    }

    #[test]
    fn segments() {
        for good in ["a", "acme", "a-b", "a.b", "_x", "A1", "foo_bar"] {
            assert!(validate_segment("path", good).is_ok(), "{good}");
        }
        for bad in ["", "-a", ".a", "a.", "a.git", "a/b", "a..b", "12", "ä", "a b", "a%2fb", "a\0"] {
            assert!(validate_segment("path", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn user_names_are_made_from_what_providers_say() {
        for (text, expected) in [
            ("ann", Some("ann")),
            ("Ann.Other+spam@example.org", Some("Ann.Other-spam")),
            ("__ann_-_b__", Some("ann_b")),
            ("ö@example.org", None),
            ("@example.org", None),
            ("4711", None),
            ("admin", None),
        ] {
            assert_eq!(username_from(text).as_deref(), expected, "{text}");
        }
        assert_eq!(username_from(&"a".repeat(300)).map(|name| name.len()), Some(200));
    }
}
