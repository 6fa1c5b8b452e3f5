//! The picture of the code: the wings of `shared` use only the wings below them, and no two files of
//! a crate import each other, directly or in a longer circle.

mod imports;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use imports::{Crate, Import};

/// Each wing of `shared`, and the wings that it may use. `config` is the composition root.
const ARROWS: [(&str, &[&str]); 10] = [
    ("lenient", &[]),
    ("host", &[]),
    ("domain", &["lenient"]),
    ("store", &["domain", "lenient", "host"]),
    ("microsoft", &["domain", "lenient", "host"]),
    ("publisher", &["microsoft", "store", "domain", "lenient", "host"]),
    ("sign_in", &["microsoft", "store", "domain", "lenient", "host"]),
    ("flows", &["publisher", "microsoft", "store", "domain", "lenient", "host"]),
    ("web", &["host"]),
    ("config", &["web", "flows", "publisher", "microsoft", "store", "domain", "lenient", "host"]),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace")
}

/// The imports that no arrow allows, each with its file and line.
fn wrong_arrows(shared: &Crate) -> Vec<String> {
    let allowed = BTreeMap::from(ARROWS);
    let mut wrong = Vec::new();
    for Import { file, line, path } in shared.imports() {
        let [from, to] = [file, &path[0]].map(wing);
        // The root of the crate only declares the wings.
        if from == "lib" || from == to {
            continue;
        }
        let uses = allowed.get(from).unwrap_or_else(|| panic!("{file}: {from} is not in ARROWS"));
        if allowed.contains_key(to) && !uses.contains(&to) {
            wrong.push(format!("shared/src/{file}:{line}: {from} must not use {to}"));
        }
    }
    wrong
}

/// The first part of a path, without an ending.
fn wing(place: &str) -> &str {
    let first = place.split('/').next().unwrap_or(place);
    first.strip_suffix(".rs").unwrap_or(first)
}

#[test]
fn a_wing_of_shared_uses_only_the_wings_below_it() {
    let shared = Crate::read(&workspace().join("shared/src"));
    assert!(shared.imports().count() > 300, "the imports are found");
    assert_eq!(wrong_arrows(&shared), [""; 0]);
}

#[test]
fn no_files_of_a_crate_import_each_other_in_a_circle() {
    let workspace = workspace();
    let folders = ["shared", "functions", "tests"].map(|folder| workspace.join(folder));
    let sources = folders.iter().flat_map(|folder| imports::sources(folder));
    let circles: Vec<_> = sources
        .flat_map(|source| {
            let name = source.strip_prefix(&workspace).expect("it is inside").to_owned();
            let circles = Crate::read(&source).circles();
            circles.into_iter().map(move |circle| format!("{}: {circle}", name.display()))
        })
        .collect();
    assert_eq!(circles, [""; 0]);
}

/// A crate in memory, for tests of the test.
fn crate_of(files: &[(&str, &str)]) -> Crate {
    Crate::of(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

#[test]
fn a_wrong_arrow_is_found_in_every_form_of_an_import() {
    for (text, line) in [
        ("use crate::store::Store;", 1),
        ("//! Rules.\n\nuse crate::{\n    lenient,\n    store::Store,\n};", 3),
        ("fn rule(store: &dyn crate::store::Store) {}", 1),
        ("use super::super::store::Store;", 1),
        ("pub use crate::store;", 1),
        ("use crate::store::{self as table};", 1),
    ] {
        let shared = crate_of(&[
            ("lib.rs", "mod domain;\nmod store;"),
            ("domain/mod.rs", "mod record;"),
            ("domain/record.rs", text),
            ("store/mod.rs", "pub trait Store {}"),
        ]);
        let expected = format!("shared/src/domain/record.rs:{line}: domain must not use store");
        assert_eq!(wrong_arrows(&shared), [expected], "{text}");
    }
    let mentioned =
        crate_of(&[("domain/record.rs", "// crate::store\n/// [`crate::store`]\nstruct A;")]);
    assert_eq!(wrong_arrows(&mentioned), [""; 0], "a comment imports nothing");
}

#[test]
fn a_circle_is_found_behind_a_re_export_and_through_a_third_file() {
    let two = crate_of(&[
        ("lib.rs", "mod a;\nmod b;\npub use a::A;\npub use b::B;"),
        ("a.rs", "use super::B;\npub struct A;"),
        ("b.rs", "use crate::A;\npub struct B;"),
    ]);
    assert_eq!(two.circles(), ["a.rs:1 -> b.rs:1 -> a.rs"]);
    let three = crate_of(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;"),
        ("a.rs", "fn a() { crate::b::b() }"),
        ("b.rs", "use crate::c::c;\npub fn b() { c() }"),
        ("c.rs", "use super::a;\npub fn c() { a::a() }"),
    ]);
    assert_eq!(three.circles(), ["a.rs:1 -> b.rs:1 -> c.rs:1 -> a.rs"]);
    let parent = crate_of(&[
        ("lib.rs", "mod parent;"),
        ("parent/mod.rs", "mod child;\nuse child::Child;\npub struct Parent(Child);"),
        ("parent/child.rs", "use super::Parent;\npub struct Child(Box<Parent>);"),
    ]);
    assert_eq!(parent.circles(), ["parent/child.rs:1 -> parent/mod.rs:2 -> parent/child.rs"]);
    let facade = crate_of(&[
        ("lib.rs", "mod parent;"),
        ("parent/mod.rs", "mod child;\npub use child::Child;\npub trait Parent {}"),
        ("parent/child.rs", "use super::Parent;\npub struct Child(Box<dyn Parent>);"),
    ]);
    assert_eq!(facade.circles(), [""; 0], "a re-export that the file itself does not use");
    let visible = crate_of(&[
        ("lib.rs", "mod parent;"),
        ("parent/mod.rs", "mod child;\nfn parent() { child::child() }"),
        ("parent/child.rs", "pub(in crate::parent) fn child() {}"),
    ]);
    assert_eq!(visible.circles(), [""; 0], "a visibility");
}
