//! What the inspector finds, and what it refuses.

use std::io::{self, Cursor, Write as _};

use domain::{
    Digests, Failure,
    rules::{Content, FormatRules as _, IncomingFile, Inspection, Publication, ReadSeek},
};
use flate2::{Compression, write::DeflateEncoder};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::stage::{pom, pom_with};
use crate::maven::rules::MavenRules;

/// A staged file that lies in memory.
struct InMemory(Vec<u8>);

impl Content for InMemory {
    fn open(&self) -> io::Result<Box<dyn ReadSeek + '_>> {
        Ok(Box::new(Cursor::new(&self.0)))
    }
}

/// Runs the inspector as the model does.
fn inspect(path: &str, bytes: &[u8], properties: Value) -> Result<Inspection, Failure> {
    let (folder, file) = path.rsplit_once('/').expect("a path");
    let (name, version) = folder.rsplit_once('/').expect("a path");
    let content = InMemory(bytes.to_vec());
    let file = IncomingFile {
        file_name: file.to_owned(),
        channel: None,
        size: bytes.len() as u64,
        digests: Digests {
            sha256: domain::Sha256(sha2::Sha256::digest(bytes).into()),
            md5: None,
            sha1: None,
            sha512: None,
        },
        properties,
        content: &content,
    };
    let (name, version) = (MavenRules.name(name)?, MavenRules.version(version)?);
    let metadata = Value::Null;
    let files = vec![file];
    MavenRules.inspect(&Publication { name: &name, version: Some(&version), files, metadata })
}

fn refused(path: &str, pom: &str) -> String {
    let failure = inspect(path, pom.as_bytes(), json!({})).expect_err(pom);
    assert_eq!(failure.field.as_deref(), Some("files"));
    failure.message.into_owned()
}

const POM: &str = "com/acme/app/1.0/app-1.0.pom";

#[test]
fn a_pom_is_kept_in_short() {
    let more = "<packaging>war</packaging><name>The ${project.artifactId}</name>\
        <description>Says\n what it is.</description><url>https://acme.example/${project.version}</url>\
        <licenses><license><name>MIT</name><url>https://acme.example/mit</url><comments>no</comments></license></licenses>\
        <properties><lib.version>2.1</lib.version><indirect>${lib.version}</indirect></properties>\
        <dependencyManagement><dependencies><dependency><groupId>x</groupId><artifactId>managed</artifactId></dependency>\
        </dependencies></dependencyManagement>\
        <dependencies>\
        <dependency><groupId>com.acme</groupId><artifactId>lib</artifactId><version>${indirect}</version></dependency>\
        <dependency><groupId>${project.groupId}</groupId><artifactId>managed</artifactId></dependency>\
        <dependency><groupId>org.junit</groupId><artifactId>junit</artifactId><version>5</version><scope>test</scope></dependency>\
        <dependency><groupId>jakarta</groupId><artifactId>servlet</artifactId><version>[6,7)</version><scope>provided</scope></dependency>\
        <dependency><groupId>a</groupId><artifactId>extra</artifactId><version>1</version><optional>true</optional></dependency>\
        <dependency><groupId>com.acme</groupId><artifactId>lib</artifactId><version>2.1</version><classifier>x</classifier></dependency>\
        <dependency><artifactId>incomplete</artifactId></dependency>\
        </dependencies>\
        <profiles><profile><dependencies><dependency><groupId>p</groupId><artifactId>p</artifactId></dependency></dependencies></profile></profiles>\
        <build><plugins><plugin><configuration><name>not this</name></configuration></plugin></plugins></build>";
    let inspection =
        inspect(POM, pom_with("com/acme/app", "1.0", more).as_bytes(), json!({})).expect("a POM");
    assert_eq!(
        inspection.metadata,
        json!({
            "packaging": "war",
            "name": "The app",
            "description": "Says\n what it is.",
            "url": "https://acme.example/1.0",
            "licenses": [{ "name": "MIT", "url": "https://acme.example/mit" }],
        })
    );
    let dependencies: Vec<String> = inspection
        .dependencies
        .iter()
        .map(|one| format!("{} {} {:?} {}", one.name, one.version_pattern, one.kind, one.scope))
        .collect();
    assert_eq!(
        dependencies,
        [
            "com/acme/lib 2.1 Dependencies compile",
            "com/acme/managed  Dependencies compile",
            "org/junit/junit 5 DevDependencies test",
            "jakarta/servlet [6,7) PeerDependencies provided",
            "a/extra 1 PeerDependencies compile",
        ]
    );
}

