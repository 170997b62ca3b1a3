//! `maven-metadata.xml`: the pieces that versions and files contribute, and the documents put together from them.
//!
//! There are three, at three places: the versions of an artifact, the newest files of a snapshot, the plugins of a group. An
//! artifact may be a group as well (`com.acme:app` beside `com.acme.app:other`), and then two of them are one document.

use std::collections::{BTreeMap, HashMap};

use domain::rules::{Fragment, PublishedFile, PublishedVersion};
use quick_xml::escape::escape;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    metadata::{PLUGIN, PluginProperties, Source},
    rules::{Build, SnapshotFile, group_and_artifact, is_snapshot},
};

/// The document of an artifact's versions.
pub(super) const VERSIONS: &str = "versions";

/// The document of a snapshot's files.
pub(super) fn snapshot_document(version: &str) -> String {
    format!("snapshot/{version}")
}

/// The document of a group's plugins.
pub(super) fn plugins_document(group_id: &str) -> String {
    format!("plugins/{group_id}")
}

/// A plugin in the list of its group.
#[derive(Debug, Deserialize, Serialize)]
struct PluginPiece {
    artifact_id: String,
    #[serde(flatten)]
    said: PluginProperties,
}

/// The piece of a version: that it is there.
pub(super) fn of_version(version: &PublishedVersion<'_>) -> Vec<Fragment> {
    let piece = version.version.map(|version| Fragment::of_name(VERSIONS, version.to_owned()));
    piece.into_iter().collect()
}

/// The pieces of a file: what it is of a snapshot, what it says of a plugin.
pub(super) fn of_file(version: &PublishedVersion<'_>, file: &PublishedFile) -> Vec<Fragment> {
    let (group_id, artifact_id) = group_and_artifact(version.name);
    let mut pieces = Vec::new();
    if let Some(number) = version.version.filter(|number| is_snapshot(number))
        && let Some(parsed) = SnapshotFile::parse(artifact_id, number, &file.file_name)
    {
        let (timestamp, build) =
            parsed.build.map_or(("", ""), |Build { timestamp, number }| (timestamp, number));
        let body =
            [parsed.value, timestamp, build, parsed.classifier, parsed.extension, &compact(file.created_at)];
        pieces.push(Fragment::of_name(snapshot_document(number), body.join("\t")));
    }
    let plugin = file.properties.get(PLUGIN).and_then(|plugin| PluginProperties::deserialize(plugin).ok());
    if let Some(said) = plugin {
        let piece = PluginPiece { artifact_id: artifact_id.to_owned(), said };
        if let Ok(body) = serde_json::to_string(&piece) {
            pieces.push(Fragment::of_project(plugins_document(&group_id), body));
        }
    }
    pieces
}

/// A moment as Maven's metadata has it, in UTC: `20240101120000`.
pub(super) fn compact(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(time::UtcOffset::UTC);
    let (date, time) = (moment.date(), moment.time());
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// An artifact with its versions.
pub(super) struct Versions {
    /// Its package name.
    pub(super) name: String,
    /// When it last changed.
    pub(super) updated_at: OffsetDateTime,
    /// The versions with their places in Maven's order.
    pub(super) versions: BTreeMap<(String, String), String>,
}

/// The document of an artifact, of a group with plugins, or of both; none when nothing is there.
pub(super) fn assemble(versions: Option<&Versions>, plugins: &[String]) -> Option<String> {
    let plugins = listed_plugins(plugins);
    if versions.is_none_or(|versions| versions.versions.is_empty()) && plugins.is_empty() {
        return None;
    }
    let mut xml = begun();
    if !plugins.is_empty() {
        xml.push_str("  <plugins>\n");
        for plugin in plugins.values() {
            plugin.write(&mut xml);
        }
        xml.push_str("  </plugins>\n");
    }
    if let Some(versions) = versions {
        versions.write(&mut xml);
    }
    xml.push_str("</metadata>\n");
    Some(xml)
}

impl Versions {
    fn write(&self, xml: &mut String) {
        let (group_id, artifact_id) = group_and_artifact(&self.name);
        element(xml, 1, "groupId", &group_id);
        element(xml, 1, "artifactId", artifact_id);
        xml.push_str("  <versioning>\n");
        let mut newest_first = self.versions.values().rev();
        if let Some(latest) = newest_first.clone().next() {
            element(xml, 2, "latest", latest);
        }
        if let Some(release) = newest_first.find(|version| !is_snapshot(version)) {
            element(xml, 2, "release", release);
        }
        xml.push_str("    <versions>\n");
        self.versions.values().for_each(|version| element(xml, 3, "version", version));
        xml.push_str("    </versions>\n");
        element(xml, 2, "lastUpdated", &compact(self.updated_at));
        xml.push_str("  </versioning>\n");
    }
}

/// The plugins by artifact: of each what its archive says, or else its POM, and of two that say so the later one.
fn listed_plugins(pieces: &[String]) -> BTreeMap<String, PluginPiece> {
    let mut plugins = BTreeMap::<String, PluginPiece>::new();
    for plugin in pieces.iter().filter_map(|piece| serde_json::from_str::<PluginPiece>(piece).ok()) {
        let known = plugins.get(&plugin.artifact_id).map(|known| known.said.source);
        if known.is_none_or(|known: Source| known <= plugin.said.source) {
            plugins.insert(plugin.artifact_id.clone(), plugin);
        }
    }
    plugins
}

impl PluginPiece {
    fn write(&self, xml: &mut String) {
        xml.push_str("    <plugin>\n");
        let name = self.said.name.as_deref().filter(|name| !name.is_empty());
        element(xml, 3, "name", name.unwrap_or(&self.artifact_id));
        element(xml, 3, "prefix", &self.said.prefix);
        element(xml, 3, "artifactId", &self.artifact_id);
        xml.push_str("    </plugin>\n");
    }
}

/// A file of a snapshot, as its piece has it.
#[derive(Clone, Copy)]
struct SnapshotPiece<'a> {
    value: &'a str,
    timestamp: &'a str,
    build: &'a str,
    classifier: &'a str,
    extension: &'a str,
    updated: &'a str,
}

