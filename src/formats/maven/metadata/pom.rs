//! What a POM says: coordinates, packaging, what it depends on.

use std::collections::{BTreeSet, HashMap};

use domain::{
    Failure,
    rules::{DeclaredDependency, DependencyType},
};
use serde_json::{Map, Value, json};

use super::xml;
use crate::shared::excerpt;

/// Largest POM that is read. The largest published ones, lists of managed versions, have some hundred KiB.
pub(super) const MAX_SIZE: u64 = 8 * 1024 * 1024;

/// Most properties that are kept for resolving `${…}`.
const MAX_PROPERTIES: usize = 10_000;

/// How often a value may lead to another one.
const MAX_RESOLUTIONS: usize = 20;

/// Longest value after resolving.
const MAX_VALUE: usize = 1024;

/// A project object model, as far as it is read.
#[derive(Debug, Default)]
pub(super) struct Pom {
    group_id: Option<String>,
    artifact_id: Option<String>,
    version: Option<String>,
    parent: Gav,
    packaging: Option<String>,
    described: Map<String, Value>,
    licenses: Vec<Value>,
    properties: HashMap<String, String>,
    dependencies: Vec<Dependency>,
}

/// Group, artifact and version.
#[derive(Debug, Default)]
struct Gav {
    group_id: Option<String>,
    artifact_id: Option<String>,
    version: Option<String>,
}

#[derive(Debug, Default)]
struct Dependency {
    gav: Gav,
    scope: String,
    is_optional: bool,
}

/// What the path says that a POM has to agree with.
pub(super) struct Expected<'a> {
    /// `com.acme`.
    pub(super) group_id: &'a str,
    /// `app`.
    pub(super) artifact_id: &'a str,
    /// Every spelling of the version that is this one: `1.0-SNAPSHOT`, and `1.0-20240101.120000-1` for a build of it.
    pub(super) versions: &'a [&'a str],
}

