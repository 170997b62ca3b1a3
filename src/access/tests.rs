//! The table of the product (design decision 5), row by row, and properties that hold beside it.

use domain::{
    DeployTokenId, NamespaceId, ProjectId, ProtectionLevel, ProtectionLevels, RegistryAccessLevel, Role,
    Scope, Scopes, TrustedPublisherId, UserId, Visibility,
};

use crate::{
    Action, Denied, Facts, GroupFacts, Holder, Identity, InstanceFacts, ProjectFacts, Viewer, decide,
    decide_instance, decide_protected,
};

mod tokens;

fn user(admin: bool) -> Viewer {
    Viewer::new(Identity::User { id: UserId(7), admin }, [Scope::Api].into_iter().collect())
}

fn deploy_token(scope: Scope) -> Viewer {
    Viewer::new(
        Identity::DeployToken { id: DeployTokenId(3), holder: Holder::Project(ProjectId(1)) },
        [scope].into_iter().collect(),
    )
}

fn project(visibility: Visibility, role: Option<Role>) -> ProjectFacts {
    ProjectFacts {
        id: ProjectId(1),
        visibility,
        registry: RegistryAccessLevel::Enabled,
        role,
        token_covers: false,
        groups_enabled: true,
        instance: InstanceFacts::default(),
    }
}

fn ask(viewer: &Viewer, action: Action, facts: ProjectFacts) -> Result<(), Denied> {
    decide(viewer, action, &Facts::Project(facts))
}

/// The least standing that may: `None` = anyone, `Some(None)` = any signed-in user, `Some(Some(role))` = that role.
type Least = Option<Option<Role>>;

#[test]
fn the_table_of_the_product() {
    let reporter = Some(Some(Role::Reporter));
    let developer = Some(Some(Role::Developer));
    let maintainer = Some(Some(Role::Maintainer));
    let table: &[(Visibility, Least, Least, Least, Least)] = &[
        (Visibility::Public, None, None, developer, maintainer),
        (Visibility::Internal, Some(None), Some(None), developer, maintainer),
        (Visibility::Private, reporter, reporter, developer, maintainer),
    ];
    for &(visibility, view, pull, publish, destroy) in table {
        for (action, least) in [
            (Action::ViewPackages, view),
            (Action::PullPackages, pull),
            (Action::PublishPackages, publish),
            (Action::DestroyPackages, destroy),
        ] {
            let anonymous = ask(&Viewer::anonymous(), action, project(visibility, None));
            assert_eq!(anonymous.is_ok(), least.is_none(), "anonymous {action:?} {visibility:?}");
            if anonymous.is_err() {
                assert_eq!(anonymous, Err(Denied::Unauthenticated));
            }
            for role in std::iter::once(None).chain(Role::ALL.iter().copied().map(Some)) {
                let answer = ask(&user(false), action, project(visibility, role));
                let expected = least.is_none_or(|least| least.is_none_or(|minimum| role >= Some(minimum)));
                assert_eq!(answer.is_ok(), expected, "{role:?} {action:?} {visibility:?}");
                if !expected {
                    let hidden = visibility == Visibility::Private && role.is_none();
                    assert_eq!(answer, Err(if hidden { Denied::Hidden } else { Denied::Forbidden }));
                }
            }
            assert_eq!(ask(&user(true), action, project(visibility, None)), Ok(()), "administrator");
        }
    }
}

#[test]
fn allow_anyone_to_pull_opens_view_and_pull_and_nothing_else() {
    for visibility in Visibility::ALL {
        let mut facts = ProjectFacts { registry: RegistryAccessLevel::Public, ..project(*visibility, None) };
        assert_eq!(ask(&Viewer::anonymous(), Action::ViewPackages, facts), Ok(()));
        assert_eq!(ask(&Viewer::anonymous(), Action::PullPackages, facts), Ok(()));
        assert!(ask(&Viewer::anonymous(), Action::PublishPackages, facts).is_err());
        assert!(ask(&user(false), Action::DestroyPackages, facts).is_err());
        facts.instance.anyone_may_pull = false;
        let closed = ask(&Viewer::anonymous(), Action::PullPackages, facts);
        assert_eq!(closed.is_ok(), *visibility == Visibility::Public);
    }
}

