//! What a password has to be like.

use crate::Failure;

/// Fewest characters (GitLab's rule).
pub const LEAST: usize = 8;
/// Most characters (GitLab's rule): hashing takes no longer than that.
pub const MOST: usize = 128;

/// Checks the password that the user called `username` is to have; `field` is what the schema calls it.
pub fn validate_password(field: &'static str, password: &str, username: &str) -> Result<(), Failure> {
    let refused = |why: String| Err(Failure::invalid(field, why));
    match password.chars().count() {
        ..LEAST => refused(format!("The password is too short: it needs at least {LEAST} characters")),
        LEAST..=MOST if password.to_lowercase() == username.to_lowercase() => {
            refused("The password must not be the user name".to_owned())
        }
        LEAST..=MOST => Ok(()),
        _ => refused(format!("The password is too long: it has at most {MOST} characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::validate_password;

    #[test]
    fn length_is_counted_in_characters_and_the_user_name_is_refused() {
        let told = |password: &str| {
            validate_password("password", password, "Somebody").err().map(|failure| failure.message)
        };
        let longest = "ü".repeat(128);
        for good in ["12345678", "ü2345678", longest.as_str(), "somebody's"] {
            assert_eq!(told(good), None, "{good}");
        }
        let longer = "a".repeat(129);
        for (bad, why) in [("", "short"), ("ü234567", "short"), (&longer, "long"), ("someBODY", "user name")]
        {
            assert!(told(bad).is_some_and(|told| told.contains(why)), "{bad}");
        }
    }
}
