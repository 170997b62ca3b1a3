//! What protection rules take away: a change that a role or a token allows can be kept to fewer people, for the names that a
//! rule covers.

use domain::{ErrorCode, Failure, ProtectionLevel, ProtectionLevels, Role, Subject};

use crate::{Action, Facts, Viewer};

/// The rule that stands in the way of a change: the strictest, where several do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protected<'r> {
    /// The rule's pattern.
    pub pattern: &'r str,
    /// The level that the rule asks for.
    pub level: ProtectionLevel,
    /// Whether it keeps the caller from deleting, rather than from publishing.
    pub deletes: bool,
}

impl Protected<'_> {
    /// The refusal in GitLab's words, which tell nothing of the rule.
    pub fn into_failure(self) -> Failure {
        let words = self.words();
        Failure::new(ErrorCode::Protected, words).about(Subject::Package)
    }

    const fn words(self) -> &'static str {
        if self.deletes { "Package is deletion protected." } else { "Package protected." }
    }

    /// The refusal with what the rule says of the package called `name`, for who may see rules. Begins with GitLab's words.
    pub fn explained(self, name: &str) -> Failure {
        let Self { pattern, level, deletes } = self;
        let who = match level {
            ProtectionLevel::Maintainer => "maintainers and owners",
            ProtectionLevel::Owner => "owners",
            ProtectionLevel::Administrator => "administrators",
        };
        let (words, what) = (self.words(), if deletes { "delete" } else { "publish" });
        let message = format!(
            "{words} The protection rule '{pattern}' covers '{name}': only {who} may {what} it, and no deploy token"
        );
        Failure::new(ErrorCode::Protected, message).about(Subject::Package)
    }
}

/// Decides whether rules that cover a package leave `action` to `viewer`, whom [`decide`](crate::decide) has allowed it. Each of
/// them has to: a rule can be made stricter by another one and never weaker, wherever the two stand.
///
/// GitLab's rule: administrators pass; a deploy token never reaches a level, for it is nobody, and nor does a trusted publisher;
/// everybody else has the role that they have in the project, a CI job that of its user.
pub fn decide_protected<'r>(
    viewer: &Viewer,
    action: Action,
    facts: &Facts,
    covering: impl IntoIterator<Item = (&'r str, ProtectionLevels)>,
) -> Result<(), Protected<'r>> {
    let deletes = match action {
        Action::PublishPackages => false,
        Action::DestroyPackages => true,
        _ => return Ok(()),
    };
    if viewer.is_admin() {
        return Ok(());
    }
    let role = role(viewer, facts);
    let in_the_way = covering.into_iter().filter_map(|(pattern, levels)| {
        let level = if deletes { levels.delete } else { levels.push }?;
        (!level.admits(role)).then_some(Protected { pattern, level, deletes })
    });
    match in_the_way.max_by_key(|protected| protected.level) {
        Some(protected) => Err(protected),
        None => Ok(()),
    }
}

/// The role that counts: none for who is no user, whatever the token was made for.
fn role(viewer: &Viewer, facts: &Facts) -> Option<Role> {
    viewer.user()?;
    match facts {
        Facts::Project(facts) => facts.role,
        Facts::Group(facts) => facts.role,
    }
}
