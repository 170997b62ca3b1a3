//! Every mutation once: who does it, who is refused, and what is written down of it.

use serde_json::{Value, json};

use super::{
    Step, Trail,
    ci::{jobs, trusted_publishing},
};

pub(super) async fn groups_and_projects(trail: &mut Trail) {
    let people = trail.world.people.clone();
    let (owner, maintainer, outsider) = (&people.owner, &people.maintainer, &people.outsider);
    let path = trail.project.full_path.clone();
    for step in [
        Step {
            mutation: "createGroup",
            input: json!({ "parentPath": "acme", "path": "sub", "name": "Sub" }),
            selection: "",
            by: owner,
            refused: outsider,
            events: &["group_created"],
        },
        Step {
            mutation: "updateGroup",
            input: json!({ "fullPath": "acme/sub", "name": "New", "path": "new", "description": "Text",
                "packageRegistryEnabled": false }),
            selection: "",
            by: owner,
            refused: maintainer,
            events: &[
                "group_name_updated",
                "group_path_updated",
                "group_description_updated",
                "group_package_registry_enabled_updated",
            ],
        },
        Step {
            mutation: "updateNamespacePackageSettings",
            input: json!({ "namespacePath": "acme", "auditEventsEnabled": true, "genericDuplicatesAllowed": false }),
            selection: "",
            by: owner,
            refused: maintainer,
            events: &["package_registry_settings_updated"],
        },
        Step {
            mutation: "createProject",
            input: json!({ "namespacePath": "acme/new", "path": "lib" }),
            selection: "",
            by: owner,
            refused: &people.reporter,
            events: &["project_created"],
        },
        Step {
            mutation: "updateProject",
            input: json!({ "fullPath": path, "packageRegistryAccessLevel": "PUBLIC", "name": "Web" }),
            selection: "",
            by: maintainer,
            refused: &people.developer,
            events: &["project_name_updated", "project_feature_package_registry_access_level_updated"],
        },
        Step {
            mutation: "updatePackagesCleanupPolicy",
            input: json!({ "projectPath": path, "keepNDuplicatedPackageFiles": "TEN_PACKAGE_FILES" }),
            selection: "",
            by: maintainer,
            refused: &people.developer,
            events: &["package_registry_cleanup_policy_updated"],
        },
        Step {
            mutation: "updatePackageRetentionPolicy",
            input: json!({ "projectPath": path, "rules": [{ "keepLast": 5 }] }),
            selection: "",
            by: maintainer,
            refused: &people.developer,
            events: &["package_registry_retention_policy_updated"],
        },
        Step {
            mutation: "destroyProject",
            input: json!({ "fullPath": "acme/new/lib" }),
            selection: "",
            by: owner,
            refused: maintainer,
            events: &["project_destroyed"],
        },
        Step {
            mutation: "destroyGroup",
            input: json!({ "fullPath": "acme/new" }),
            selection: "",
            by: owner,
            refused: maintainer,
            events: &["group_destroyed"],
        },
    ] {
        trail.step(step).await;
    }
}

