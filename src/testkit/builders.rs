//! Groups, projects and tokens in one line each.

use access::{Holder, Identity, Via, Viewer};
use domain::{NamespaceId, ProjectId, RegistryAccessLevel, Role, Scope, Scopes, TokenLimits, Visibility};
use store::{
    deploy_tokens::{self, NewDeployToken},
    groups::{self, NewGroup},
    instance_settings::{self, InstanceSettingsChange},
    members::{self, Membership, NewMember, Place},
    pipelines::{self, NewJob, NewPipeline, Run},
    projects::{self, NewProject, ProjectChange},
    resource_tokens::{self, NewResourceToken},
    trusted_publishers::{self, Exchange, NewTrustedPublisher},
};
use time::Duration;

use crate::{Person, World, world::EXTERNAL_URL};

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its id.
    pub id: NamespaceId,
    /// Its full path.
    pub full_path: String,
    /// Who may know it.
    pub visibility: Visibility,
}

/// A project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its full path.
    pub full_path: String,
    /// Who may know it.
    pub visibility: Visibility,
    /// Who may use its registry.
    pub registry: RegistryAccessLevel,
}

/// The scopes of tokens that CI is given.
const PACKAGES: [Scope; 2] = [Scope::ReadPackageRegistry, Scope::WritePackageRegistry];

/// Whoever arranges a world may grant everything.
const STAGEHAND: members::Caller = members::Caller { user_id: None, role: Role::Owner };

impl World {
    /// A top-level group with the whole cast as members.
    pub async fn group(&self, path: &str, visibility: Visibility) -> Group {
        let group = self.empty_group(None, path, visibility).await;
        for person in self.people.members() {
            let role = person.role.expect("members have a role");
            self.add_member(Place::Group(group.id), person, role).await;
        }
        group
    }

    /// A top-level group without members.
    pub async fn deserted_group(&self, path: &str, visibility: Visibility) -> Group {
        self.empty_group(None, path, visibility).await
    }

    /// A group below another, whose members it inherits.
    pub async fn subgroup(&self, parent: &Group, path: &str, visibility: Visibility) -> Group {
        self.empty_group(Some(parent.id), path, visibility).await
    }

    async fn empty_group(&self, parent: Option<NamespaceId>, path: &str, visibility: Visibility) -> Group {
        let new = NewGroup {
            parent_id: parent,
            path: path.to_owned(),
            name: path.to_owned(),
            description: String::new(),
            visibility,
            creator_id: None,
        };
        let group = groups::create(&self.store, new, self.now()).await.expect("a group");
        Group { id: group.id, full_path: group.full_path, visibility }
    }

    /// A project whose registry goes with its visibility.
    pub async fn project(&self, group: &Group, path: &str, visibility: Visibility) -> Project {
        let new = NewProject {
            namespace_id: group.id,
            path: path.to_owned(),
            name: path.to_owned(),
            description: String::new(),
            visibility,
            registry_access_level: RegistryAccessLevel::Enabled,
            creator_id: None,
        };
        let project = projects::create(&self.store, new, self.now()).await.expect("a project");
        Project {
            id: project.id,
            full_path: project.full_path,
            visibility,
            registry: RegistryAccessLevel::Enabled,
        }
    }

    /// Changes who may use the registry of `project`.
    pub async fn set_registry(&self, project: &mut Project, level: RegistryAccessLevel) {
        let change = ProjectChange { registry_access_level: Some(level), ..ProjectChange::default() };
        projects::update(&self.store, project.id, change, self.now()).await.expect("a change");
        project.registry = level;
    }

    /// Makes `person` a member of a project.
    pub async fn join(&self, project: &Project, person: &Person, role: Role) {
        self.add_member(Place::Project(project.id), person, role).await;
    }

    async fn add_member(&self, place: Place, person: &Person, role: Role) {
        let user_id = person.user().expect("a user");
        let new = NewMember { membership: Membership { place, user_id }, role, expires_at: None };
        members::add(&self.store, new, STAGEHAND, self.now()).await.expect("a member");
    }

    /// A deploy token of a project.
    pub async fn deploy_token(&self, project: &Project, scope: Scope) -> Person {
        self.new_deploy_token(Holder::Project(project.id), scope).await
    }

    /// A deploy token of a group.
    pub async fn group_deploy_token(&self, group: &Group, scope: Scope) -> Person {
        self.new_deploy_token(Holder::Group(group.id), scope).await
    }

