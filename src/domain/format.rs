//! The list of package formats. Adding a format starts here, with one row.

/// Calls a macro with one row per package format: `Variant, "slug", SDL_NAME, stored number, "Title"`.
///
/// The Rust enum below and the SDL enum of the `graphql` crate both expand from this list, so they cannot differ.
/// The numbers are GitLab's where GitLab has the format: it stores them and sorts by them.
#[macro_export]
macro_rules! for_each_format {
    ($($callback:tt)+) => {
        $($callback)+! {
            (Maven, "maven", MAVEN, 1, "Maven"),
            (Npm, "npm", NPM, 2, "npm"),
            (Conan, "conan", CONAN, 3, "Conan"),
            (Nuget, "nuget", NUGET, 4, "NuGet"),
            (Pypi, "pypi", PYPI, 5, "PyPI"),
            (Composer, "composer", COMPOSER, 6, "Composer"),
            (Generic, "generic", GENERIC, 7, "Generic"),
            (Golang, "golang", GOLANG, 8, "Go"),
            (Debian, "debian", DEBIAN, 9, "Debian"),
            (Rubygems, "rubygems", RUBYGEMS, 10, "RubyGems"),
            (Helm, "helm", HELM, 11, "Helm"),
            (TerraformModule, "terraform_module", TERRAFORM_MODULE, 12, "Terraform module"),
            (Rpm, "rpm", RPM, 13, "RPM"),
            (MlModel, "ml_model", ML_MODEL, 14, "Machine learning model"),
            (Cargo, "cargo", CARGO, 15, "Cargo"),
        }
    };
}

macro_rules! define_package_format {
    ($(($variant:ident, $slug:literal, $sdl:ident, $number:literal, $title:literal)),+ $(,)?) => {
        /// A package format. The discriminant is the number stored in the database.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(i16)]
        pub enum PackageFormat {
            $(#[doc = $title] $variant = $number),+
        }

        impl PackageFormat {
            /// Every format, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The format's name in URLs, REST parameters and JSON.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),+ }
            }

            /// The name people read.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// The format's name in the GraphQL schema.
            pub const fn sdl_name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($sdl)),+ }
            }

            /// The format with this stored number, if any has it.
            pub const fn from_number(number: i16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

for_each_format!(define_package_format);

impl PackageFormat {
    /// The number stored in the database, which is also what lists sorted by type are sorted by.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The format with this slug, if any has it.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.slug() == slug)
    }
}

#[cfg(test)]
mod tests {
    use super::PackageFormat;

    #[test]
    fn numbers_and_slugs_are_unique_and_lead_back() {
        for format in PackageFormat::ALL {
            assert_eq!(PackageFormat::from_number(format.number()), Some(*format));
            assert_eq!(PackageFormat::from_slug(format.slug()), Some(*format));
        }
        assert_eq!(PackageFormat::from_number(0), None);
    }
}