pub(super) async fn packages(trail: &mut Trail) {
    let people = trail.world.people.clone();
    let (maintainer, developer, reporter) = (&people.maintainer, &people.developer, &people.reporter);
    let scope = json!({ "projectPath": trail.project.full_path });
    let upload = json!({ "projectPath": trail.project.full_path, "packageType": "NPM", "packageName": "app",
        "packageVersion": "1.0.0", "fileName": "app-1.0.0.tgz" });
    trail.refuses("createUpload", &upload, reporter).await;
    let publication = json!({ "projectPath": trail.project.full_path, "packageType": "NPM", "name": "app",
        "version": "1.0.0", "files": [] });
    trail.refuses("publishPackage", &publication, reporter).await;
    for version in ["1.0.0", "2.0.0", "3.0.0"] {
        trail.publish(version, &["package_registry_package_published"]).await;
    }
    let named = |fields: Value| {
        let mut input = json!({ "scope": scope, "packageType": "NPM", "packageName": "app" });
        input.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        input
    };
    let (version, _) = trail.ids("1.0.0").await;
    let (_, file) = trail.ids("2.0.0").await;
    let deprecation = json!({ "packageVersion": "2.0.0", "message": "Use 3" });
    for (mutation, input, by, refused, event) in [
        (
            "setPackageTag",
            named(json!({ "tag": "next", "packageVersion": "2.0.0" })),
            developer,
            reporter,
            "package_registry_package_tag_set",
        ),
        (
            "removePackageTag",
            named(json!({ "tag": "next" })),
            maintainer,
            developer,
            "package_registry_package_tag_removed",
        ),
        (
            "setPackageDeprecations",
            named(json!({ "deprecations": [deprecation] })),
            maintainer,
            developer,
            "package_registry_package_deprecation_updated",
        ),
        (
            "setPackageFlags",
            named(json!({ "flags": [{ "packageVersion": "2.0.0", "flag": "YANKED" }] })),
            maintainer,
            developer,
            "package_registry_package_flag_updated",
        ),
        (
            "destroyPackageFile",
            json!({ "id": file }),
            maintainer,
            developer,
            "package_registry_package_file_deleted",
        ),
        (
            "destroyPackage",
            json!({ "id": version }),
            maintainer,
            developer,
            "package_registry_package_deleted",
        ),
    ] {
        trail.step(Step { mutation, input, selection: "", by, refused, events: &[event] }).await;
    }
    trail.publish("4.0.0", &["package_registry_package_published"]).await;
    let (version, file) = trail.ids("4.0.0").await;
    let files = json!({ "projectPath": trail.project.full_path, "ids": [file] });
    for (mutation, input, event) in [
        ("destroyPackageFiles", files, "package_registry_package_file_deleted"),
        ("destroyPackages", json!({ "ids": [version] }), "package_registry_package_deleted"),
    ] {
        let step =
            Step { mutation, input, selection: "", by: maintainer, refused: developer, events: &[event] };
        trail.step(step).await;
    }
    let events = &["package_registry_package_deleted", "package_registry_package_deleted"];
    let input = named(json!({}));
    let step = Step {
        mutation: "destroyPackageName",
        input,
        selection: "",
        by: maintainer,
        refused: developer,
        events,
    };
    trail.step(step).await;
}

/// Rules are written down whatever the settings say.
pub(super) async fn protection_rules(trail: &mut Trail) {
    let people = trail.world.people.clone();
    let (maintainer, developer) = (&people.maintainer, &people.developer);
    let rule = json!({ "projectPath": trail.project.full_path, "packageType": "NPM", "packageNamePattern": "kept*",
        "minimumAccessLevelForPush": "OWNER" });
    let created = trail
        .step(Step {
            mutation: "createPackagesProtectionRule",
            input: rule,
            selection: "packageProtectionRule { id }",
            by: maintainer,
            refused: developer,
            events: &["package_registry_protection_rule_created"],
        })
        .await;
    let id = &created["packageProtectionRule"]["id"];
    for (mutation, input, event) in [
        (
            "updatePackagesProtectionRule",
            json!({ "id": id, "minimumAccessLevelForDelete": "OWNER" }),
            "package_registry_protection_rule_updated",
        ),
        ("deletePackagesProtectionRule", json!({ "id": id }), "package_registry_protection_rule_deleted"),
    ] {
        let step =
            Step { mutation, input, selection: "", by: maintainer, refused: developer, events: &[event] };
        trail.step(step).await;
    }
}

