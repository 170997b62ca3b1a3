//! What publishing offers to formats that need more than a name and new bytes: archives that say who they are, files
//! published from other files, shelves, flags.

use std::io::Read as _;

use bytes::Bytes;
use domain::{
    DigestAlgorithm, Failure, PackageFormat, PackageName, PackageVersion, Visibility,
    rules::{
        FormatRules, Fragment, Identity, IncomingFile, Inspection, Publication, PublishedFile,
        PublishedVersion, Republish, RuleBook,
    },
};
use futures::StreamExt as _;
use serde_json::{Value, json};
use testkit::{Person, Project, World};

/// A format whose files begin with a line `name version`, and whose shelves list them.
struct Labelled;

impl FormatRules for Labelled {
    fn format(&self) -> PackageFormat {
        PackageFormat::Helm
    }
    fn name(&self, raw: &str) -> Result<PackageName, Failure> {
        Ok(PackageName { display: raw.to_owned(), key: raw.to_lowercase() })
    }
    fn version(&self, raw: &str) -> Result<PackageVersion, Failure> {
        Ok(PackageVersion::verbatim(raw))
    }
    fn file_name(&self, _: &PackageName, _: Option<&PackageVersion>, raw: &str) -> Result<String, Failure> {
        if raw.is_empty() { Err(Failure::invalid("fileName", "no name")) } else { Ok(raw.to_lowercase()) }
    }
    fn identify(&self, file: &IncomingFile<'_>) -> Result<Identity, Failure> {
        let mut text = String::new();
        let read = file.content.open().and_then(|mut content| content.read_to_string(&mut text));
        read.map_err(|_| Failure::internal())?;
        let line = text.lines().next().unwrap_or_default();
        let (name, version) =
            line.split_once(' ').ok_or_else(|| Failure::invalid("name", format!("'{line}' is no label")))?;
        let file_name = Some(format!("{name}-{version}.TXT"));
        Ok(Identity { name: name.to_owned(), version: Some(version.to_owned()), file_name })
    }
    fn allows_versionless(&self) -> bool {
        true
    }
    fn republish(&self) -> Republish {
        Republish::LatestWins
    }
    fn max_file_size(&self) -> u64 {
        1 << 20
    }
    fn digests(&self) -> &'static [DigestAlgorithm] {
        &[]
    }
    fn inspect(&self, publication: &Publication<'_>) -> Result<Inspection, Failure> {
        let mut text = String::new();
        let content = publication.files[0].content;
        content
            .open()
            .and_then(|mut content| content.read_to_string(&mut text))
            .map_err(|_| Failure::internal())?;
        Ok(Inspection { metadata: json!({ "length": text.len() }), ..Inspection::default() })
    }
    fn fragments_read_files(&self) -> bool {
        false
    }
    fn file_fragments(&self, version: &PublishedVersion<'_>, file: &PublishedFile) -> Vec<Fragment> {
        let yanked = if version.flags.is_empty() { "" } else { " yanked" };
        let body = format!("{}/{}{yanked}", version.name, file.file_name);
        vec![Fragment::of_project(file.channel.clone().unwrap_or_default(), body)]
    }
}

const CREATE_UPLOAD: &str =
    "mutation U($input: CreateUploadInput!) { createUpload(input: $input) { upload { id } errors } }";
const PUBLISH: &str = "mutation P($input: PublishPackageInput!) { publishPackage(input: $input) { errors \
    package { name version } packageFiles { id fileName channel } } }";
const DOCUMENT: &str = "query D($scope: PackageScopeInput!, $document: String!) { \
    packageDocument(scope: $scope, packageType: HELM, document: $document) { revision entries { fragment fileId } } }";
const FLAG: &str = "mutation F($input: SetPackageFlagsInput!) { setPackageFlags(input: $input) { packages { name } errors } }";

struct Stage {
    world: World,
    project: Project,
}