#[test]
fn a_pom_that_disagrees_with_its_path_is_refused() {
    for (pom, told) in [
        (pom("com/evil/app", "1.0"), "The POM has the groupId 'com.evil', the path says 'com.acme'"),
        (pom("com/acme/other", "1.0"), "The POM has the artifactId 'other', the path says 'app'"),
        (pom("com/acme/app", "2.0"), "The POM has the version '2.0', the path says '1.0'"),
        (pom("com/acme/app", ""), "The POM has no version, the path says '1.0'"),
        (
            "<project><parent><groupId>com.evil</groupId><version>1.0</version></parent><artifactId>app</artifactId></project>"
                .to_owned(),
            "The POM has the groupId 'com.evil', the path says 'com.acme'",
        ),
        (
            pom_with("com/acme/app", "1.0", "<version>1.0</version>"),
            "The POM has more than one version",
        ),
        (
            pom_with("com/acme/app", "${v}", "<properties><v>${w}</v><w>3</w></properties>"),
            "The POM has the version '3', the path says '1.0'",
        ),
        ("<metadata/>".to_owned(), "The POM has the root 'metadata', expected 'project'"),
        ("jar bytes".to_owned(), "The POM cannot be read: it ends before its root does"),
        (
            format!("<!DOCTYPE project [<!ENTITY x \"y\">]>{}", pom("com/acme/app", "1.0")),
            "The POM cannot be read: it has a document type declaration, which is not read",
        ),
    ] {
        assert_eq!(refused(POM, &pom), told);
    }
}

#[test]
fn what_a_pom_inherits_or_leaves_open_is_let_in() {
    for pom in [
        "<project><parent><groupId>com.acme</groupId><artifactId>parent</artifactId><version>1.0</version></parent>\
         <artifactId>app</artifactId></project>"
            .to_owned(),
        pom("com/acme/app", "${revision}"),
        pom_with("com/acme/app", "${a}", "<properties><a>${b}</a><b>${a}</b></properties>"),
        pom_with("com/acme/app", "${a}", "<properties><a>1.0</a></properties>"),
        pom_with("com/acme/app", "1.0", "<name>&oslash;</name>"),
    ] {
        inspect(POM, pom.as_bytes(), json!({})).expect(&pom);
    }
}

#[test]
fn a_build_of_a_snapshot_may_name_itself() {
    let path = "com/acme/app/1.0-SNAPSHOT/app-1.0-20240101.120000-1.pom";
    for version in ["1.0-SNAPSHOT", "1.0-20240101.120000-1"] {
        inspect(path, pom("com/acme/app", version).as_bytes(), json!({})).expect(version);
    }
    let told = "The POM has the version '1.0', the path says '1.0-SNAPSHOT'";
    assert_eq!(refused(path, &pom("com/acme/app", "1.0")), told);
    let unnamed = "com/acme/app/1.0-SNAPSHOT/app-1.0-SNAPSHOT.pom";
    assert_eq!(refused(unnamed, &pom("com/acme/app", "1.0")), told);
}

#[test]
fn other_files_are_opaque() {
    for path in [
        "com/acme/app/1.0/app-1.0.jar",
        "com/acme/app/1.0/app-1.0-build.pom",
        "com/acme/app_2.12_1.0/1.0/app-1.0.pom",
        "com/acme/app/1.0/app-1.0.pom.asc",
        "com/acme/app/1.0/ivy-1.0.xml",
        "com/acme/app/1.0/app-1.0.module",
    ] {
        let inspection = inspect(path, b"anything", json!({ "plugin": "claimed", "kept": 1 })).expect(path);
        assert_eq!(inspection.metadata, Value::Null, "what a POM said is kept");
        assert_eq!(inspection.file_properties, [json!({ "kept": 1 })]);
    }
}

/// An archive with one entry, with or without compression.
fn archive(name: &str, content: &[u8], compress: bool) -> Vec<u8> {
    let packed = if compress {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).expect("memory");
        encoder.finish().expect("memory")
    } else {
        content.to_vec()
    };
    let [method, name_length] = [if compress { 8_u16 } else { 0 }, u16::try_from(name.len()).expect("short")];
    let [packed_length, length] =
        [packed.len(), content.len()].map(|length| u32::try_from(length).expect("short"));
    let mut common = Vec::new();
    common.extend([20_u16, 0, method, 0, 0].iter().flat_map(|field| field.to_le_bytes()));
    common.extend([0_u32, packed_length, length].iter().flat_map(|field| field.to_le_bytes()));
    common.extend([name_length, 0].iter().flat_map(|field| field.to_le_bytes()));
    let mut zip = [b"PK\x03\x04".as_slice(), &common, name.as_bytes(), &packed].concat();
    let start = u32::try_from(zip.len()).expect("short");
    let entry =
        [b"PK\x01\x02\x14\x00".as_slice(), &common, &[0; 10], &0_u32.to_le_bytes(), name.as_bytes()].concat();
    let size = u32::try_from(entry.len()).expect("short");
    zip.extend(entry);
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend([size, start].iter().flat_map(|field| field.to_le_bytes()));
    zip.extend(b"\0\0");
    zip
}

