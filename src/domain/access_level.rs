//! Roles of members and scopes of tokens.

use std::fmt;

/// What a member may do, from least to most. The numbers are GitLab's access levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i16)]
pub enum Role {
    /// Sees a private project, but not its packages.
    Guest = 10,
    /// Views and pulls packages of a private project.
    Reporter = 20,
    /// Publishes.
    Developer = 30,
    /// Deletes, manages protection, deploy tokens and members of a project.
    Maintainer = 40,
    /// Manages a namespace: its settings, its members, its tokens.
    Owner = 50,
}

impl Role {
    /// Every role, lowest first.
    pub const ALL: &[Self] = &[Self::Guest, Self::Reporter, Self::Developer, Self::Maintainer, Self::Owner];

    /// GitLab's integer for the role.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The role with GitLab's integer `number`.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.number() == number)
    }
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// A permission carried by a token, with GitLab's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Scope { $($(#[$doc])* $variant),+ }

        impl Scope {
            /// Every scope.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// GitLab's name of the scope.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The scope called `name`.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

scopes! {
    /// Everything its owner may do.
    Api = "api",
    /// Everything its owner may read.
    ReadApi = "read_api",
    /// The owner's own profile.
    ReadUser = "read_user",
    /// View and pull packages.
    ReadPackageRegistry = "read_package_registry",
    /// Publish packages; includes viewing and pulling, as in GitLab.
    WritePackageRegistry = "write_package_registry",
    /// Accepted for scripts written for GitLab; opens nothing here.
    ReadRepository = "read_repository",
    /// Accepted for scripts written for GitLab; opens nothing here.
    ReadRegistry = "read_registry",
    /// Accepted for scripts written for GitLab; opens nothing here.
    WriteRegistry = "write_registry",
}

impl Scope {
    /// Scopes a personal access token may carry.
    pub const PERSONAL: &[Self] =
        &[Self::Api, Self::ReadApi, Self::ReadUser, Self::ReadPackageRegistry, Self::WritePackageRegistry];
    /// Scopes a deploy token may carry.
    pub const DEPLOY: &[Self] = &[
        Self::ReadPackageRegistry,
        Self::WritePackageRegistry,
        Self::ReadRepository,
        Self::ReadRegistry,
        Self::WriteRegistry,
    ];
}

/// A set of scopes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u16);

impl Scopes {
    /// The set that holds every scope: a session without a token in between.
    pub const fn all() -> Self {
        Self(u16::MAX)
    }

    /// Whether the set holds `scope`.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u16) != 0
    }

    /// Whether the set holds any of `scopes`.
    pub fn contains_any(self, scopes: &[Scope]) -> bool {
        scopes.iter().any(|scope| self.contains(*scope))
    }

    /// The scopes in the set, in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.contains(*scope))
    }

    /// The set as stored: names separated by a space.
    pub fn to_text(self) -> String {
        self.iter().map(Scope::name).collect::<Vec<_>>().join(" ")
    }

    /// Reads what [`Scopes::to_text`] wrote; unknown names are ignored, so that they can only narrow.
    pub fn from_text(text: &str) -> Self {
        text.split_whitespace().filter_map(Scope::from_name).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | 1 << scope as u16))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter().map(Scope::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Scope, Scopes};

    #[test]
    fn a_set_survives_storage_and_unknown_names_grant_nothing() {
        let set: Scopes = [Scope::Api, Scope::ReadPackageRegistry].into_iter().collect();
        assert_eq!(Scopes::from_text(&set.to_text()), set);
        assert_eq!(Scopes::from_text("root everything"), Scopes::default());
    }
}