    async fn new_deploy_token(&self, holder: Holder, scope: Scope) -> Person {
        let scopes: Scopes = [scope].into_iter().collect();
        let new = NewDeployToken {
            holder,
            name: scope.name().to_owned(),
            username: None,
            scopes,
            limits: TokenLimits::none(),
            expires_at: None,
            creator_id: None,
        };
        let (token, secret) = deploy_tokens::create(&self.store, new, self.now()).await.expect("a token");
        let viewer = Viewer::new(Identity::DeployToken { id: token.id, holder }, scopes);
        Person::new(token.username, None, viewer, &secret)
    }

    /// The bot of an access token of a project, with the scope `api`.
    pub async fn project_bot(&self, project: &Project, role: Role) -> Person {
        self.bot_of(Holder::Project(project.id), role).await
    }

    /// The bot of an access token of a group, with the scope `api`.
    pub async fn group_bot(&self, group: &Group, role: Role) -> Person {
        self.bot_of(Holder::Group(group.id), role).await
    }

    async fn bot_of(&self, holder: Holder, role: Role) -> Person {
        let scopes: Scopes = [Scope::Api].into_iter().collect();
        let new = NewResourceToken {
            holder,
            name: "bot".to_owned(),
            description: String::new(),
            scopes,
            limits: TokenLimits::none(),
            expires_at: None,
            role,
        };
        let made = resource_tokens::create(&self.store, new, STAGEHAND, self.now()).await;
        let (token, secret) = made.expect("a token");
        let identity = Identity::User { id: token.token.user_id, admin: false };
        let viewer = Viewer::new(identity, scopes).by_way_of(Via::Bot);
        Person::new("bot".to_owned(), Some(role), viewer, &secret)
    }

    /// A CI job of a project in the name of `person`.
    pub async fn job(&self, project: &Project, person: &Person) -> Person {
        let user_id = person.user().expect("a user");
        let pipeline = NewPipeline {
            project: project.id,
            reference: "main".to_owned(),
            sha: "0".repeat(40),
            source: "push".to_owned(),
            web_url: None,
        };
        let new =
            NewJob { run: Run::New(pipeline), name: "job".to_owned(), user_id, timeout: Duration::HOUR };
        let (_, _, secret) = pipelines::create(&self.store, new, self.now()).await.expect("a job");
        let identity = Identity::User { id: user_id, admin: false };
        let viewer = Viewer::new(identity, PACKAGES.into_iter().collect())
            .by_way_of(Via::Job(vec![project.id].into()));
        Person::new("job".to_owned(), person.role, viewer, &secret)
    }

    /// CI that a project trusts, with a token that it got for an ID token.
    pub async fn trusted_publisher(&self, project: &Project) -> Person {
        let new = NewTrustedPublisher {
            project_id: project.id,
            issuer: "https://ci.test".to_owned(),
            audience: EXTERNAL_URL.to_owned(),
            claims: [("sub".to_owned(), "job".to_owned())].into(),
            limits: TokenLimits::none(),
            creator_id: None,
        };
        let publisher = trusted_publishers::create(&self.store, new, self.now()).await.expect("a publisher");
        // No two publishers have one id, and so no two ID tokens one name.
        let mut fingerprint = [0; 32];
        fingerprint[..8].copy_from_slice(&publisher.id.0.to_be_bytes());
        let exchange = Exchange {
            publisher: publisher.id,
            fingerprint,
            dead_after: self.now(),
            subject: "job".to_owned(),
        };
        let exchanged = trusted_publishers::exchange(&self.store, exchange, self.now()).await;
        let (secret, _) = exchanged.expect("a token");
        let identity = Identity::TrustedPublisher { id: publisher.id, project: project.id };
        let viewer = Viewer::new(identity, PACKAGES.into_iter().collect());
        Person::new(publisher.name(), None, viewer, &secret)
    }

    /// Switches the package registry of the instance on or off.
    pub async fn switch_registry(&self, enabled: bool) {
        self.switch(InstanceSettingsChange {
            package_registry_enabled: Some(enabled),
            ..InstanceSettingsChange::default()
        })
        .await;
    }

    /// Lets projects open their registry to everyone, or takes that back.
    pub async fn switch_anyone_may_pull(&self, allowed: bool) {
        self.switch(InstanceSettingsChange {
            package_registry_allow_anyone_to_pull_option: Some(allowed),
            ..InstanceSettingsChange::default()
        })
        .await;
    }

    async fn switch(&self, change: InstanceSettingsChange) {
        instance_settings::update(&self.store, change, self.now()).await.expect("a change of settings");
    }
}
