//! Names, versions and their order, file names.

use std::{cmp::Ordering, str::FromStr as _};

use domain::rules::FormatRules as _;
use pep440_rs::Version;
use proptest::prelude::*;

use crate::pypi::{
    metadata::file_name::{FileKind, FileName},
    rules::{PypiRules, normalized},
};

#[test]
fn names_are_compared_as_pep_503_has_it() {
    for (name, key) in [
        ("acme", "acme"),
        ("Friendly-Bard", "friendly-bard"),
        ("FRIENDLY.BARD", "friendly-bard"),
        ("friendly__bard", "friendly-bard"),
        ("FrIeNdLy-._.-bArD", "friendly-bard"),
        ("a", "a"),
        ("0", "0"),
    ] {
        let checked = PypiRules.name(name).expect(name);
        assert_eq!((checked.display.as_str(), checked.key.as_str()), (name, key));
    }
    let long = "a".repeat(256);
    for bad in
        ["", "-a", "a-", ".a", "a_", "a b", "a/b", "..", "a\n", "\u{e4}", "a+b", "@a/b", "a%2fb", &long]
    {
        let failure = PypiRules.name(bad).expect_err(bad);
        assert!(failure.message.starts_with("Name is invalid"), "{failure}");
    }
}

#[test]
fn versions_are_compared_as_pep_440_has_it() {
    for (version, key) in [
        ("1.0", "1"),
        ("1.0.0", "1"),
        ("v1.0", "1"),
        ("1.0.0-rc.1", "1rc1"),
        ("1.0c1", "1rc1"),
        ("1.0-1", "1.post1"),
        ("1.0.DEV3", "1.dev3"),
        ("1!2.0", "1!2"),
        ("1.0+Ubuntu-1", "1+ubuntu.1"),
        ("0", "0"),
        ("0.0", "0"),
        ("2012.10", "2012.10"),
        ("1.0a1.post2.dev3", "1a1.post2.dev3"),
    ] {
        let checked = PypiRules.version(version).expect(version);
        assert_eq!((checked.display.as_str(), checked.key.as_str()), (version, key));
    }
    for bad in
        ["", "latest", "1.0.x", " 1.0", "1.0\n", "1.0-foo", "1.*", "1..0", "99999999999999999999.0", "1/0"]
    {
        let failure = PypiRules.version(bad).expect_err(bad);
        assert!(failure.message.starts_with("Version is invalid"), "{failure}");
    }
}

#[test]
fn the_order_is_that_of_pep_440() {
    let ascending = "0.9 1.dev0 1.0.dev456 1.0a1.dev1 1.0a1 1.0a2.dev456 1.0a12.dev456 1.0a12 1.0b1.dev456 1.0b2 \
                     1.0b2.post345.dev456 1.0b2.post345 1.0rc1.dev456 1.0rc1 1.0 1.0+abc.5 1.0+abc.7 1.0+5 1.0+5.a \
                     1.0.post456.dev34 1.0.post456 1.0.15 1.1.dev1 1.10 2 10 1!0.1";
    let versions: Vec<_> = ascending.split_whitespace().collect();
    for pair in versions.windows(2) {
        let order = |text: &str| PypiRules.version(text).expect(text).order;
        assert!(order(pair[0]) < order(pair[1]), "{} before {}", pair[0], pair[1]);
    }
}

