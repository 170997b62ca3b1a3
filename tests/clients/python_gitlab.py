"""Drives a server with python-gitlab, unmodified, the way scripts written for GitLab do.

Takes the address and an administrator's token as arguments, or as ENTREPOT_URL and ENTREPOT_TOKEN. Exits with 1 at the
first thing that is not as GitLab has it. May run against the same server again: names carry a random part.
"""

import os
import pathlib
import secrets
import sys
import tempfile

import gitlab
import gitlab.const

URL, TOKEN = sys.argv[1:3] if len(sys.argv) > 2 else (os.environ["ENTREPOT_URL"], os.environ["ENTREPOT_TOKEN"])
RUN = secrets.token_hex(4)


def refused(status, call, *args, **kwargs):
    """The call must be answered with this status."""
    try:
        call(*args, **kwargs)
    except gitlab.GitlabError as error:
        assert error.response_code == status, f"{call}: {error.response_code} instead of {status}: {error}"
        return error
    raise AssertionError(f"{call} {args} {kwargs} was not refused")


def client(token=None, **kwargs):
    return gitlab.Gitlab(URL, private_token=token, **kwargs)


root = client(TOKEN)
nobody = client()


def identity():
    root.auth()
    assert root.user.username == "root", root.user
    assert root.user.is_admin
    version, revision = root.version()
    assert version.split(".")[0].isdigit() and revision, (version, revision)
    refused(401, client("glpat-wrong").auth)
    refused(401, nobody.auth)


def users():
    user = root.users.create(
        {"username": f"ann-{RUN}", "name": "Ann", "email": f"ann-{RUN}@example.org", "reset_password": True}
    )
    assert user.id > 1 and user.state == "active", user
    refused(409, root.users.create, {"username": f"ann-{RUN}", "name": "A", "email": f"b-{RUN}@example.org", "password": "correct horse"})
    refused(400, root.users.create, {"username": f"bob-{RUN}", "name": "Bob", "password": "correct horse"})
    assert root.users.get(user.id).username == user.username
    assert [found.id for found in root.users.list(username=user.username)] == [user.id]
    assert user.id in [found.id for found in root.users.list(search=f"ann-{RUN}", get_all=True)]
    refused(404, root.users.get, 999_999_999)
    refused(401, nobody.users.list)
    return user


def personal_access_tokens(user):
    created = user.personal_access_tokens.create({"name": "script", "scopes": ["api"], "expires_at": "2099-01-31"})
    assert created.token.startswith("glpat-") and created.scopes == ["api"], created
    assert created.expires_at == "2099-01-31" and created.user_id == user.id
    ann = client(created.token)
    ann.auth()
    assert ann.user.id == user.id and not ann.user.is_admin
    own = ann.personal_access_tokens.get("self")
    assert own.id == created.id and own.active and not own.revoked
    assert created.id in [token.id for token in ann.personal_access_tokens.list(get_all=True)]
    assert created.id in [token.id for token in root.personal_access_tokens.list(user_id=user.id, get_all=True)]
    assert "token" not in ann.personal_access_tokens.get(created.id).attributes

    refused(403, ann.users.create, {"username": f"eve-{RUN}", "name": "E", "email": f"e-{RUN}@example.org", "password": "correct horse"})
    refused(403, ann.users.get(1, lazy=True).personal_access_tokens.create, {"name": "x", "scopes": ["api"]})
    refused(400, user.personal_access_tokens.create, {"name": "x", "scopes": ["everything"]})

    second = ann.http_post("/user/personal_access_tokens", post_data={"name": "narrow", "scopes": ["read_api"]})
    narrow = client(second["token"])
    assert narrow.projects.list() is not None
    refused(403, narrow.http_post, "/user/personal_access_tokens", post_data={"name": "wide", "scopes": ["api"]})
    refused(403, narrow.groups.create, {"name": "x", "path": f"x-{RUN}"})

    token = ann.personal_access_tokens.get(second["id"])
    refused(400, token.rotate, expires_at="2099-02-01")
    token.rotate(expires_at="2099-01-30")
    refused(401, narrow.auth)
    rotated = client(token.token)
    assert rotated.personal_access_tokens.get("self").expires_at == "2099-01-30"
    rotated.http_delete("/personal_access_tokens/self")
    refused(401, rotated.auth)
    refused(404, ann.personal_access_tokens.get, root.personal_access_tokens.get("self").id)
    return ann


