//! The decision.

use domain::{ErrorCode, Failure, RegistryAccessLevel, Role, Subject, Visibility};

use crate::{Action, Facts, GroupFacts, Holder, Identity, Packages, ProjectFacts, Via, Viewer};

/// Why a decision was no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Denied {
    /// The caller presented nothing; a credential might help. Says nothing about existence.
    Unauthenticated,
    /// The caller may not know that it exists.
    Hidden,
    /// The caller may know and may not do.
    Forbidden,
    /// The caller's token lacks the scope.
    InsufficientScope,
    /// The caller's token is limited to other packages.
    OutsideLimits,
    /// The caller is a job of a project whose jobs are not let in.
    JobNotLetIn,
    /// The package registry of the project is switched off.
    RegistryDisabled,
    /// The package registry of a group, of the one meant or of one above, is switched off.
    GroupRegistryDisabled,
    /// The package registry of the instance is switched off.
    InstanceRegistryDisabled,
}

impl Denied {
    /// The denial as a failure about `subject`, told to `viewer`.
    pub fn into_failure(self, viewer: &Viewer, subject: Subject) -> Failure {
        match self {
            Self::Unauthenticated => Failure::unauthenticated().about(subject),
            Self::Hidden => Failure::not_found(subject),
            Self::Forbidden => Failure::forbidden("You are not allowed to do this").about(subject),
            Self::InsufficientScope => {
                Failure::forbidden("The token's scopes do not allow this: create a token with a wider scope")
                    .about(subject)
            }
            Self::OutsideLimits => {
                let message = format!("The token is limited to {}", viewer.limits());
                Failure::forbidden(message).about(subject)
            }
            Self::JobNotLetIn => {
                let message = "The job's project is not on the job token allowlist of this project: \
                               a maintainer can add it with ciJobTokenScopeAddProject";
                Failure::forbidden(message).about(subject)
            }
            Self::RegistryDisabled => Failure::new(
                ErrorCode::RegistryDisabled,
                "The package registry is switched off for this project",
            )
            .about(Subject::Project),
            Self::GroupRegistryDisabled => Failure::new(
                ErrorCode::RegistryDisabled,
                "The package registry is switched off for this group, or for one above",
            )
            .about(Subject::Group),
            Self::InstanceRegistryDisabled => {
                Failure::new(ErrorCode::RegistryDisabled, "The package registry is switched off")
                    .about(Subject::Instance)
            }
        }
    }
}

/// Decides whether `viewer` may do `action` with the resource that `facts` describe, and all its packages.
pub fn decide(viewer: &Viewer, action: Action, facts: &Facts) -> Result<(), Denied> {
    decide_about(viewer, action, facts, &Packages::All)
}

/// Decides whether `viewer` may do `action` with the resource that `facts` describe, as far as `packages` go.
pub fn decide_about(
    viewer: &Viewer,
    action: Action,
    facts: &Facts,
    packages: &Packages<'_>,
) -> Result<(), Denied> {
    match facts {
        Facts::Project(facts) => decide_project(viewer, action, facts)?,
        Facts::Group(facts) => decide_group(viewer, action, *facts)?,
    }
    decide_packages(viewer, action, packages)
}

/// Decides whether the limits of the token let `viewer` do `action` with `packages`, wherever they are. Beside packages, a
/// limited token only reads: what it changes could lead to a token without limits. The audit log names packages of all kinds, and
/// is not read either.
pub fn decide_packages(viewer: &Viewer, action: Action, packages: &Packages<'_>) -> Result<(), Denied> {
    let within = viewer.limits().is_empty()
        || match action {
            Action::ViewPackages
            | Action::PullPackages
            | Action::PublishPackages
            | Action::DestroyPackages => packages.are_within(viewer.limits()),
            Action::ViewOwnAuditEvents | Action::ViewAuditEvents => false,
            action => action.reads(),
        };
    if within { Ok(()) } else { Err(Denied::OutsideLimits) }
}