#[test]
fn switched_off_refuses_every_package_operation_to_everybody() {
    for action in Action::ALL.iter().filter(|action| action.concerns_packages()) {
        let off = ProjectFacts {
            registry: RegistryAccessLevel::Disabled,
            ..project(Visibility::Public, Some(Role::Owner))
        };
        assert_eq!(ask(&user(true), *action, off), Err(Denied::RegistryDisabled));
        let group_off =
            ProjectFacts { groups_enabled: false, ..project(Visibility::Public, Some(Role::Owner)) };
        assert_eq!(ask(&user(true), *action, group_off), Err(Denied::GroupRegistryDisabled));
        let mut instance_off = project(Visibility::Public, Some(Role::Owner));
        instance_off.instance.registry_enabled = false;
        assert_eq!(ask(&user(true), *action, instance_off), Err(Denied::InstanceRegistryDisabled));
    }
    let off = ProjectFacts { registry: RegistryAccessLevel::Disabled, ..project(Visibility::Private, None) };
    assert_eq!(ask(&user(false), Action::PullPackages, off), Err(Denied::Hidden), "existence stays hidden");
    let open = ProjectFacts { registry: RegistryAccessLevel::Public, groups_enabled: false, ..off };
    assert_eq!(
        ask(&user(false), Action::PullPackages, open),
        Err(Denied::Hidden),
        "what is off opens nothing"
    );
}

#[test]
fn a_members_only_registry_closes_a_public_project() {
    let facts =
        |role| ProjectFacts { registry: RegistryAccessLevel::Private, ..project(Visibility::Public, role) };
    assert_eq!(ask(&Viewer::anonymous(), Action::PullPackages, facts(None)), Err(Denied::Unauthenticated));
    assert_eq!(ask(&user(false), Action::PullPackages, facts(None)), Err(Denied::Forbidden));
    assert_eq!(ask(&user(false), Action::PullPackages, facts(Some(Role::Guest))), Ok(()));
}

#[test]
fn a_deploy_token_reaches_what_it_was_made_for_and_only_as_far_as_its_scope() {
    let mut facts = project(Visibility::Private, None);
    let reader = deploy_token(Scope::ReadPackageRegistry);
    assert_eq!(ask(&reader, Action::PullPackages, facts), Err(Denied::Hidden), "another project");
    facts.token_covers = true;
    assert_eq!(ask(&reader, Action::PullPackages, facts), Ok(()));
    assert_eq!(ask(&reader, Action::PublishPackages, facts), Err(Denied::InsufficientScope));
    let writer = deploy_token(Scope::WritePackageRegistry);
    assert_eq!(ask(&writer, Action::PublishPackages, facts), Ok(()));
    assert_eq!(ask(&writer, Action::PullPackages, facts), Ok(()), "a write scope reads, as in GitLab");
    assert_eq!(ask(&writer, Action::ManageDeployTokens, facts), Err(Denied::Forbidden));
    let unrelated = deploy_token(Scope::ReadRepository);
    assert_eq!(ask(&unrelated, Action::PullPackages, facts), Err(Denied::InsufficientScope));
}