def groups(ann):
    group = ann.groups.create({"name": "Acme", "path": f"acme-{RUN}", "visibility": "private", "description": "d"})
    assert group.full_path == f"acme-{RUN}" and group.visibility == "private" and group.parent_id is None, group
    refused(400, ann.groups.create, {"name": "Acme", "path": f"acme-{RUN}"})
    refused(400, ann.http_post, "/groups", post_data={"name": "Acme"})
    refused(400, ann.groups.create, {"name": "Acme", "path": f"x-{RUN}", "visibility": "secret"})
    refused(401, nobody.groups.create, {"name": "Acme", "path": f"y-{RUN}"})
    child = ann.groups.create({"name": "Tools", "path": "tools", "parent_id": group.id})
    assert child.full_path == f"acme-{RUN}/tools" and child.parent_id == group.id, child
    assert [found.id for found in group.subgroups.list()] == [child.id]
    assert [found.id for found in group.descendant_groups.list()] == [child.id]
    assert ann.groups.get(f"acme-{RUN}/tools").id == child.id
    assert {group.id, child.id} <= {found.id for found in ann.groups.list(owned=True, get_all=True)}
    assert child.id not in [found.id for found in ann.groups.list(top_level_only=True, get_all=True)]
    group.description = "changed"
    group.save()
    assert ann.groups.get(group.id).description == "changed"
    refused(404, nobody.groups.get, group.id)
    refused(400, ann.groups.list, order_by="colour")
    kinds = {namespace.full_path: namespace.kind for namespace in ann.namespaces.list(get_all=True)}
    assert kinds[f"acme-{RUN}"] == "group" and kinds[f"ann-{RUN}"] == "user", kinds
    assert ann.namespaces.get(f"acme-{RUN}/tools").id == child.id
    return group, child


def projects(ann, group):
    own = ann.projects.create({"name": "My App"})
    assert own.path_with_namespace == f"ann-{RUN}/my-app" and own.namespace["kind"] == "user", own
    project = ann.projects.create({"name": "Lib", "path": "lib", "namespace_id": group.id, "visibility": "private"})
    assert project.path_with_namespace == f"acme-{RUN}/lib" and project.visibility == "private", project
    assert project.namespace["id"] == group.id and project.package_registry_access_level == "enabled", project
    refused(400, ann.projects.create, {"path": "lib", "namespace_id": group.id})
    refused(400, ann.http_post, "/projects", post_data={"description": "no name"})
    assert ann.projects.get(f"acme-{RUN}/lib").id == project.id
    assert [found.id for found in group.projects.list()] == [project.id]
    mine = ann.projects.list(owned=True, order_by="id", sort="asc", get_all=True)
    assert [found.id for found in mine] == [own.id, project.id], mine
    assert [found.id for found in ann.projects.list(search="lib", membership=True)] == [project.id]
    pages = ann.projects.list(owned=True, iterator=True, per_page=1)
    assert (pages.total, pages.total_pages, pages.per_page, len(list(pages))) == (2, 2, 1, 2)
    by_cursor = ann.projects.list(owned=True, iterator=True, per_page=1, pagination="keyset", order_by="id", sort="asc")
    assert [found.id for found in by_cursor] == [own.id, project.id]
    project.description = "changed"
    project.save()
    assert ann.projects.get(project.id).description == "changed"
    refused(404, nobody.projects.get, project.id)
    refused(401, nobody.projects.create, {"name": "x"})
    refused(400, ann.projects.list, order_by="colour")
    own.delete()
    refused(404, ann.projects.get, own.id)
    return project