/// Decides whether `viewer` may do `action` with the instance itself: administrators may do everything, a signed-in person
/// may create a top-level group. A bot stays where it was made for, and may renew its token.
pub fn decide_instance(viewer: &Viewer, action: Action) -> Result<(), Denied> {
    match viewer.identity() {
        Identity::Anonymous => Err(Denied::Unauthenticated),
        Identity::DeployToken { .. } | Identity::TrustedPublisher { .. } => Err(Denied::Forbidden),
        Identity::User { admin, .. } => {
            let allowed = admin
                || match action {
                    Action::View => true,
                    Action::CreateGroup => viewer.is_in_person(),
                    Action::RenewToken => !matches!(viewer.via(), Via::Job(_)),
                    _ => false,
                };
            let scoped = if action.reads() { viewer.reads_api() } else { viewer.writes_api() };
            match (allowed, scoped) {
                (true, true) => decide_packages(viewer, action, &Packages::All),
                (true, false) => Err(Denied::InsufficientScope),
                (false, _) => Err(Denied::Forbidden),
            }
        }
    }
}

/// What the caller's standing amounts to, once administrators are taken for owners.
fn effective_role(viewer: &Viewer, role: Option<Role>) -> Option<Role> {
    if viewer.is_admin() { Some(Role::Owner) } else { role }
}

/// A denial in the words that fit a caller who may know of the resource.
fn refuse_known(viewer: &Viewer) -> Denied {
    if viewer.is_anonymous() { Denied::Unauthenticated } else { Denied::Forbidden }
}

/// A denial in the words that fit a caller who may not.
fn refuse_unknown(viewer: &Viewer) -> Denied {
    if viewer.is_anonymous() { Denied::Unauthenticated } else { Denied::Hidden }
}

fn is_user(viewer: &Viewer) -> bool {
    viewer.user().is_some()
}

fn decide_project(viewer: &Viewer, action: Action, facts: &ProjectFacts) -> Result<(), Denied> {
    let reached = viewer.reaches(facts.id);
    let role = effective_role(viewer, facts.role).filter(|_| reached);
    // Who is a member knows the project, whatever the job may do there.
    let shut_out = facts.role.is_some() && !reached;
    let holder = match viewer.identity() {
        Identity::DeployToken { holder, .. } if facts.token_covers => Some(holder),
        _ => None,
    };
    let covered = holder.is_some();
    let trusted =
        matches!(viewer.identity(), Identity::TrustedPublisher { project, .. } if project == facts.id);
    let open = facts.registry == RegistryAccessLevel::Public
        && facts.instance.anyone_may_pull
        && facts.groups_enabled;
    let visible = match facts.visibility {
        Visibility::Public => true,
        Visibility::Internal => is_user(viewer) || covered || trusted,
        Visibility::Private => role.is_some() || covered || trusted,
    };
    let pulls = matches!(action, Action::ViewPackages | Action::PullPackages);
    if !(visible || open && pulls) {
        return Err(if shut_out { Denied::JobNotLetIn } else { refuse_unknown(viewer) });
    }
    if action.concerns_packages() {
        if !facts.instance.registry_enabled {
            return Err(Denied::InstanceRegistryDisabled);
        }
        if !facts.groups_enabled {
            return Err(Denied::GroupRegistryDisabled);
        }
        if facts.registry == RegistryAccessLevel::Disabled {
            return Err(Denied::RegistryDisabled);
        }
    }
    let at_least = |minimum: Role| role >= Some(minimum);
    let allowed = match action {
        Action::View => true,
        Action::ViewPackages | Action::PullPackages => {
            let by_visibility = match (facts.visibility, facts.registry) {
                (Visibility::Private, _) => at_least(Role::Reporter),
                (_, RegistryAccessLevel::Private) => at_least(Role::Guest),
                (Visibility::Public | Visibility::Internal, _) => true,
            };
            open || covered || trusted || by_visibility
        }
        Action::PublishPackages => covered || trusted || at_least(Role::Developer),
        // GitLab's rule: the token of a group publishes below it, and deletes nothing there.
        Action::DestroyPackages => matches!(holder, Some(Holder::Project(_))) || at_least(Role::Maintainer),
        Action::ViewMembers => at_least(Role::Guest),
        Action::ViewOwnAuditEvents => at_least(Role::Developer),
        Action::ManageMembers
        | Action::ManageJobs
        | Action::Administer
        | Action::ViewPackageSettings
        | Action::AdministerPackages
        | Action::ViewAuditEvents => at_least(Role::Maintainer),
        // What a job makes would outlive it; what a bot makes ends with the bot's own token.
        Action::ManageDeployTokens => at_least(Role::Maintainer) && !viewer.is_job(),
        Action::ManageAccessTokens => at_least(Role::Maintainer) && viewer.is_in_person(),
        Action::ChangeVisibility | Action::Destroy => at_least(Role::Owner),
        Action::CreateProject | Action::CreateGroup | Action::RenewToken => false,
    };
    if !allowed {
        return Err(if shut_out { Denied::JobNotLetIn } else { refuse_known(viewer) });
    }
    let scoped = match action {
        Action::ViewPackages | Action::PullPackages => viewer.reads_packages(),
        Action::PublishPackages | Action::DestroyPackages => viewer.writes_packages(),
        Action::View => viewer.reads_api() || viewer.reads_packages(),
        action if action.reads() => viewer.reads_api(),
        _ => viewer.writes_api(),
    };
    if scoped { Ok(()) } else { Err(Denied::InsufficientScope) }
}

