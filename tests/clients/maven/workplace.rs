//! Maven in a workplace of its own, and projects for it.

use std::path::PathBuf;

use crate::{
    clients::{Registry, Workplace, tools},
    server::ROOT_TOKEN,
};

/// A project, with its plugins pinned.
pub(super) const POM: &str = include_str!("pom.xml");

/// How a client shows who it is.
#[derive(Clone, Debug)]
pub(super) enum Credential {
    /// User name and password.
    Basic(String, String),
    /// A header and the token in it.
    Header(&'static str, String),
}

impl Credential {
    pub(super) fn root() -> Self {
        Self::Basic("root".to_owned(), ROOT_TOKEN.to_owned())
    }

    /// The four ways that GitLab's documentation has, with what tests call them.
    pub(super) fn writers(registry: &Registry) -> [(&'static str, Self); 4] {
        let (username, token) = registry.deploy_token.clone();
        [
            ("basic-pat", Self::root()),
            ("basic-deploy", Self::Basic(username, token.clone())),
            ("header-pat", Self::Header("Private-Token", ROOT_TOKEN.to_owned())),
            ("header-deploy", Self::Header("Deploy-Token", token)),
        ]
    }

    pub(super) fn reader(registry: &Registry) -> Self {
        let (username, token) = registry.group_reader.clone();
        Self::Basic(username, token)
    }

    fn server(&self) -> String {
        match self {
            Self::Basic(username, password) => {
                format!("<username>{username}</username><password>{password}</password>")
            }
            Self::Header(name, value) => format!(
                "<configuration><httpHeaders><property><name>{name}</name><value>{value}</value></property></httpHeaders>\
                 </configuration>"
            ),
        }
    }
}

/// Maven in a workplace of its own.
pub(super) struct Maven {
    pub(super) place: Workplace,
    cache: PathBuf,
}

impl Maven {
    pub(super) fn new(program: &str) -> Option<Self> {
        let mut place = Workplace::new(&[program], "")?;
        // Most of the time of a short run is the compiler's.
        place.set("MAVEN_OPTS", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1");
        let cache = tools()?.parent()?.join("m2");
        Some(Self { place, cache })
    }

    /// Writes the settings: who the client is, and plugins from what `.ci/jvm` fetched.
    pub(super) fn settings(&self, credential: Option<&Credential>) {
        let server = credential.map_or_else(String::new, |credential| {
            format!("<servers><server><id>registry</id>{}</server></servers>", credential.server())
        });
        let cache = self.cache.display();
        self.place.write(
            "settings.xml",
            &format!(
                "<settings>{server}<mirrors><mirror><id>cache</id><url>file://{cache}</url><mirrorOf>central</mirrorOf></mirror>\
                 </mirrors><pluginGroups><pluginGroup>com.acme</pluginGroup></pluginGroups></settings>"
            ),
        );
    }

    /// Writes a project with one class in it.
    pub(super) fn project(&self, folder: &str, project: &Project<'_>) {
        let dependencies: Vec<String> = project
            .dependencies
            .iter()
            .map(|(coordinates, version, more)| {
                let (group, artifact) = coordinates.split_once(':').unwrap_or(("com.acme", coordinates));
                format!(
                    "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>\
                     {more}</dependency>"
                )
            })
            .collect();
        let pom = POM
            .replace("@artifact@", project.artifact)
            .replace("@version@", project.version)
            .replace("@packaging@", project.packaging)
            .replace("@registry@", project.registry)
            .replace("@dependencies@", &dependencies.concat());
        self.place.write(&format!("{folder}/pom.xml"), &pom);
        let class =
            format!("public class Lib {{ public static String VERSION = \"{}\"; }}\n", project.content);
        self.place.write(&format!("{folder}/src/main/java/Lib.java"), &class);
    }

    pub(super) fn arguments<'a>(goals: &[&'a str]) -> Vec<&'a str> {
        // Java asks the system for the home, not the environment.
        let mut arguments = vec![
            "--batch-mode",
            "--errors",
            "--no-transfer-progress",
            "--settings",
            "../settings.xml",
            "-Dmaven.repo.local=../repository",
            "-Duser.home=../home",
        ];
        arguments.extend(goals);
        arguments
    }

    #[track_caller]
    pub(super) fn run(&self, folder: &str, goals: &[&str]) -> String {
        self.place.run(folder, &Self::arguments(goals))
    }

    #[track_caller]
    pub(super) fn refused(&self, folder: &str, goals: &[&str]) -> String {
        self.place.refused(folder, &Self::arguments(goals))
    }

    /// Forgets what was resolved, so that the registry is asked again.
    pub(super) fn forget(&self) {
        let _ = std::fs::remove_dir_all(self.place.path("repository/com/acme"));
    }
}

/// A project to build.
pub(super) struct Project<'a> {
    pub(super) artifact: &'a str,
    pub(super) version: &'a str,
    pub(super) packaging: &'a str,
    pub(super) registry: &'a str,
    pub(super) content: &'a str,
    pub(super) dependencies: Vec<(&'a str, &'a str, &'a str)>,
}

impl<'a> Project<'a> {
    pub(super) fn library(artifact: &'a str, version: &'a str, registry: &'a str) -> Self {
        Self { artifact, version, packaging: "jar", registry, content: version, dependencies: Vec::new() }
    }

    pub(super) fn depends(mut self, artifact: &'a str, version: &'a str) -> Self {
        self.dependencies.push((artifact, version, ""));
        self
    }
}