def members(ann, group, project):
    user = root.users.create({"username": f"bob-{RUN}", "name": "Bob", "email": f"bob-{RUN}@example.org", "password": "correct horse"})
    bob = client(user.personal_access_tokens.create({"name": "bob", "scopes": ["api"]}).token)
    refused(404, bob.projects.get, project.id)
    member = project.members.create({"user_id": user.id, "access_level": gitlab.const.AccessLevel.REPORTER})
    assert member.id == user.id and member.access_level == 20 and member.expires_at is None, member
    refused(409, project.members.create, {"user_id": user.id, "access_level": 30})
    refused(400, project.members.create, {"user_id": user.id, "access_level": 31})
    refused(404, project.members.create, {"user_id": 999_999_999, "access_level": 30})
    assert [found.id for found in project.members.list()] == [user.id]
    everybody = {found.id: found.access_level for found in project.members_all.list(get_all=True)}
    assert everybody == {user.id: 20, ann.user.id: 50}, everybody
    assert bob.projects.get(project.id).id == project.id
    refused(403, bob.projects.get(project.id).members.create, {"user_id": user.id, "access_level": 50})
    member.access_level = 30
    member.expires_at = "2099-01-31"
    member.save()
    member = project.members.get(user.id)
    assert (member.access_level, member.expires_at) == (30, "2099-01-31"), member
    member.delete()
    refused(404, project.members.get, user.id)
    refused(404, bob.projects.get, project.id)
    group.members.create({"user_id": user.id, "access_level": 20})
    assert project.members_all.get(user.id).access_level == 20
    group.members.delete(user.id)
    return bob


def packages(ann, group, project):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "tool.bin"
        path.write_bytes(b"\0\1\2" * 1000)
        for version in ("1.0.0", "1.1.0"):
            project.generic_packages.upload("tool", version, "tool.bin", str(path))
        project.generic_packages.upload("tool", "1.1.0", "notes.txt", data=b"notes")
        assert project.generic_packages.download("tool", "1.0.0", "tool.bin") == path.read_bytes()

    found = project.packages.list(get_all=True)
    assert [(package.name, package.version) for package in found] == [("tool", "1.0.0"), ("tool", "1.1.0")], found
    assert {package.package_type for package in found} == {"generic"}
    assert [package.version for package in project.packages.list(order_by="version", sort="desc")] == ["1.1.0", "1.0.0"]
    assert project.packages.list(package_type="npm") == []
    assert len(project.packages.list(package_name="oo", package_version="1.1.0")) == 1
    refused(400, project.packages.list, order_by="colour")
    refused(400, project.packages.list, package_type="colour")
    of_group = group.packages.list()
    assert {package.project_id for package in of_group} == {project.id} and len(of_group) == 2, of_group
    assert of_group[0].project_path == project.path_with_namespace
    refused(404, nobody.projects.get(project.id, lazy=True).packages.list)
    refused(401, nobody.projects.get(project.id, lazy=True).packages.delete, found[0].id)

    package = project.packages.get(found[1].id)
    assert package.version == "1.1.0" and [other["version"] for other in package.versions] == ["1.0.0"], package
    assert package.tags == [] and package.status == "default", package
    assert ann.http_get(f"/projects/{project.id}/packages/{package.id}/pipelines") == []
    files = package.package_files.list()
    assert [file.file_name for file in files] == ["tool.bin", "notes.txt"], files
    assert files[0].size == 3000 and len(files[0].file_sha256) == 64
    raw = project.manager.gitlab.http_get(
        f"/projects/{project.id}/packages/{package.id}/package_files/{files[1].id}/download", raw=True
    )
    assert raw.content == b"notes", raw.content
    package.package_files.delete(files[1].id)
    assert [file.file_name for file in package.package_files.list()] == ["tool.bin"]
    refused(404, package.package_files.delete, files[1].id)
    refused(404, project.generic_packages.download, "tool", "1.1.0", "notes.txt")
    package.delete()
    refused(404, project.packages.get, package.id)
    assert [left.version for left in project.packages.list()] == ["1.0.0"]


