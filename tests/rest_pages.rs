//! Pages of GitLab's REST API: by number, with totals, and by cursor, each page naming the next.

use domain::Visibility;
use serde_json::{Value, json};
use testkit::{Client, Person, World};
use time::{Duration, format_description::well_known::Rfc2822};

use crate::world::{accepted, world};

/// Follows the links of a list from its first page, and gives the values of `key` in its order.
async fn followed(client: &Client, person: &Person, path: &str, key: &str) -> Vec<Value> {
    let (mut values, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let answer = client.get(&path).by(person).send().await.expect(200);
        assert_eq!(answer.header("x-total"), "", "a page without a number tells no totals");
        let page = answer.json();
        let rows = page.as_array().expect("a list");
        assert!(rows.len() <= 2, "{path}");
        values.extend(rows.iter().map(|row| row[key].clone()));
        assert!(values.len() < 50, "the links lead in a circle: {values:?}");
        let link = answer.header("link").to_owned();
        assert!(!link.contains("private_token"), "{link}");
        next = link
            .strip_prefix("<http://registry.test")
            .and_then(|link| Some(link.strip_suffix(">; rel=\"next\"")?.to_owned()));
        assert_eq!(next.is_none(), link.is_empty(), "{link}");
    }
    values
}

async fn furnished() -> (World, Client, i64, i64) {
    let (world, client) = world().await;
    let group = world.group("acme", Visibility::Private).await;
    let mut first = None;
    for path in ["a", "b", "c", "d", "e"] {
        let project = world.project(&group, path, Visibility::Private).await;
        world.subgroup(&group, &format!("sub-{path}"), Visibility::Private).await;
        first.get_or_insert(project.id.0);
    }
    let project = first.expect("a project");
    let owner = &world.people.owner;
    for name in ["one", "two", "three", "four", "five"] {
        let path = format!("/api/v4/projects/{project}/packages/generic/{name}/1.0.0/{name}.bin");
        client.put(path).body(name).by(owner).send().await.expect(201);
        let path = format!("/api/v4/projects/{project}/packages/generic/big/1.0.0/{name}.bin");
        client.put(path).body(name).by(owner).send().await.expect(201);
    }
    (world, client, group.id.0, project)
}