pub(super) async fn accounts(trail: &mut Trail) {
    let people = trail.world.people.clone();
    let (owner, administrator, reader) = (&people.owner, &people.administrator, &people.api_reader);
    let path = trail.project.full_path.clone();
    let member = json!({ "projectPath": path, "username": "outsider", "accessLevel": "REPORTER" });
    let user = people.outsider.user().expect("a user");
    let of_member = json!({ "projectPath": path, "userId": format!("gid://gitlab/User/{user}") });
    let mut change = of_member.clone();
    change["accessLevel"] = "DEVELOPER".into();
    for (mutation, input, event) in [
        ("addMember", member, "member_created"),
        ("updateMember", change, "member_updated"),
        ("removeMember", of_member, "member_destroyed"),
    ] {
        trail
            .step(Step {
                mutation,
                input,
                selection: "",
                by: owner,
                refused: &people.developer,
                events: &[event],
            })
            .await;
    }
    let created = trail
        .step(Step {
            mutation: "createDeployToken",
            input: json!({ "projectPath": path, "name": "ci", "scopes": ["read_package_registry"] }),
            selection: "deployToken { id }",
            by: owner,
            refused: &people.developer,
            events: &["deploy_token_created"],
        })
        .await;
    trail
        .step(Step {
            mutation: "revokeDeployToken",
            input: json!({ "id": created["deployToken"]["id"] }),
            selection: "",
            by: owner,
            refused: &people.developer,
            events: &["deploy_token_revoked"],
        })
        .await;
    resource_tokens(trail).await;
    jobs(trail).await;
    trusted_publishing(trail).await;
    let created = trail
        .step(Step {
            mutation: "createPersonalAccessToken",
            input: json!({ "name": "script", "scopes": ["read_api"] }),
            selection: "personalAccessToken { id }",
            by: owner,
            refused: reader,
            events: &["personal_access_token_created"],
        })
        .await;
    let rotated = trail
        .step(Step {
            mutation: "rotatePersonalAccessToken",
            input: json!({ "id": created["personalAccessToken"]["id"] }),
            selection: "personalAccessToken { id }",
            by: owner,
            refused: &people.developer,
            events: &["personal_access_token_rotated"],
        })
        .await;
    trail
        .step(Step {
            mutation: "revokePersonalAccessToken",
            input: json!({ "id": rotated["personalAccessToken"]["id"] }),
            selection: "",
            by: owner,
            refused: &people.developer,
            events: &["personal_access_token_revoked"],
        })
        .await;
    let user = format!("gid://gitlab/User/{user}");
    for (mutation, input, event) in [
        ("createUser", json!({ "username": "newcomer", "name": "New" }), "user_created"),
        ("setUserBlocked", json!({ "id": user, "blocked": true }), "user_blocked"),
        ("setUserBlocked", json!({ "id": user, "blocked": false }), "unblock_user"),
        ("updateInstanceLimits", json!({ "graphql": { "depth": 19 } }), "application_setting_updated"),
        ("updateInstanceSettings", json!({ "packageRegistryEnabled": false }), "application_setting_updated"),
    ] {
        trail
            .step(Step {
                mutation,
                input,
                selection: "",
                by: administrator,
                refused: owner,
                events: &[event],
            })
            .await;
    }
}

async fn resource_tokens(trail: &mut Trail) {
    let people = trail.world.people.clone();
    let (owner, maintainer, developer) = (&people.owner, &people.maintainer, &people.developer);
    let path = trail.project.full_path.clone();
    for (place, kind, by, refused) in
        [("projectPath", "project", maintainer, developer), ("groupPath", "group", owner, maintainer)]
    {
        let holder = if kind == "project" { path.clone() } else { "acme".to_owned() };
        let mut input = json!({ "name": "bot", "scopes": ["api"], "accessLevel": "DEVELOPER" });
        input[place] = holder.into();
        let events: [&str; 3] = if kind == "project" {
            ["project_access_token_created", "project_access_token_rotated", "project_access_token_deleted"]
        } else {
            ["group_access_token_created", "group_access_token_rotated", "group_access_token_deleted"]
        };
        let mut id = Value::Null;
        for (mutation, event) in
            ["createAccessToken", "rotateAccessToken", "revokeAccessToken"].into_iter().zip(events)
        {
            if !id.is_null() {
                input = json!({ "id": id });
            }
            let selection = "accessToken { id }";
            let input = input.clone();
            let done = trail.step(Step { mutation, input, selection, by, refused, events: &[event] }).await;
            id = done["accessToken"]["id"].clone();
        }
    }
}