def deploy_tokens(ann, group, project):
    token = project.deploytokens.create(
        {"name": "ci", "scopes": ["read_package_registry"], "expires_at": "2099-01-31", "username": "robot"}
    )
    assert token.token.startswith("gldt-") and token.username == "robot" and not token.revoked, token
    automatic = group.deploytokens.create({"name": "all", "scopes": ["read_package_registry", "write_package_registry"]})
    assert automatic.username == f"gitlab+deploy-token-{automatic.id}" and automatic.expires_at is None, automatic
    refused(400, project.deploytokens.create, {"name": "x", "scopes": ["api"]})
    refused(400, project.deploytokens.create, {"name": "x", "scopes": ["everything"]})
    assert [found.id for found in project.deploytokens.list()] == [token.id]
    assert project.deploytokens.get(token.id).name == "ci"
    assert {token.id, automatic.id} <= {found.id for found in root.deploytokens.list(get_all=True)}
    refused(403, ann.deploytokens.list)

    reader = gitlab.Gitlab(URL)
    reader.headers["Deploy-Token"] = token.token
    of_reader = reader.projects.get(project.id, lazy=True)
    assert len(of_reader.generic_packages.download("tool", "1.0.0", "tool.bin")) == 3000
    refused(403, of_reader.generic_packages.upload, "tool", "2.0.0", "t", data=b"x")
    refused(403, of_reader.deploytokens.create, {"name": "x", "scopes": ["read_package_registry"]})
    refused(401, reader.auth)
    writer = gitlab.Gitlab(URL)
    writer.headers["Deploy-Token"] = automatic.token
    writer.projects.get(project.id, lazy=True).generic_packages.upload("tool", "2.0.0", "t", data=b"x")

    refused(404, group.deploytokens.delete, token.id)
    token.delete()
    refused(401, of_reader.generic_packages.download, "tool", "1.0.0", "tool.bin")
    assert project.deploytokens.list(active=True) == []
    group.deploytokens.delete(automatic.id)


def protection_rules(ann, group, project):
    """A rule keeps publishing and deleting from a deploy token and from whoever stands too low; the log tells."""
    ann.http_post(
        f"{URL}/api/graphql",
        post_data={
            "query": "mutation S($path: ID!) { updateNamespacePackageSettings(input: "
            "{ namespacePath: $path, auditEventsEnabled: true }) { errors } }",
            "variables": {"path": group.full_path},
        },
    )
    rule = project.package_protection_rules.create(
        {
            "package_name_pattern": "kept-*",
            "package_type": "generic",
            "minimum_access_level_for_push": "maintainer",
            "minimum_access_level_for_delete": "admin",
        }
    )
    assert rule.project_id == project.id and rule.package_name_pattern == "kept-*", rule
    assert rule.minimum_access_level_for_push == "maintainer" and rule.minimum_access_level_for_delete == "admin"
    refused(422, project.package_protection_rules.create, {**rule.attributes})
    refused(400, project.package_protection_rules.create, {**rule.attributes, "package_type": "floppy"})
    refused(404, nobody.projects.get(project.id, lazy=True).package_protection_rules.list)

    token = project.deploytokens.create({"name": "ci", "scopes": ["write_package_registry"]})
    robot = gitlab.Gitlab(URL)
    robot.headers["Deploy-Token"] = token.token
    of_robot = robot.projects.get(project.id, lazy=True)
    of_robot.generic_packages.upload("free-lib", "1.0.0", "lib.bin", data=b"x")
    error = refused(403, of_robot.generic_packages.upload, "kept-lib", "1.0.0", "lib.bin", data=b"x")
    assert "Package protected." in str(error) and "kept-" not in str(error), error
    project.generic_packages.upload("kept-lib", "1.0.0", "lib.bin", data=b"x")
    kept = project.packages.list(package_name="kept-lib")[0]
    error = refused(403, kept.delete)
    assert "Package is deletion protected." in str(error), error

    rule.minimum_access_level_for_delete = "owner"
    rule.save()
    assert project.package_protection_rules.list()[0].minimum_access_level_for_delete == "owner"
    kept.delete()
    refused(404, project.packages.get, kept.id)
    rule.delete()
    assert project.package_protection_rules.list() == []
    of_robot.generic_packages.upload("kept-lib", "2.0.0", "lib.bin", data=b"x")
    token.delete()

    of_group = [event.event_name for event in group.audit_events.list(get_all=True)]
    assert "package_registry_package_published" in of_group and "package_registry_package_deleted" in of_group, of_group
    of_project = [(event.event_name, event.author_name) for event in project.audit_events.list(get_all=True)]
    for name in ("created", "updated", "deleted"):
        assert (f"package_registry_protection_rule_{name}", ann.user.username) in of_project, of_project
    assert ("package_registry_write_refused", ann.user.username) in of_project, of_project