#[test]
fn a_deploy_token_of_a_group_publishes_below_it_and_deletes_nothing() {
    let facts = ProjectFacts { token_covers: true, ..project(Visibility::Private, None) };
    let scopes: Scopes = [Scope::WritePackageRegistry].into_iter().collect();
    for (holder, deletes) in
        [(Holder::Project(ProjectId(1)), Ok(())), (Holder::Group(NamespaceId(1)), Err(Denied::Forbidden))]
    {
        let token = Viewer::new(Identity::DeployToken { id: DeployTokenId(3), holder }, scopes);
        assert_eq!(ask(&token, Action::PullPackages, facts), Ok(()));
        assert_eq!(ask(&token, Action::PublishPackages, facts), Ok(()));
        assert_eq!(ask(&token, Action::DestroyPackages, facts), deletes, "{holder:?}");
    }
}

#[test]
fn the_visibility_of_a_project_is_its_owners() {
    for role in Role::ALL {
        let answer = ask(&user(false), Action::ChangeVisibility, project(Visibility::Private, Some(*role)));
        assert_eq!(answer.is_ok(), *role == Role::Owner, "{role:?}");
    }
    assert_eq!(ask(&user(true), Action::ChangeVisibility, project(Visibility::Private, None)), Ok(()));
}

#[test]
fn no_scope_but_api_changes_anything_and_narrow_scopes_only_narrow() {
    for scope in Scope::ALL {
        let narrow =
            Viewer::new(Identity::User { id: UserId(7), admin: true }, [*scope].into_iter().collect());
        let wide = Viewer::new(Identity::User { id: UserId(7), admin: true }, Scopes::all());
        for action in Action::ALL {
            let facts = project(Visibility::Private, Some(Role::Owner));
            if ask(&narrow, *action, facts).is_ok() {
                assert_eq!(ask(&wide, *action, facts), Ok(()), "{scope:?} may not exceed all scopes");
                let reads = action.reads() || matches!(action, Action::ViewPackages | Action::PullPackages);
                let publishes = matches!(action, Action::PublishPackages | Action::DestroyPackages);
                assert!(
                    reads || *scope == Scope::Api || (publishes && *scope == Scope::WritePackageRegistry),
                    "{scope:?} {action:?}"
                );
            }
            if decide_instance(&narrow, *action).is_ok() && !action.reads() {
                assert_eq!(*scope, Scope::Api);
            }
        }
    }
}

#[test]
fn who_decides_about_packages_and_who_reads_the_audit_log() {
    let group = |role| {
        Facts::Group(GroupFacts {
            id: NamespaceId(1),
            visibility: Visibility::Private,
            role,
            token_covers: false,
            has_open_registry: false,
            groups_enabled: true,
            instance: InstanceFacts::default(),
        })
    };
    let project = |role| Facts::Project(project(Visibility::Private, role));
    for (action, of_project, of_group) in [
        (Action::ViewPackageSettings, Role::Maintainer, Role::Owner),
        (Action::AdministerPackages, Role::Maintainer, Role::Owner),
        (Action::ViewAuditEvents, Role::Maintainer, Role::Owner),
        (Action::ViewOwnAuditEvents, Role::Developer, Role::Developer),
    ] {
        for role in Role::ALL {
            let may = |facts| decide(&user(false), action, &facts).is_ok();
            assert_eq!(may(project(Some(*role))), *role >= of_project, "{action:?} {role:?} of a project");
            assert_eq!(may(group(Some(*role))), *role >= of_group, "{action:?} {role:?} of a group");
        }
        let covered = ProjectFacts { token_covers: true, ..self::project(Visibility::Private, None) };
        let writer = deploy_token(Scope::WritePackageRegistry);
        assert_eq!(decide(&writer, action, &Facts::Project(covered)), Err(Denied::Forbidden), "{action:?}");
    }
}