/// The archive of a plugin with this descriptor.
pub(super) fn plugin_jar(goal_prefix: &str) -> Vec<u8> {
    let descriptor = format!(
        "<plugin><name>The plugin</name><artifactId>x</artifactId><goalPrefix>{goal_prefix}</goalPrefix>\
         <mojos><mojo><goal>hi</goal></mojo></mojos></plugin>"
    );
    archive("META-INF/maven/plugin.xml", descriptor.as_bytes(), true)
}

const PLUGIN_JAR: &str = "com/acme/hello-maven-plugin/1.0/hello-maven-plugin-1.0.jar";

fn plugin_in(bytes: &[u8]) -> Value {
    inspect(PLUGIN_JAR, bytes, json!({})).expect("a jar").file_properties[0]["plugin"].clone()
}

#[test]
fn a_plugins_archive_tells_its_prefix() {
    let expected = json!({ "prefix": "greet", "name": "The plugin", "source": "archive" });
    assert_eq!(plugin_in(&plugin_jar("greet")), expected);
    let stored = archive("META-INF/maven/plugin.xml", b"<plugin><goalPrefix>p</goalPrefix></plugin>", false);
    assert_eq!(plugin_in(&stored), json!({ "prefix": "p", "source": "archive" }));
    for other in [
        archive("META-INF/MANIFEST.MF", b"<plugin><goalPrefix>p</goalPrefix></plugin>", true),
        archive("META-INF/maven/plugin.xml", b"<plugin></plugin>", true),
        archive("META-INF/maven/plugin.xml", b"no xml", true),
        b"no archive".to_vec(),
        Vec::new(),
    ] {
        assert_eq!(plugin_in(&other), Value::Null);
    }
}

#[test]
fn a_plugins_pom_lets_its_prefix_be_guessed() {
    for (artifact, prefix) in [
        ("hello-maven-plugin", "hello"),
        ("maven-hello-plugin", "hello"),
        ("maven-plugin-plugin", "plugin"),
        ("my-maven-great-plugin", "mygreat"),
        ("greeter", "greeter"),
    ] {
        let name = format!("com/acme/{artifact}");
        let pom = pom_with(&name, "1.0", "<packaging>maven-plugin</packaging>");
        let path = format!("{name}/1.0/{artifact}-1.0.pom");
        let inspection = inspect(&path, pom.as_bytes(), json!({})).expect("a POM");
        assert_eq!(inspection.file_properties[0]["plugin"], json!({ "prefix": prefix, "source": "pom" }));
    }
}

proptest! {
    #[test]
    fn no_archive_and_no_pom_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0..200_usize, byte in any::<u8>()) {
        let _ = inspect(PLUGIN_JAR, &bytes, json!({}));
        let _ = inspect(POM, &bytes, json!({}));
        let mut broken = plugin_jar("greet");
        if let Some(place) = broken.get_mut(at) {
            *place = byte;
        }
        let _ = inspect(PLUGIN_JAR, &broken, json!({}));
        bytes.splice(0..0, plugin_jar("greet"));
        let _ = inspect(PLUGIN_JAR, &bytes, json!({}));
    }

    #[test]
    fn a_pom_is_let_in_only_when_it_agrees(group in "[a-z]{1,4}(\\.[a-z]{1,3}){0,2}", artifact in "[a-z-]{1,5}", version in "[0-9.]{1,4}") {
        let name = format!("{}/{artifact}", group.replace('.', "/"));
        let let_in = inspect(POM, pom(&name, &version).as_bytes(), json!({})).is_ok();
        prop_assert_eq!(let_in, name == "com/acme/app" && version == "1.0");
        let path = format!("{name}/{version}/{artifact}-{version}.pom");
        if MavenRules.version(&version).is_ok() && !artifact.ends_with('-') {
            prop_assert!(inspect(&path, pom(&name, &version).as_bytes(), json!({})).is_ok(), "{}", path);
        }
    }
}