#[test]
fn file_names_have_to_be_of_the_coordinates() {
    for (name, version, good) in [
        ("acme-web", "1.0", "acme_web-1.0-py3-none-any.whl"),
        ("Acme.Web", "1.0", "Acme.Web-1.0-py2.py3-none-any.whl"),
        ("acme", "1.0", "acme-1.0-1-py3-none-any.whl"),
        ("acme", "1.0", "acme-1.0-1abc-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
        ("acme", "1.0.0", "acme-1.0-py3-none-any.whl"),
        ("acme", "1.0+cu118", "acme-1.0+cu118-cp312-cp312-linux_x86_64.whl"),
        ("acme", "1.0-1", "acme-1.0.post1.tar.gz"),
        ("acme", "1.0-1", "acme-1.0-1.tar.gz"),
        ("acme-web", "1.0", "acme_web-1.0.tar.gz"),
        ("acme-web", "1.0", "acme-web-1.0.tar.gz"),
        ("acme-web", "1.0", "acme-web-1.0.zip"),
        ("acme-2", "1.0", "acme-2-1.0.tar.gz"),
    ] {
        let (checked, version) =
            (PypiRules.name(name).expect(name), PypiRules.version(version).expect(version));
        assert_eq!(PypiRules.file_name(&checked, Some(&version), good).expect(good), good);
        PypiRules.file_name(&checked, None, good).expect("a file of the package");
    }
    let (name, version) =
        (PypiRules.name("acme-web").expect("a name"), PypiRules.version("1.0").expect("a version"));
    for bad in [
        "",
        "acme_web-1.0.egg",
        "acme_web-1.0.tar.bz2",
        "acme_web-1.0.exe",
        "acme_web-1.0",
        "acme_web.tar.gz",
        "acme_web-.tar.gz",
        "other-1.0.tar.gz",
        "acme_web-1.1.tar.gz",
        "acme_web-1.1-py3-none-any.whl",
        "acme_web-1.0-py3-none.whl",
        "acme_web-1.0-x-py3-none-any.whl",
        "acme_web-1.0-py3-none-any-any-any.whl",
        "acme-web-1.0-py3-none-any.whl",
        "acme_web-1.0-py3--any.whl",
        "acme_web-1.0-py3-none-a ny.whl",
        "../acme_web-1.0.tar.gz",
        "dir/acme_web-1.0.tar.gz",
        "acme_web-1.0.tar.gz\n",
        "acme_web-1.0-py3-none-any.whl.metadata",
    ] {
        let failure = PypiRules.file_name(&name, Some(&version), bad).expect_err(bad);
        assert!(failure.message.starts_with("File name is invalid: '"), "{failure}");
    }
}

#[test]
fn what_a_file_may_be_of_is_found_with_the_longest_name_first() {
    let file = FileName::parse("a-1-2.tar.gz").expect("a file name");
    let found: Vec<_> = file.candidates().map(|candidate| (candidate.name, candidate.version)).collect();
    assert_eq!(file.kind, FileKind::TarGz);
    assert_eq!(found, [("a-1".to_owned(), "2".to_owned()), ("a".to_owned(), "1.post2".to_owned())]);
}

#[test]
fn tags_are_expanded() {
    let file = FileName::parse("a-1-py2.py3-none-WIN32.any.whl").expect("a file name");
    let tags: Vec<_> = file.tags.expect("a wheel").expanded().collect();
    assert_eq!(tags, ["py2-none-win32", "py2-none-any", "py3-none-win32", "py3-none-any"]);
}

fn any_version() -> impl Strategy<Value = String> {
    let number = || prop_oneof![Just(0_u64), 0..12_u64, any::<u64>()];
    let release = proptest::collection::vec(number(), 1..4)
        .prop_map(|numbers| numbers.iter().map(u64::to_string).collect::<Vec<_>>().join("."));
    let epoch = prop_oneof![4 => Just(String::new()), 1 => (0..3_u64).prop_map(|epoch| format!("{epoch}!"))];
    let numbered = |letters: &'static [&'static str]| {
        let number = (proptest::sample::select(letters), number());
        prop_oneof![Just(String::new()), number.prop_map(|(letter, number)| format!("{letter}{number}"))]
    };
    let local = prop_oneof![2 => Just(String::new()), 1 => "\\+[a-z0-9]{1,3}(\\.[a-z0-9]{1,3}){0,2}"];
    (epoch, release, numbered(&["a", "b", "rc"]), numbered(&[".post"]), numbered(&[".dev"]), local).prop_map(
        |(epoch, release, pre, post, dev, local)| format!("{epoch}{release}{pre}{post}{dev}{local}"),
    )
}

fn check_harmless(raw: &str) {
    if let Ok(name) = PypiRules.name(raw) {
        assert_eq!(normalized(&name.key), name.key);
        assert!(name.key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    }
    if let Ok(version) = PypiRules.version(raw) {
        assert!(version.display.is_ascii());
    }
    let Some(file) = FileName::parse(raw) else { return };
    for candidate in file.candidates() {
        let name = PypiRules.name(&candidate.name).expect("a name");
        let version = PypiRules.version(&candidate.version).expect("a version");
        if let Ok(stored) = PypiRules.file_name(&name, Some(&version), raw) {
            assert!(domain::coordinates::is_safe_segment(&stored));
            assert_eq!(PypiRules.file_name(&name, Some(&version), &stored).as_deref(), Ok(raw));
        }
    }
}

proptest! {
    #[test]
    fn order_and_key_agree_with_pep_440(first in any_version(), second in any_version()) {
        let parse = |text: &str| Version::from_str(text).expect("valid");
        let order = parse(&first).cmp(&parse(&second));
        let (left, right) = (PypiRules.version(&first).expect("valid"), PypiRules.version(&second).expect("valid"));
        prop_assert_eq!(left.order.cmp(&right.order), order, "{} {}", first, second);
        prop_assert_eq!(left.key == right.key, order == Ordering::Equal);
        prop_assert_eq!(PypiRules.version(&left.key).expect("a version").key, left.key);
    }

    #[test]
    fn nothing_panics_and_what_is_accepted_is_harmless(
        text in "\\PC{0,40}", stem in "[a-zA-Z0-9._-]{1,12}", end in "(\\.whl|\\.tar\\.gz|\\.zip|)"
    ) {
        check_harmless(&text);
        check_harmless(&format!("{stem}{end}"));
        check_harmless(&format!("{text}-1.0{end}"));
        check_harmless(&format!("{stem}-1.0-py3-none-any{end}"));
    }
}