impl<'a> SnapshotPiece<'a> {
    fn parse(piece: &'a str) -> Option<Self> {
        let mut fields = piece.split('\t');
        let mut next = || fields.next();
        Some(Self {
            value: next()?,
            timestamp: next()?,
            build: next()?,
            classifier: next()?,
            extension: next()?,
            updated: next()?,
        })
    }

    fn write(&self, xml: &mut String) {
        xml.push_str("      <snapshotVersion>\n");
        if !self.classifier.is_empty() {
            element(xml, 4, "classifier", self.classifier);
        }
        element(xml, 4, "extension", self.extension);
        element(xml, 4, "value", self.value);
        element(xml, 4, "updated", self.updated);
        xml.push_str("      </snapshotVersion>\n");
    }
}

/// The document of a snapshot, from its files' pieces, oldest first: of each classifier and extension the one published last.
/// None when there are no files.
pub(super) fn assemble_snapshot(name: &str, version: &str, pieces: &[String]) -> Option<String> {
    let mut newest = HashMap::<(&str, &str), SnapshotPiece<'_>>::new();
    for piece in pieces.iter().filter_map(|piece| SnapshotPiece::parse(piece)) {
        let known = newest.entry((piece.extension, piece.classifier)).or_insert(piece);
        if known.updated <= piece.updated {
            *known = piece;
        }
    }
    let listed: BTreeMap<_, _> = newest.into_iter().collect();
    let last_updated = listed.values().map(|piece| piece.updated).max()?;
    // The next build's number is counted from this one.
    let build = listed
        .values()
        .filter(|piece| !piece.build.is_empty())
        .max_by_key(|piece| (piece.updated, piece.timestamp));
    let (group_id, artifact_id) = group_and_artifact(name);
    let mut xml = begun();
    element(&mut xml, 1, "groupId", &group_id);
    element(&mut xml, 1, "artifactId", artifact_id);
    element(&mut xml, 1, "version", version);
    xml.push_str("  <versioning>\n");
    if let Some(build) = build {
        xml.push_str("    <snapshot>\n");
        element(&mut xml, 3, "timestamp", build.timestamp);
        element(&mut xml, 3, "buildNumber", build.build);
        xml.push_str("    </snapshot>\n");
    }
    element(&mut xml, 2, "lastUpdated", last_updated);
    xml.push_str("    <snapshotVersions>\n");
    for piece in listed.values() {
        piece.write(&mut xml);
    }
    xml.push_str("    </snapshotVersions>\n  </versioning>\n</metadata>\n");
    Some(xml)
}

fn begun() -> String {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata modelVersion=\"1.1.0\">\n".to_owned()
}

fn element(xml: &mut String, depth: usize, name: &str, text: &str) {
    let indentation = "  ".repeat(depth);
    xml.extend([&indentation, "<", name, ">", &escape(text), "</", name, ">\n"]);
}