fn decide_group(viewer: &Viewer, action: Action, facts: GroupFacts) -> Result<(), Denied> {
    let role = effective_role(viewer, facts.role);
    let covered = matches!(viewer.identity(), Identity::DeployToken { .. }) && facts.token_covers;
    let open = facts.has_open_registry && facts.instance.anyone_may_pull;
    let visible = match facts.visibility {
        Visibility::Public => true,
        Visibility::Internal => is_user(viewer) || covered,
        Visibility::Private => role.is_some() || covered,
    };
    let pulls = matches!(action, Action::ViewPackages | Action::PullPackages);
    if !(visible || open && pulls) {
        return Err(refuse_unknown(viewer));
    }
    if action.concerns_packages() {
        if !facts.instance.registry_enabled {
            return Err(Denied::InstanceRegistryDisabled);
        }
        if !facts.groups_enabled {
            return Err(Denied::GroupRegistryDisabled);
        }
    }
    let at_least = |minimum: Role| role >= Some(minimum);
    let allowed = match action {
        // Which packages a group shows is decided project by project; the group itself only has to be known.
        Action::View | Action::ViewPackages | Action::PullPackages => true,
        Action::ViewMembers => at_least(Role::Guest),
        Action::CreateProject | Action::ViewOwnAuditEvents => at_least(Role::Developer),
        Action::CreateGroup => at_least(Role::Maintainer),
        Action::ManageMembers
        | Action::Administer
        | Action::ChangeVisibility
        | Action::Destroy
        | Action::ViewPackageSettings
        | Action::AdministerPackages
        | Action::ViewAuditEvents => at_least(Role::Owner),
        Action::ManageDeployTokens => at_least(Role::Owner) && !viewer.is_job(),
        Action::ManageAccessTokens => at_least(Role::Owner) && viewer.is_in_person(),
        Action::PublishPackages | Action::DestroyPackages | Action::ManageJobs | Action::RenewToken => false,
    };
    if !allowed {
        return Err(refuse_known(viewer));
    }
    let scoped = match action {
        Action::ViewPackages | Action::PullPackages => viewer.reads_packages(),
        Action::View => viewer.reads_api() || viewer.reads_packages(),
        action if action.reads() => viewer.reads_api(),
        _ => viewer.writes_api(),
    };
    if scoped { Ok(()) } else { Err(Denied::InsufficientScope) }
}