#[tokio::test]
async fn every_list_can_be_followed_by_its_cursors() {
    let (world, client, group, project) = furnished().await;
    let owner = &world.people.owner;
    let packages = client.get(format!("/api/v4/projects/{project}/packages?package_name=big")).by(owner);
    let big = packages.send().await.expect(200).json()[0]["id"].clone();
    let paths = ["a", "b", "c", "d", "e"];
    let subgroups = ["sub-a", "sub-b", "sub-c", "sub-d", "sub-e"];
    let names = ["big", "five", "four", "one", "three", "two"];
    let files = ["five.bin", "four.bin", "one.bin", "three.bin", "two.bin"];
    for (list, order, key, expected) in [
        ("/projects?membership=true".to_owned(), "path", "path", &paths[..]),
        (format!("/groups/{group}/projects?x=1"), "path", "path", &paths),
        (format!("/groups/{group}/subgroups?x=1"), "path", "path", &subgroups),
        ("/groups?search=sub-".to_owned(), "path", "path", &subgroups),
        (format!("/projects/{project}/packages?x=1"), "name", "name", &names),
        (format!("/groups/{group}/packages?x=1"), "name", "name", &names),
        (format!("/projects/{project}/packages/{big}/package_files?x=1"), "file_name", "file_name", &files),
    ] {
        for sort in ["asc", "desc"] {
            let query = format!("&pagination=keyset&per_page=2&order_by={order}&sort={sort}");
            let seen = followed(&client, owner, &format!("/api/v4{list}{query}"), key).await;
            let mut expected: Vec<_> = expected.iter().map(|name| Value::from(*name)).collect();
            if sort == "desc" {
                expected.reverse();
            }
            assert_eq!(seen, expected, "{list} {sort}");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_order_only() {
    let (world, client, _, project) = furnished().await;
    let owner = &world.people.owner;
    let list = format!("/api/v4/projects/{project}/packages?pagination=keyset&per_page=2");
    let answer = client.get(format!("{list}&order_by=name&sort=asc")).by(owner).send().await.expect(200);
    let link = answer.header("link").to_owned();
    let (_, cursor) = link.split_once("cursor=").expect("a cursor");
    let cursor = cursor.split(['>', '&']).next().expect("its text");
    client.get(format!("{list}&order_by=name&sort=asc&cursor={cursor}")).by(owner).send().await.expect(200);
    for refused in [format!("order_by=version&sort=asc&cursor={cursor}"), "cursor=nonsense".to_owned()] {
        let told = client.get(format!("{list}&{refused}")).by(owner).send().await.expect(400).json();
        assert!(told["error"].as_str().is_some_and(|text| text.contains("ursor")), "{told}");
    }
    // A number still counts where nobody asked for a cursor.
    let list = format!("/api/v4/projects/{project}/packages?per_page=4&page=2");
    let answer = client.get(list).by(owner).send().await.expect(200);
    assert_eq!((answer.header("x-total"), answer.header("x-page")), ("6", "2"));
    assert_eq!(answer.json().as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn pipelines_come_in_pages_of_twenty_at_most() {
    let (world, client, _, project) = furnished().await;
    let owner = &world.people.owner;
    let list =
        client.get(format!("/api/v4/projects/{project}/packages")).by(owner).send().await.expect(200).json();
    let pipelines = format!("/api/v4/projects/{project}/packages/{}/pipelines", list[0]["id"]);
    for (query, status) in
        [("", 200), ("?per_page=1", 200), ("?per_page=20", 200), ("?per_page=21", 400), ("?per_page=0", 400)]
    {
        client.get(format!("{pipelines}{query}")).by(owner).send().await.expect(status);
    }
}

/// Of GitLab's lists of people, that of all users goes on by cursor; members and tokens are numbered only.
#[tokio::test]
async fn users_can_be_followed_by_cursors() {
    let (world, client, ..) = furnished().await;
    let administrator = &world.people.administrator;
    let all = client.get("/api/v4/users?per_page=100").by(administrator).send().await.expect(200).json();
    let names: Vec<_> = all.as_array().expect("a list").iter().map(|user| user["username"].clone()).collect();
    assert!(names.len() > 4, "{names:?}");
    let path = "/api/v4/users?pagination=keyset&per_page=2&order_by=id";
    assert_eq!(followed(&client, administrator, path, "username").await, names);
}

/// GitLab's `destroy_conditionally!`: of each kind of thing, what was changed since it was read is not deleted.
#[tokio::test]
async fn what_was_changed_since_it_was_read_is_not_deleted() {
    const RULE: &str = "mutation C($input: CreatePackagesProtectionRuleInput!) { \
        createPackagesProtectionRule(input: $input) { errors packageProtectionRule { id } } }";
    let (world, client, group, project) = furnished().await;
    let owner = &world.people.owner;
    let number =
        |id: &Value| id.as_str().and_then(|id| id.rsplit('/').next()).expect("a global id").to_owned();
    let packages = format!("/api/v4/projects/{project}/packages");
    let list = client.get(&packages).by(owner).send().await.expect(200).json();
    let package = format!("{packages}/{}", list[0]["id"]);
    let file = format!("{packages}/{}/package_files", list[1]["id"]);
    let files = client.get(&file).by(owner).send().await.expect(200).json();
    let file = format!("{file}/{}", files[0]["id"]);
    let mut rules = Vec::new();
    for place in [json!({ "projectPath": "acme/a" }), json!({ "namespacePath": "acme" })] {
        let mut input = place;
        input["packageType"] = "GENERIC".into();
        input["packageNamePattern"] = "unused".into();
        input["minimumAccessLevelForPush"] = "OWNER".into();
        let made = accepted(&world, owner, RULE, input).await;
        rules.push(number(&made["packageProtectionRule"]["id"]));
    }
    let member = world.people.guest.user().expect("a user");
    let in_project = json!({ "user_id": member.0, "access_level": 20 });
    let members = format!("/api/v4/projects/{project}/members");
    client.post(&members).json(&in_project).by(owner).send().await.expect(201);
    for path in [
        package,
        file,
        format!("{packages}/protection/rules/{}", rules[0]),
        format!("/api/v4/groups/{group}/packages/protection/rules/{}", rules[1]),
        format!("{members}/{}", member.0),
        format!("/api/v4/groups/{group}/members/{}", member.0),
        format!("/api/v4/projects/{project}"),
        "/api/v4/groups/acme%2Fsub-a".to_owned(),
    ] {
        let delete = |since: &str| client.delete(&path).by(owner).header("if-unmodified-since", since).send();
        let told = delete("Wed, 21 Oct 2015 07:28:00 GMT").await.expect(412).json();
        let words = told["message"].as_str().unwrap_or_default();
        assert!(words.starts_with("412 Precondition Failed"), "{path}: {told}");
        let deleted = delete("Fri, 21 Oct 2095 07:28:00 GMT").await;
        assert!(deleted.status.is_success(), "{}: {}", deleted.described, deleted.text());
        delete("Fri, 21 Oct 2095 07:28:00 GMT").await.expect(404);
    }
}

/// A membership is as old as its last change.
#[tokio::test]
async fn a_member_who_was_promoted_since_is_not_removed() {
    let (world, client, group, _) = furnished().await;
    let owner = &world.people.owner;
    let path = format!("/api/v4/groups/{group}/members/{}", world.people.guest.user().expect("a user").0);
    let read_at = world.now() + Duration::MINUTE;
    world.clock.advance(Duration::HOUR);
    client.put(&path).json(&json!({ "access_level": 40 })).by(owner).send().await.expect(200);
    let since = read_at.format(&Rfc2822).expect("a date").replace("+0000", "GMT");
    client.delete(&path).by(owner).header("if-unmodified-since", since).send().await.expect(412);
    client.get(&path).by(owner).send().await.expect(200);
}
