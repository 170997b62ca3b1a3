//! What files say of themselves: a POM its coordinates and dependencies, the archive of a plugin the prefix of its goals.
//! Other files are opaque.

mod plugin;
mod pom;
mod xml;

use std::io::{self, Read};

use domain::{
    ErrorCode, Failure,
    rules::{IncomingFile, Inspection, Publication},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::pom::{Expected, Pom};
use super::rules::{SnapshotFile, group_and_artifact, is_snapshot};
use crate::shared::excerpt;

/// What a POM's file or a plugin's archive is known by, in its properties: what the list of a group's plugins is made of.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(super) struct PluginProperties {
    /// What goals are called with.
    pub(super) prefix: String,
    /// The name for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) name: Option<String>,
    /// Who says so.
    pub(super) source: Source,
}

/// Where a prefix comes from. The descriptor in the archive is what Maven runs by; a POM lets the prefix only be guessed.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    /// The packaging of the POM, and the artifact's name.
    Pom,
    /// The descriptor.
    Archive,
}

/// The property that holds [`PluginProperties`].
pub(super) const PLUGIN: &str = "plugin";

/// Reads what can be read, and refuses a POM that disagrees with its path.
pub(super) fn inspect(publication: &Publication<'_>) -> Result<Inspection, Failure> {
    let Some(version) = publication.version else {
        return Err(Failure::invalid("version", "Version can't be blank"));
    };
    if !matches!(&publication.metadata, Value::Null) && publication.metadata != json!({}) {
        return Err(Failure::invalid(
            "metadata",
            "What is known of a Maven package is in its POM: leave metadata out",
        ));
    }
    let (group_id, artifact_id) = group_and_artifact(&publication.name.display);
    let place = Place { group_id: &group_id, artifact_id, version: &version.display };
    let mut inspection = Inspection::default();
    let mut described = None;
    for file in &publication.files {
        let mut properties = file.properties.clone();
        let found = if place.is_pom(&file.file_name) {
            let pom = place.read_pom(file)?;
            let plugin = place.plugin_of_pom(&pom);
            inspection.dependencies = pom.dependencies();
            described = Some(pom.summary());
            plugin
        } else if std::path::Path::new(&file.file_name)
            .extension()
            .is_some_and(|extension| extension == "jar")
        {
            plugin_of_archive(file)?
        } else {
            None
        };
        keep_plugin(&mut properties, found);
        inspection.file_properties.push(properties);
    }
    // Other files leave what the POM said, whichever comes first and whichever arrives at the same time.
    if let Some(described) = described {
        inspection.metadata = Value::Object(described);
    }
    Ok(inspection)
}

/// What a client says of a property that only the server may say is dropped.
fn keep_plugin(properties: &mut Value, plugin: Option<PluginProperties>) {
    let Value::Object(fields) = properties else { return };
    fields.remove(PLUGIN);
    if let Some(plugin) = plugin {
        fields.insert(PLUGIN.to_owned(), json!(plugin));
    }
}

/// Where files are published.
struct Place<'a> {
    group_id: &'a str,
    artifact_id: &'a str,
    version: &'a str,
}

impl Place<'_> {
    /// Whether this is the POM that clients of the version read. Other POMs (with a classifier, or the ones sbt names after the
    /// plugin without the versions it is for) describe something else.
    fn is_pom(&self, file_name: &str) -> bool {
        if is_snapshot(self.version) {
            return SnapshotFile::parse(self.artifact_id, self.version, file_name)
                .is_some_and(|file| file.classifier.is_empty() && file.extension == "pom");
        }
        let named = file_name.strip_prefix(self.artifact_id).and_then(|rest| rest.strip_prefix('-'));
        named.and_then(|rest| rest.strip_suffix(".pom")) == Some(self.version)
    }

    fn read_pom(&self, file: &IncomingFile<'_>) -> Result<Pom, Failure> {
        if file.size > pom::MAX_SIZE {
            return Err(Failure::invalid(
                "files",
                format!("The POM has {} bytes, more than {} are not read", file.size, pom::MAX_SIZE),
            ));
        }
        let mut bytes = Vec::new();
        let reader = file.content.open().map_err(|error| unreadable(&error))?;
        reader.take(pom::MAX_SIZE).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        let pom = Pom::read(&bytes)?;
        let build = SnapshotFile::parse(self.artifact_id, self.version, &file.file_name);
        let versions = [self.version, build.map_or(self.version, |build| build.value)];
        pom.agrees_with(&Expected {
            group_id: self.group_id,
            artifact_id: self.artifact_id,
            versions: &versions,
        })?;
        Ok(pom)
    }

    /// What a plugin's POM lets guess.
    fn plugin_of_pom(&self, pom: &Pom) -> Option<PluginProperties> {
        (pom.packaging() == "maven-plugin").then(|| PluginProperties {
            prefix: guessed_prefix(self.artifact_id),
            name: pom.name().map(|name| excerpt(&name)),
            source: Source::Pom,
        })
    }
}

fn plugin_of_archive(file: &IncomingFile<'_>) -> Result<Option<PluginProperties>, Failure> {
    let archive = file.content.open().map_err(|error| unreadable(&error))?;
    Ok(plugin::descriptor(archive).map(|descriptor| PluginProperties {
        prefix: excerpt(&descriptor.goal_prefix),
        name: descriptor.name.map(|name| excerpt(&name)),
        source: Source::Archive,
    }))
}

/// The prefix that Maven's own plugin tools give a plugin that states none: the artifact's name without `maven` and `plugin`,
/// and the hyphens beside them.
fn guessed_prefix(artifact_id: &str) -> String {
    if artifact_id == "maven-plugin-plugin" {
        return "plugin".to_owned();
    }
    let without = |text: &str, word: &str| {
        let mut kept = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(word) {
            kept.push_str(before.strip_suffix('-').unwrap_or(before));
            rest = after.strip_prefix('-').unwrap_or(after);
        }
        kept + rest
    };
    without(&without(artifact_id, "maven"), "plugin")
}

fn unreadable(error: &io::Error) -> Failure {
    tracing::error!(%error, "a staged file could not be read");
    Failure::new(ErrorCode::Unavailable, "The uploaded file cannot be read now: try again")
}
