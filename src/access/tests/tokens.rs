//! What tokens reach that are no user's alone: limited ones, and those of bots, jobs and trusted publishers.

use domain::{
    PackageFormat, ProjectId, Role, Scopes, TokenLimit, TokenLimits, TrustedPublisherId, Visibility,
};

use super::{ask, project, user};
use crate::{
    Action, Denied, Facts, Guarded, Identity, Packages, ProjectFacts, Via, Viewer, decide_about,
    decide_instance,
};

fn limits(format: PackageFormat, pattern: Option<&str>) -> TokenLimits {
    let limit = TokenLimit { format: Some(format), name_pattern: pattern.map(str::to_owned) };
    TokenLimits::new(vec![limit]).expect("limits")
}

#[test]
fn a_limited_token_reaches_what_is_said_to_be_within_and_nothing_that_is_not_said() {
    let facts = Facts::Project(project(Visibility::Private, Some(Role::Owner)));
    let by_name = user(false).limited_to(limits(PackageFormat::Npm, Some("@acme/*")));
    let by_format = user(false).limited_to(limits(PackageFormat::Npm, None));
    let named = |format, name: &'static str| Packages::Named(format, name.into());
    for action in
        [Action::ViewPackages, Action::PullPackages, Action::PublishPackages, Action::DestroyPackages]
    {
        for (packages, of_name, of_format) in [
            (Packages::All, false, false),
            (Packages::Any, true, true),
            (Packages::AllOf(PackageFormat::Npm), false, true),
            (Packages::AllOf(PackageFormat::Pypi), false, false),
            (Packages::AnyOf(PackageFormat::Npm), true, true),
            (Packages::AnyOf(PackageFormat::Pypi), false, false),
            (named(PackageFormat::Npm, "@acme/web"), true, true),
            (named(PackageFormat::Npm, "left-pad"), false, true),
            (named(PackageFormat::Pypi, "@acme/web"), false, false),
        ] {
            for (viewer, within) in [(&by_name, of_name), (&by_format, of_format), (&user(false), true)] {
                let expected = if within { Ok(()) } else { Err(Denied::OutsideLimits) };
                assert_eq!(
                    decide_about(viewer, action, &facts, &packages),
                    expected,
                    "{action:?} {packages:?}"
                );
            }
        }
        // Whoever forgets to say what packages it is about lets no limited token through.
        assert_eq!(Guarded::new((), facts).authorize(&by_format, action), Err(Denied::OutsideLimits));
    }
    for action in Action::ALL.iter().filter(|action| !action.concerns_packages() && !action.reads()) {
        let answer = decide_about(&by_name, *action, &facts, &Packages::Any);
        assert!(answer.is_err(), "{action:?} could lead to a token without limits");
        assert!(decide_instance(&by_name, *action).is_err(), "{action:?}");
    }
    for action in [Action::ViewOwnAuditEvents, Action::ViewAuditEvents] {
        let answer = decide_about(&by_format, action, &facts, &Packages::All);
        assert_eq!(answer, Err(Denied::OutsideLimits), "the log names packages of all kinds");
    }
    assert_eq!(ask(&by_name, Action::View, project(Visibility::Private, Some(Role::Guest))), Ok(()));
    let stranger = Facts::Project(project(Visibility::Private, None));
    let answer = decide_about(&by_name, Action::PullPackages, &stranger, &Packages::All);
    assert_eq!(answer, Err(Denied::Hidden), "what is hidden stays so");
    let told = Denied::OutsideLimits.into_failure(&by_name, domain::Subject::Package).message;
    assert_eq!(told, "The token is limited to npm packages named '@acme/*'");
}

#[test]
fn a_bot_makes_no_groups_and_no_tokens_but_those_for_deployments() {
    let bot = user(false).by_way_of(Via::Bot);
    assert_eq!(decide_instance(&bot, Action::View), Ok(()));
    assert_eq!(decide_instance(&bot, Action::CreateGroup), Err(Denied::Forbidden));
    assert_eq!(decide_instance(&bot, Action::RenewToken), Ok(()));
    let owned = project(Visibility::Private, Some(Role::Owner));
    let job = user(false).by_way_of(Via::Job(vec![ProjectId(1)].into()));
    for (action, by_bot) in
        [(Action::ManageAccessTokens, Err(Denied::Forbidden)), (Action::ManageDeployTokens, Ok(()))]
    {
        assert_eq!(ask(&bot, action, owned), by_bot, "{action:?}");
        assert_eq!(ask(&job, action, owned), Err(Denied::Forbidden), "{action:?}");
        assert_eq!(decide_instance(&job, Action::RenewToken), Err(Denied::Forbidden));
        assert_eq!(ask(&user(false), action, owned), Ok(()), "{action:?}");
    }
    assert_eq!(ask(&bot, Action::PublishPackages, owned), Ok(()));
}

#[test]
fn a_job_has_its_users_role_in_the_projects_within_reach_only() {
    let inside = user(false).by_way_of(Via::Job(vec![ProjectId(1)].into()));
    let outside = user(false).by_way_of(Via::Job(vec![ProjectId(2)].into()));
    for visibility in Visibility::ALL {
        for role in std::iter::once(None).chain(Role::ALL.iter().copied().map(Some)) {
            for action in
                [Action::ViewPackages, Action::PullPackages, Action::PublishPackages, Action::DestroyPackages]
            {
                let facts = project(*visibility, role);
                assert_eq!(
                    ask(&inside, action, facts),
                    ask(&user(false), action, facts),
                    "{role:?} {action:?}"
                );
                // Elsewhere it is as good as a stranger, who is told what to do where the user is none.
                let stranger = ask(&user(false), action, project(*visibility, None));
                let expected = stranger.map_err(|denied| role.map_or(denied, |_| Denied::JobNotLetIn));
                assert_eq!(ask(&outside, action, facts), expected, "{visibility:?} {role:?} {action:?}");
            }
        }
    }
    let owned = project(Visibility::Private, Some(Role::Owner));
    assert!(ask(&inside, Action::ManageAccessTokens, owned).is_err());
    assert!(decide_instance(&inside, Action::CreateGroup).is_err());
}

#[test]
fn a_trusted_publisher_publishes_to_its_project_and_deletes_nothing() {
    let identity = Identity::TrustedPublisher { id: TrustedPublisherId(1), project: ProjectId(1) };
    let publisher = Viewer::new(identity, Scopes::all());
    for visibility in Visibility::ALL {
        let here = project(*visibility, None);
        let there = ProjectFacts { id: ProjectId(2), ..here };
        for action in Action::ALL {
            let allowed = matches!(action, Action::View | Action::ViewPackages | Action::PullPackages);
            let allowed = allowed || *action == Action::PublishPackages;
            assert_eq!(ask(&publisher, *action, here).is_ok(), allowed, "{action:?} {visibility:?}");
            let open = allowed && *action != Action::PublishPackages && *visibility == Visibility::Public;
            assert_eq!(ask(&publisher, *action, there).is_ok(), open, "{action:?} {visibility:?} elsewhere");
            assert!(decide_instance(&publisher, *action).is_err());
        }
    }
}