impl Pom {
    /// Reads a POM.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let mut pom = Self::default();
        let (mut dependency, mut license) = (Dependency::default(), Map::new());
        let mut root = String::new();
        xml::walk("The POM", bytes, |path, text| {
            let names: Vec<&str> = path.iter().map(String::as_str).collect();
            match names[..] {
                [name] => name.clone_into(&mut root),
                ["project", ref below @ ..] => match below {
                    ["dependencies", "dependency"] => pom.dependencies.push(std::mem::take(&mut dependency)),
                    ["dependencies", "dependency", field] => dependency.take(field, text),
                    ["licenses", "license"] => pom.licenses.push(Value::Object(std::mem::take(&mut license))),
                    ["licenses", "license", field @ ("name" | "url")] => {
                        license.insert((*field).to_owned(), text.into());
                    }
                    ["parent", field] => pom.parent.take(field, text),
                    ["properties", name] if pom.properties.len() < MAX_PROPERTIES => {
                        pom.properties.insert((*name).to_owned(), text.to_owned());
                    }
                    [field] => pom.take(field, text)?,
                    _ => {}
                },
                _ => {}
            }
            Ok(())
        })?;
        if root != "project" {
            return Err(disagreement(format!("The POM has the root '{root}', expected 'project'")));
        }
        Ok(pom)
    }

    /// Takes an element of the project itself.
    fn take(&mut self, field: &str, text: &str) -> Result<(), Failure> {
        let slot = match field {
            "groupId" => &mut self.group_id,
            "artifactId" => &mut self.artifact_id,
            "version" => &mut self.version,
            "packaging" => &mut self.packaging,
            "name" | "description" | "url" => {
                self.described.insert(field.to_owned(), text.into());
                return Ok(());
            }
            _ => return Ok(()),
        };
        if slot.is_some() {
            return Err(disagreement(format!("The POM has more than one {field}")));
        }
        *slot = Some(text.to_owned()).filter(|text| !text.is_empty());
        Ok(())
    }

    /// Refuses a POM that is not the one of its path. Values that the POM alone does not settle (`${revision}` given on the
    /// command line) say nothing and are let in, as Maven itself lets them.
    pub(super) fn agrees_with(&self, expected: &Expected<'_>) -> Result<(), Failure> {
        let group_id = self.group_id.as_ref().or(self.parent.group_id.as_ref());
        self.agrees("groupId", group_id, &[expected.group_id])?;
        self.agrees("artifactId", self.artifact_id.as_ref(), &[expected.artifact_id])?;
        self.agrees("version", self.version.as_ref().or(self.parent.version.as_ref()), expected.versions)
    }

    fn agrees(&self, field: &str, value: Option<&String>, expected: &[&str]) -> Result<(), Failure> {
        let Some(value) = value else {
            let expected = expected[0];
            return Err(disagreement(format!("The POM has no {field}, the path says '{expected}'")));
        };
        let value = self.resolve(value);
        if value.contains("${") || expected.contains(&value.as_str()) {
            return Ok(());
        }
        let value = excerpt(&value);
        Err(disagreement(format!("The POM has the {field} '{value}', the path says '{}'", expected[0])))
    }

    /// The value with `${…}` replaced by what the POM itself says, as far as it says it.
    fn resolve(&self, value: &str) -> String {
        let mut value = value.to_owned();
        for _ in 0..MAX_RESOLUTIONS {
            let next = self.resolve_once(&value);
            if next == value || next.len() > MAX_VALUE {
                break;
            }
            value = next;
        }
        value
    }

    fn resolve_once(&self, value: &str) -> String {
        let mut resolved = String::new();
        let mut rest = value;
        while let Some((before, after)) = rest.split_once("${") {
            resolved.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                rest = &rest[before.len()..];
                break;
            };
            match self.property(name) {
                Some(known) => resolved.push_str(known),
                None => resolved.extend(["${", name, "}"]),
            }
            rest = after;
        }
        resolved + rest
    }

    fn property(&self, name: &str) -> Option<&str> {
        let of_project =
            ["project.", "pom."].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
        let value = match of_project {
            "groupId" => self.group_id.as_ref().or(self.parent.group_id.as_ref()),
            "artifactId" => self.artifact_id.as_ref(),
            "version" => self.version.as_ref().or(self.parent.version.as_ref()),
            "parent.groupId" => self.parent.group_id.as_ref(),
            "parent.version" => self.parent.version.as_ref(),
            _ => self.properties.get(name),
        };
        value.map(String::as_str)
    }

    /// What the artifact is packed as; `jar` when it is not said.
    pub(super) fn packaging(&self) -> String {
        self.packaging.as_ref().map_or_else(|| "jar".to_owned(), |packaging| self.resolve(packaging))
    }

    /// The name for people.
    pub(super) fn name(&self) -> Option<String> {
        self.described.get("name").and_then(Value::as_str).map(|name| self.resolve(name))
    }

    /// What is kept of it with the version.
    pub(super) fn summary(&self) -> Map<String, Value> {
        let mut summary = Map::new();
        summary.insert("packaging".to_owned(), self.packaging().into());
        for (field, text) in &self.described {
            let text = text.as_str().unwrap_or_default();
            // A description is not resolved: it may be long, and nobody compares it.
            let value = if field == "description" { text.to_owned() } else { self.resolve(text) };
            if !value.is_empty() {
                summary.insert(field.clone(), value.into());
            }
        }
        if !self.licenses.is_empty() {
            summary.insert("licenses".to_owned(), self.licenses.clone().into());
        }
        if let Gav { group_id: Some(group_id), artifact_id: Some(artifact_id), version: Some(version) } =
            &self.parent
        {
            let parent = json!({ "groupId": group_id, "artifactId": artifact_id, "version": version });
            summary.insert("parent".to_owned(), parent);
        }
        summary
    }

    /// What it depends on, itself: neither what it only manages nor what its parent adds.
    pub(super) fn dependencies(&self) -> Vec<DeclaredDependency> {
        let mut seen = BTreeSet::new();
        let mut declared = Vec::new();
        for dependency in &self.dependencies {
            let Gav { group_id: Some(group_id), artifact_id: Some(artifact_id), version } = &dependency.gav
            else {
                continue;
            };
            let name = format!("{}/{}", self.resolve(group_id).replace('.', "/"), self.resolve(artifact_id));
            let version_pattern = version.as_ref().map(|version| self.resolve(version)).unwrap_or_default();
            let is_short =
                [&name, &version_pattern].iter().all(|text| text.len() <= domain::coordinates::MAX_LENGTH);
            let scope = self.resolve(&dependency.scope);
            let scope = if scope.is_empty() { "compile".to_owned() } else { scope };
            let kind = match scope.as_str() {
                "test" => DependencyType::DevDependencies,
                "provided" | "system" => DependencyType::PeerDependencies,
                _ if dependency.is_optional => DependencyType::PeerDependencies,
                _ => DependencyType::Dependencies,
            };
            if is_short && seen.insert((name.clone(), version_pattern.clone(), scope.clone())) {
                declared.push(DeclaredDependency { name, version_pattern, kind, scope });
            }
        }
        declared
    }
}

impl Gav {
    fn take(&mut self, field: &str, text: &str) {
        let slot = match field {
            "groupId" => &mut self.group_id,
            "artifactId" => &mut self.artifact_id,
            "version" => &mut self.version,
            _ => return,
        };
        *slot = Some(text.to_owned()).filter(|text| !text.is_empty());
    }
}

impl Dependency {
    fn take(&mut self, field: &str, text: &str) {
        match field {
            "scope" => text.clone_into(&mut self.scope),
            "optional" => self.is_optional = text == "true",
            _ => self.gav.take(field, text),
        }
    }
}

fn disagreement(message: String) -> Failure {
    Failure::invalid("files", message)
}