#[test]
fn groups() {
    let facts = |visibility, role| {
        Facts::Group(GroupFacts {
            id: NamespaceId(1),
            visibility,
            role,
            token_covers: false,
            has_open_registry: false,
            groups_enabled: true,
            instance: InstanceFacts::default(),
        })
    };
    let private = Visibility::Private;
    assert_eq!(
        decide(&Viewer::anonymous(), Action::View, &facts(private, None)),
        Err(Denied::Unauthenticated)
    );
    assert_eq!(decide(&user(false), Action::View, &facts(private, None)), Err(Denied::Hidden));
    assert_eq!(decide(&user(false), Action::View, &facts(private, Some(Role::Guest))), Ok(()));
    assert_eq!(
        decide(&user(false), Action::ManageMembers, &facts(private, Some(Role::Maintainer))),
        Err(Denied::Forbidden)
    );
    assert_eq!(decide(&user(false), Action::ManageMembers, &facts(private, Some(Role::Owner))), Ok(()));
    assert_eq!(
        decide(
            &Viewer::new(
                Identity::DeployToken { id: DeployTokenId(1), holder: Holder::Group(NamespaceId(1)) },
                Scopes::all()
            ),
            Action::View,
            &facts(private, None)
        ),
        Err(Denied::Hidden)
    );
}

#[test]
fn a_rule_keeps_a_change_to_those_who_reach_its_level() {
    let rule = |push, delete| ("web*", ProtectionLevels { push, delete });
    let levels: Vec<_> = ProtectionLevel::ALL.iter().copied().map(Some).chain([None]).collect();
    for level in &levels {
        for role in Role::ALL.iter().copied().map(Some).chain([None]) {
            let facts = Facts::Project(project(Visibility::Private, role));
            let expected = level.is_none_or(|level| level.admits(role));
            for (action, rule) in [
                (Action::PublishPackages, rule(*level, Some(ProtectionLevel::Administrator))),
                (Action::DestroyPackages, rule(Some(ProtectionLevel::Administrator), *level)),
            ] {
                let answer = decide_protected(&user(false), action, &facts, [rule]);
                assert_eq!(answer.is_ok(), expected, "{role:?} {action:?} {level:?}");
                assert_eq!(decide_protected(&user(true), action, &facts, [rule]), Ok(()), "administrator");
                let token =
                    decide_protected(&deploy_token(Scope::WritePackageRegistry), action, &facts, [rule]);
                assert_eq!(token.is_ok(), level.is_none(), "a deploy token reaches no level");
                let identity =
                    Identity::TrustedPublisher { id: TrustedPublisherId(1), project: ProjectId(1) };
                let ci = decide_protected(&Viewer::new(identity, Scopes::all()), action, &facts, [rule]);
                assert_eq!(ci.is_ok(), level.is_none(), "nor does a trusted publisher");
                assert_eq!(decide_protected(&user(false), action, &facts, []), Ok(()), "no rule");
            }
            for action in Action::ALL
                .iter()
                .filter(|action| !matches!(action, Action::PublishPackages | Action::DestroyPackages))
            {
                let strict = rule(Some(ProtectionLevel::Administrator), Some(ProtectionLevel::Administrator));
                assert_eq!(decide_protected(&user(false), *action, &facts, [strict]), Ok(()), "{action:?}");
            }
        }
    }
}

#[test]
fn of_several_rules_the_strictest_is_told_and_none_weakens_another() {
    let facts = Facts::Project(project(Visibility::Private, Some(Role::Developer)));
    let rule = |pattern, level| (pattern, ProtectionLevels { push: Some(level), delete: None });
    let (mild, strict) = (rule("*", ProtectionLevel::Maintainer), rule("web", ProtectionLevel::Owner));
    let nothing = ("web", ProtectionLevels { push: None, delete: Some(ProtectionLevel::Owner) });
    for rules in [[mild, strict, nothing], [nothing, strict, mild], [strict, nothing, mild]] {
        let refused =
            decide_protected(&user(false), Action::PublishPackages, &facts, rules).expect_err("refused");
        assert_eq!((refused.pattern, refused.level), ("web", ProtectionLevel::Owner));
        assert_eq!(
            refused.explained("web").message,
            "Package protected. The protection rule 'web' covers 'web': only owners may publish it, and no deploy token"
        );
    }
}