impl Stage {
    async fn new() -> Self {
        let world = World::new(RuleBook::new([&Labelled as &'static dyn FormatRules])).await;
        let group = world.group("acme", Visibility::Private).await;
        let project = world.project(&group, "web", Visibility::Private).await;
        Self { world, project }
    }

    /// An upload of `content` that stays until the publish.
    async fn upload(&self, person: &Person, content: &'static str) -> (String, gateway::StagedBlob) {
        let input = json!({ "projectPath": self.project.full_path, "packageType": "HELM" });
        let answer = self.world.graphql(person, CREATE_UPLOAD, json!({ "input": input })).await;
        let id = answer["data"]["createUpload"]["upload"]["id"].as_str().expect("an upload").to_owned();
        let session = self.world.session(person).await.expect("a session");
        let body = futures::stream::iter([Ok(Bytes::from_static(content.as_bytes()))]).boxed();
        let staged = self.world.gateway.stage(&session, &id, body).await.expect("staged");
        (id, staged)
    }

    async fn publish(&self, person: &Person, mut input: Value) -> Value {
        input["projectPath"] = json!(self.project.full_path);
        input["packageType"] = json!("HELM");
        self.world.graphql(person, PUBLISH, json!({ "input": input })).await
    }

    async fn document(&self, person: &Person, document: &str) -> Value {
        let scope = json!({ "projectPath": self.project.full_path });
        self.world.graphql(person, DOCUMENT, json!({ "scope": scope, "document": document })).await
    }
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("no error")
}

#[tokio::test]
async fn an_archive_says_who_it_is() {
    let stage = Stage::new().await;
    let developer = &stage.world.people.developer;
    let (id, _staged) = stage.upload(developer, "Lib 1.0\n").await;
    let published = stage.publish(developer, json!({ "files": [{ "uploadId": id }] })).await;
    let payload = &published["data"]["publishPackage"];
    assert_eq!(payload["package"], json!({ "name": "Lib", "version": "1.0" }), "{published}");
    assert_eq!(payload["packageFiles"][0]["fileName"], "lib-1.0.txt", "in the format's one spelling");

    let (id, _staged) = stage.upload(developer, "nothing").await;
    let refused = stage.publish(developer, json!({ "files": [{ "uploadId": id }] })).await;
    assert_eq!(code(&refused), "INVALID", "{refused}");
    assert_eq!(refused["errors"][0]["message"], "'nothing' is no label");
}

#[tokio::test]
async fn a_file_is_published_from_another_file() {
    let stage = Stage::new().await;
    let developer = &stage.world.people.developer;
    let (id, staged) = stage.upload(developer, "lib 1.0\n").await;
    let files = json!([{ "uploadId": id, "fileName": "lib.txt", "channel": "incoming" }]);
    let waiting = stage.publish(developer, json!({ "name": "incoming", "files": files })).await;
    drop(staged);
    let source = &waiting["data"]["publishPackage"]["packageFiles"][0]["id"];
    assert!(source.is_string(), "{waiting}");

    let neither = stage.publish(developer, json!({ "name": "lib", "version": "1", "files": [{}] })).await;
    assert_eq!(code(&neither), "INVALID", "{neither}");
    let file = json!({ "sourceFileId": source, "removeSource": true, "channel": "main" });
    let input = json!({ "name": "lib", "version": "1", "files": [file] });
    let stranger = stage.publish(&stage.world.people.reporter, input.clone()).await;
    assert_eq!(code(&stranger), "FORBIDDEN", "{stranger}");
    let promoted = stage.publish(developer, input.clone()).await;
    assert_eq!(promoted["data"]["publishPackage"]["packageFiles"][0]["channel"], "main", "{promoted}");
    let again = stage.publish(developer, input).await;
    assert_eq!(code(&again), "NOT_FOUND", "the source is gone: {again}");

    let promoted = &promoted["data"]["publishPackage"]["packageFiles"][0]["id"];
    let move_on = json!({ "name": "lib", "version": "2", "files": [{ "sourceFileId": promoted, "removeSource": true }] });
    let refused = stage.publish(developer, move_on.clone()).await;
    assert_eq!(code(&refused), "FORBIDDEN", "who may not delete does not move: {refused}");
    let moved = stage.publish(&stage.world.people.maintainer, move_on).await;
    assert!(moved["data"]["publishPackage"]["package"].is_object(), "{moved}");
    assert_eq!(stage.world.blob_count(), 1, "the bytes were stored once");
}

#[tokio::test]
async fn shelves_list_what_stands_on_them_and_flags_show() {
    let stage = Stage::new().await;
    let people = &stage.world.people;
    let nothing = stage.document(&people.reporter, "main").await;
    assert_eq!(code(&nothing), "NOT_FOUND", "{nothing}");
    for label in ["zlib 1.0\n", "lib 1.0\n"] {
        let (id, _staged) = stage.upload(&people.developer, label).await;
        stage.publish(&people.developer, json!({ "files": [{ "uploadId": id, "channel": "main" }] })).await;
    }
    let lines = |answer: &Value| -> Vec<String> {
        let entries = answer["data"]["packageDocument"]["entries"].as_array().expect("entries").clone();
        entries.iter().map(|entry| entry["fragment"].as_str().expect("a piece").to_owned()).collect()
    };
    let before = stage.document(&people.reporter, "main").await;
    assert_eq!(lines(&before), ["lib/lib-1.0.txt", "zlib/zlib-1.0.txt"]);
    assert_eq!(code(&stage.document(&people.guest, "main").await), "FORBIDDEN");
    assert_eq!(code(&stage.document(&people.outsider, "main").await), "NOT_FOUND");

    let flag = |set: bool| {
        json!({ "input": {
            "scope": { "projectPath": stage.project.full_path }, "packageType": "HELM", "packageName": "LIB",
            "flags": [{ "packageVersion": "1.0", "flag": "YANKED", "reason": "it breaks", "set": set }],
        } })
    };
    let refused = stage.world.graphql(&people.developer, FLAG, flag(true)).await;
    assert_eq!(code(&refused), "FORBIDDEN", "{refused}");
    let set = stage.world.graphql(&people.maintainer, FLAG, flag(true)).await;
    assert_eq!(set["data"]["setPackageFlags"]["packages"][0]["name"], "lib", "{set}");
    let after = stage.document(&people.reporter, "main").await;
    assert_eq!(lines(&after), ["lib/lib-1.0.txt yanked", "zlib/zlib-1.0.txt"]);
    let revision = |answer: &Value| answer["data"]["packageDocument"]["revision"].clone();
    assert_ne!(revision(&before), revision(&after));
    stage.world.graphql(&people.maintainer, FLAG, flag(false)).await;
    assert_eq!(lines(&stage.document(&people.reporter, "main").await), lines(&before));
}