def access_tokens(ann, project, group):
    token = project.access_tokens.create(
        {"name": "bot", "scopes": ["api"], "access_level": 30, "expires_at": "2099-01-31"}
    )
    assert token.token.startswith("glpat-") and token.access_level == 30 and token.active, token
    bot = client(token.token)
    bot.auth()
    assert bot.user.username.startswith(f"project_{project.id}_bot_"), bot.user
    of_bot = bot.projects.get(project.id)
    of_bot.generic_packages.upload("of-bot", "1.0.0", "t", data=b"x")
    refused(403, bot.groups.create, {"name": "Own", "path": f"own-{RUN}"})
    refused(403, of_bot.access_tokens.create, {"name": "more", "scopes": ["api"], "expires_at": "2099-01-31"})
    refused(400, project.access_tokens.create, {"name": "x", "scopes": ["everything"]})
    assert [found.id for found in project.access_tokens.list(state="active")] == [token.id]
    assert project.access_tokens.get(token.id).user_id == bot.user.id
    rotated = project.access_tokens.rotate(token.id)
    refused(401, bot.auth)
    project.access_tokens.delete(rotated["id"])
    refused(401, client(rotated["token"]).auth)
    token = group.access_tokens.create({"name": "bot", "scopes": ["read_api"], "expires_at": "2099-01-31"})
    assert token.access_level == 40, token
    token.delete()
    assert group.access_tokens.list(state="active") == []


def job_token_scope(ann, project, group):
    other = ann.projects.create({"name": f"ci-{RUN}", "path": f"ci-{RUN}", "namespace_id": group.id})
    scope = project.job_token_scope.get()
    assert scope.inbound_enabled, scope
    scope.allowlist.create({"target_project_id": other.id})
    assert [found.id for found in scope.allowlist.list()] == [other.id]
    scope.allowlist.delete(other.id)
    assert scope.allowlist.list() == []
    package = project.packages.list()[0]
    assert package.pipelines.list() == []


def visibility(ann, bob, project, group):
    refused(404, bob.projects.get(project.id, lazy=True).packages.list)
    project.package_registry_access_level = "public"
    project.save()
    assert len(nobody.projects.get(project.id, lazy=True).packages.list()) > 0
    refused(404, nobody.projects.get, project.id)
    project.package_registry_access_level = "disabled"
    project.save()
    refused(403, project.packages.list)
    project.package_registry_access_level = "enabled"
    project.save()
    group.delete()
    refused(404, ann.groups.get, group.id)
    refused(404, ann.projects.get, project.id)


def main():
    identity()
    user = users()
    ann = personal_access_tokens(user)
    group, _ = groups(ann)
    project = projects(ann, group)
    bob = members(ann, group, project)
    packages(ann, group, project)
    deploy_tokens(ann, group, project)
    protection_rules(ann, group, project)
    access_tokens(ann, project, group)
    job_token_scope(ann, project, group)
    visibility(ann, bob, project, group)
    user.block()
    refused(401, ann.auth)
    print("python-gitlab: all as in GitLab")


main()
