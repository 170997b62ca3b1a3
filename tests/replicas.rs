//! Two servers on one database and one storage: what one has acknowledged stands in the other's next answer, whatever that one
//! had kept of its own answers.

use serde_json::{Value, json};
use testkit::artefacts::{npm::Version, pypi};

use crate::{
    clients::{Registry, say},
    server::{ROOT_TOKEN, Response, Server, Setup, has_s3},
};

const TOKEN: (&str, &str) = ("PRIVATE-TOKEN", ROOT_TOKEN);

/// Two servers. SQLite has one, so that this needs PostgreSQL; bytes are in a bucket where there is one.
struct Replicas {
    registry: Registry,
    other: Server,
}

impl Replicas {
    fn start() -> Option<Self> {
        if std::env::var_os("ENTREPOT_TEST_POSTGRES_URL").is_none() {
            say("skipped: ENTREPOT_TEST_POSTGRES_URL names no server");
            return None;
        }
        if !has_s3() {
            say("skipped: ENTREPOT_TEST_S3_ENDPOINT names no server");
            return None;
        }
        let registry = Registry::new(Setup { postgres: true, s3: true, ..Setup::default() });
        let other = registry.server.replica();
        Some(Self { registry, other })
    }

    /// Each as the one that is written to, with the other as the one that is read.
    fn both_ways(&self) -> [(&'static str, &Server, &Server); 2] {
        [("there", &self.registry.server, &self.other), ("back", &self.other, &self.registry.server)]
    }

    /// Where a format's documents begin, in the project and in its group.
    fn roots(&self, format: &str) -> [String; 2] {
        [
            format!("{}/{format}", self.registry.project_packages()),
            format!("/api/v4/groups/{}/-/packages/{format}", self.registry.group),
        ]
    }

    /// Number of a package, as this server lists it.
    fn id(&self, server: &Server, format: &str, name: &str, version: &str) -> Value {
        let path = format!("{}?package_type={format}&per_page=100", self.registry.project_packages());
        let rows: Vec<Value> = parsed(&server.request("GET", &path, &[TOKEN], b""));
        let found = rows.iter().find(|row| row["name"] == name && row["version"] == version);
        found.unwrap_or_else(|| panic!("{name} {version} is not among {rows:?}"))["id"].clone()
    }

    fn destroy(&self, server: &Server, id: &Value) {
        let path = format!("{}/{id}", self.registry.project_packages());
        assert_eq!(server.request("DELETE", &path, &[TOKEN], b"").status, 204);
    }
}

fn parsed<T: serde::de::DeserializeOwned>(response: &Response) -> T {
    serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{error}: {}", response.text()))
}

/// A format with an index document of every name.
struct Indexed {
    format: &'static str,
    name: fn(&str) -> String,
    document: fn(&str) -> String,
    accept: &'static str,
    publish: fn(&Server, &str, &str, &str) -> Response,
    versions: fn(&Response) -> Vec<String>,
}

const NPM: Indexed = Indexed {
    format: "npm",
    name: |way| format!("@acme/{way}"),
    document: |name| format!("/{}", name.replace('/', "%2f")),
    accept: "application/json",
    publish: |server, root, name, version| {
        let document = Version::new(name, version).document().to_string();
        let path = format!("{root}/{}", name.replace('/', "%2f"));
        server.request("PUT", &path, &[TOKEN, ("Content-Type", "application/json")], document.as_bytes())
    },
    versions: |response| {
        let packument: Value = parsed(response);
        packument["versions"].as_object().expect("versions").keys().cloned().collect()
    },
};

const PYPI: Indexed = Indexed {
    format: "pypi",
    name: |way| format!("acme-{way}"),
    document: |name| format!("/simple/{name}/"),
    accept: "application/vnd.pypi.simple.v1+json",
    publish: |server, root, name, version| {
        let distribution = pypi::Distribution::new(name, version);
        let form = distribution.form(&distribution.wheel_name(), &distribution.wheel());
        server.request("POST", root, &[TOKEN, ("Content-Type", &pypi::content_type())], &form)
    },
    versions: |response| {
        let page: Value = parsed(response);
        let versions = page["versions"].as_array().expect("versions");
        versions.iter().filter_map(|version| version.as_str().map(str::to_owned)).collect()
    },
};

const MAVEN: Indexed = Indexed {
    format: "maven",
    name: |way| format!("com/acme/{way}"),
    document: |name| format!("/{name}/maven-metadata.xml"),
    accept: "*/*",
    publish: |server, root, name, version| {
        let artifact = name.rsplit('/').next().unwrap_or(name);
        let path = format!("{root}/{name}/{version}/{artifact}-{version}.jar");
        server.request("PUT", &path, &[TOKEN], format!("{name} {version}").as_bytes())
    },
    versions: |response| {
        let text = response.text();
        let after = text.split("<version>").skip(1);
        after.filter_map(|rest| rest.split_once('<').map(|(version, _)| version.to_owned())).collect()
    },
};

impl Indexed {
    /// The document as both levels of `server` show it, where the answers before are known by `tags`.
    fn versions_at(
        &self,
        server: &Server,
        roots: &[String; 2],
        name: &str,
        tags: &mut [String; 2],
    ) -> Vec<String> {
        let [project, group] = [0, 1].map(|level| {
            let path = format!("{}{}", roots[level], (self.document)(name));
            let headers = [TOKEN, ("Accept", self.accept), ("If-None-Match", tags[level].as_str())];
            let response = server.request("GET", &path, &headers, b"");
            if response.status == 404 {
                return Vec::new();
            }
            assert_eq!(response.status, 200, "{path}: not what it was: {}", response.text());
            response.header("etag").clone_into(&mut tags[level]);
            let again = [TOKEN, ("Accept", self.accept), ("If-None-Match", tags[level].as_str())];
            assert_eq!(server.request("GET", &path, &again, b"").status, 304, "{path}: it is kept");
            (self.versions)(&response)
        });
        assert_eq!(project, group, "{name}: the project and its group");
        project
    }

    fn is_the_same_everywhere(&self, replicas: &Replicas) {
        for (way, written, read) in replicas.both_ways() {
            let (name, roots) = ((self.name)(way), replicas.roots(self.format));
            let mut tags = ["\"none\"".to_owned(), "\"none\"".to_owned()];
            let mut shows = |expected: &[&str], about: &str| {
                assert_eq!(self.versions_at(read, &roots, &name, &mut tags), expected, "{name}: {about}");
            };
            shows(&[], "nothing yet, which the server that is read has noticed");
            for (version, expected) in [("1.0.0", &["1.0.0"][..]), ("1.1.0", &["1.0.0", "1.1.0"])] {
                let answer = (self.publish)(written, &roots[0], &name, version);
                assert!(matches!(answer.status, 200 | 201), "{name}: {}", answer.text());
                shows(expected, "published");
            }
            let id = replicas.id(read, self.format, &name, "1.1.0");
            replicas.destroy(written, &id);
            shows(&["1.0.0"], "one version deleted");
            let id = replicas.id(read, self.format, &name, "1.0.0");
            replicas.destroy(written, &id);
            shows(&[], "all deleted");
        }
    }
}

#[test]
fn index_documents_show_what_the_other_was_told() {
    let Some(replicas) = Replicas::start() else { return };
    for indexed in [NPM, PYPI, MAVEN] {
        indexed.is_the_same_everywhere(&replicas);
    }
}

const SET_TAG: &str = "mutation T($input: SetPackageTagInput!) { setPackageTag(input: $input) { errors } }";
const SET_FLAGS: &str =
    "mutation F($input: SetPackageFlagsInput!) { setPackageFlags(input: $input) { errors } }";

#[test]
fn tags_and_flags_set_at_one_are_read_from_the_other() {
    let Some(replicas) = Replicas::start() else { return };
    for (way, written, read) in replicas.both_ways() {
        let (name, [root, group]) = ((NPM.name)(way), replicas.roots("npm"));
        let tags = || {
            [&root, &group].map(|level| {
                let path = format!("{level}{}", (NPM.document)(&name));
                parsed::<Value>(&read.request("GET", &path, &[TOKEN], b""))["dist-tags"].clone()
            })
        };
        for version in ["1.0.0", "2.0.0"] {
            assert_eq!((NPM.publish)(written, &root, &name, version).status, 200);
        }
        assert_eq!(tags(), [json!({ "latest": "2.0.0" }), json!({ "latest": "2.0.0" })]);
        let input = json!({
            "scope": { "projectPath": "acme/web" }, "packageType": "NPM", "packageName": name,
            "packageVersion": "1.0.0", "tag": "stable",
        });
        written.graphql(SET_TAG, &json!({ "input": input }));
        let expected = json!({ "latest": "2.0.0", "stable": "1.0.0" });
        assert_eq!(tags(), [expected.clone(), expected]);

        let (name, [root, group]) = ((PYPI.name)(way), replicas.roots("pypi"));
        let yanked = || {
            [&root, &group].map(|level| {
                let path = format!("{level}{}", (PYPI.document)(&name));
                let page = read.request("GET", &path, &[TOKEN, ("Accept", PYPI.accept)], b"");
                parsed::<Value>(&page)["files"][0]["yanked"].clone()
            })
        };
        assert_eq!((PYPI.publish)(written, &root, &name, "1.0.0").status, 201);
        assert_eq!(yanked(), [json!(false), json!(false)]);
        let flag = json!({ "flag": "YANKED", "packageVersion": "1.0.0", "reason": "leaks" });
        let input = json!({
            "scope": { "projectPath": "acme/web" }, "packageType": "PYPI", "packageName": name, "flags": [flag],
        });
        written.graphql(SET_FLAGS, &json!({ "input": input }));
        assert_eq!(yanked(), [json!("leaks"), json!("leaks")]);
    }
}

/// The documents of snapshots are the version's own, and name the newest file of each kind.
#[test]
fn snapshots_deployed_to_one_are_resolved_at_the_other() {
    let Some(replicas) = Replicas::start() else { return };
    for (way, written, read) in replicas.both_ways() {
        let roots = replicas.roots("maven");
        let folder = format!("com/acme/{way}/1.0-SNAPSHOT");
        for build in ["20260101.010101-1", "20260102.010101-2"] {
            let path = format!("{}/{folder}/{way}-1.0-{build}.jar", roots[0]);
            let answer = written.request("PUT", &path, &[TOKEN], build.as_bytes());
            assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
            for root in &roots {
                let document =
                    read.request("GET", &format!("{root}/{folder}/maven-metadata.xml"), &[TOKEN], b"");
                let newest = format!("<value>1.0-{build}</value>");
                assert!(document.text().contains(&newest), "{}", document.text());
                let file =
                    read.request("GET", &format!("{root}/{folder}/{way}-1.0-{build}.jar"), &[TOKEN], b"");
                assert_eq!((file.status, file.text().as_str()), (200, build));
            }
        }
    }
}

/// Generic packages have no document: what is read are the files themselves.
#[test]
fn files_replaced_and_deleted_at_one_are_at_the_other_too() {
    let Some(replicas) = Replicas::start() else { return };
    for (way, written, read) in replicas.both_ways() {
        let path = format!("{}/generic/{way}/1.0.0/file.bin", replicas.registry.project_packages());
        for content in [&b"first"[..], b"second"] {
            assert_eq!(written.request("PUT", &path, &[TOKEN], content).status, 201);
            let file = read.request("GET", &path, &[TOKEN], b"");
            assert_eq!((file.status, file.body.as_slice()), (200, content));
        }
        let id = replicas.id(read, "generic", way, "1.0.0");
        replicas.destroy(written, &id);
        assert_eq!(read.request("GET", &path, &[TOKEN], b"").status, 404);
    }
}

/// Limits are held in each process: what one is told, the other finds out by itself, within seconds.
#[test]
fn limits_that_one_server_is_told_are_kept_to_by_the_other() {
    if std::env::var_os("ENTREPOT_TEST_POSTGRES_URL").is_none() {
        say("skipped: ENTREPOT_TEST_POSTGRES_URL names no server");
        return;
    }
    let told = Server::start(Setup { postgres: true, ..Setup::default() });
    let other = told.replica();
    let batch = br#"[{"query":"{ __typename }"},{"query":"{ __typename }"}]"#;
    let ask = |server: &Server| {
        let headers = [("Content-Type", "application/json")];
        server.request("POST", "/api/graphql", &headers, batch).status
    };
    assert_eq!([ask(&told), ask(&other)], [200, 200]);
    let one = "mutation { updateInstanceLimits(input: { graphql: { batchSize: 1 } }) { errors } }";
    told.graphql(one, &Value::Null);
    assert_eq!(ask(&told), 400, "at once");
    let started = std::time::Instant::now();
    while ask(&other) == 200 && started.elapsed() < std::time::Duration::from_secs(30) {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(ask(&other), 400, "soon");
}
