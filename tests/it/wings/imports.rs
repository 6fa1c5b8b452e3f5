//! The imports between the files of a crate, in `use` items, in inline paths and inside macros.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{ItemMod, ItemUse, Macro, UseTree, Visibility};

/// The files of a crate below its `src`, by name.
pub(super) struct Crate(BTreeMap<String, File>);

/// A use of another part of the crate.
pub(super) struct Import<'a> {
    pub(super) file: &'a str,
    pub(super) line: usize,
    /// From the root of the crate.
    pub(super) path: Vec<String>,
}

/// Every `src` below a folder.
pub(super) fn sources(folder: &Path) -> Vec<PathBuf> {
    let folders = entries(folder).into_iter().filter(|path| path.is_dir());
    folders
        .flat_map(|path| if path.ends_with("src") { vec![path] } else { sources(&path) })
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder that can be read");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

impl Crate {
    pub(super) fn read(source: &Path) -> Self {
        let (mut files, mut folders) = (BTreeMap::new(), vec![source.to_owned()]);
        while let Some(folder) = folders.pop() {
            for path in entries(&folder) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    let name = path.strip_prefix(source).expect("it is below").to_string_lossy();
                    files.insert(name.into_owned(), fs::read_to_string(&path).expect("text"));
                }
            }
        }
        Self::of(files)
    }

    pub(super) fn of(files: BTreeMap<String, String>) -> Self {
        let parse = |(name, text): (String, String)| {
            let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut file = File { module: module_of(&name), ..File::default() };
            file.visit_file(&parsed);
            (name, file)
        };
        Self(files.into_iter().map(parse).collect())
    }

    /// Every path that leads somewhere in the crate.
    pub(super) fn imports(&self) -> impl Iterator<Item = Import<'_>> {
        self.0.iter().flat_map(|(file, parsed)| {
            parsed.paths.iter().filter_map(|used| {
                Some(Import { file, line: used.line, path: self.path_from_root(used)? })
            })
        })
    }

    /// A path from the root of the crate; `None` for a path into another crate.
    fn path_from_root(&self, used: &UsedPath) -> Option<Vec<String>> {
        let (first, rest) = used.segments.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => used.module.clone(),
            "super" => parent(&used.module)?,
            // A child of this module, as in `use child::Child`.
            name => {
                let child = [&used.module[..], &[name.to_owned()]].concat();
                self.file_of(&child)?;
                child
            }
        };
        for segment in rest {
            match segment.as_str() {
                "super" => base = parent(&base)?,
                name => base.push(name.to_owned()),
            }
        }
        (!base.is_empty()).then_some(base)
    }

    fn file_of(&self, module: &[String]) -> Option<String> {
        let path = module.join("/");
        let names = match path.as_str() {
            "" => ["lib.rs".to_owned(), "main.rs".to_owned()],
            path => [format!("{path}.rs"), format!("{path}/mod.rs")],
        };
        names.into_iter().find(|name| self.0.contains_key(name))
    }

    /// The file that defines what a path names, behind all re-exports.
    fn definition(&self, path: &[String]) -> Option<String> {
        let depth = (0..=path.len()).rev().find(|end| self.file_of(&path[..*end]).is_some())?;
        let file = self.file_of(&path[..depth])?;
        let exported = path.get(depth).and_then(|name| {
            let mut exports = self.0[&file].paths.iter();
            exports.find(|used| used.is_public && used.name.as_ref() == Some(name))
        });
        match exported.and_then(|used| self.path_from_root(used)) {
            Some(target) => self.definition(&[&target[..], &path[depth + 1..]].concat()),
            None => Some(file),
        }
    }

    /// The circles of files that import each other, each as `file:line -> file:line -> file`.
    ///
    /// The root of a crate starts everything, and a test stands beside the code it tests: neither
    /// makes a circle. A file that only passes an item on does not import it.
    pub(super) fn circles(&self) -> Vec<String> {
        let mut arrows = Arrows::new();
        for (file, parsed) in self.0.iter().filter(|(file, _)| !is_root(file) && !is_test(file)) {
            for used in parsed.paths.iter().filter(|used| !parsed.passes_on(used)) {
                let path = self.path_from_root(used);
                let target = path.and_then(|path| self.definition(&path));
                if let Some(target) = target.filter(|target| target != file && !is_root(target)) {
                    arrows.entry(file.clone()).or_default().entry(target).or_insert(used.line);
                }
            }
        }
        let circles: BTreeSet<_> =
            arrows.keys().filter_map(|start| circle_through(start, &arrows)).collect();
        circles.into_iter().collect()
    }
}

/// From a file to those it imports, with the line.
type Arrows = BTreeMap<String, BTreeMap<String, usize>>;

/// The shortest circle through a file. Every file of the circle gives the same text.
fn circle_through(start: &str, arrows: &Arrows) -> Option<String> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for target in arrows.get(*way.last()?).into_iter().flat_map(BTreeMap::keys) {
            if target == start {
                return Some(describe(way, arrows));
            }
            if seen.insert(target) {
                ways.push_back([&way[..], &[target]].concat());
            }
        }
    }
    None
}

fn describe(mut circle: Vec<&str>, arrows: &Arrows) -> String {
    let first = (0..circle.len()).min_by_key(|place| circle[*place]).unwrap_or_default();
    circle.rotate_left(first);
    let ends = circle.iter().cycle().skip(1);
    let lines: Vec<_> = circle
        .iter()
        .zip(ends)
        .map(|(file, target)| format!("{file}:{}", arrows[*file][*target]))
        .collect();
    format!("{} -> {}", lines.join(" -> "), circle[0])
}

fn is_root(file: &str) -> bool {
    matches!(file, "lib.rs" | "main.rs")
}

fn is_test(file: &str) -> bool {
    file.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "test_env.rs"))
}

fn parent(module: &[String]) -> Option<Vec<String>> {
    module.split_last().map(|(_, parent)| parent.to_vec())
}

fn module_of(file: &str) -> Vec<String> {
    if is_root(file) {
        return Vec::new();
    }
    let path = file.strip_suffix(".rs").unwrap_or(file);
    path.strip_suffix("/mod").unwrap_or(path).split('/').map(str::to_owned).collect()
}

/// What a file uses.
#[derive(Default)]
struct File {
    /// The module that is being read: the file's own, or one inside it.
    module: Vec<String>,
    paths: Vec<UsedPath>,
    /// Every name outside of `use` items.
    names: BTreeSet<String>,
}

/// A path as a module writes it.
struct UsedPath {
    module: Vec<String>,
    line: usize,
    segments: Vec<String>,
    /// The name that a `use` item brings in.
    name: Option<String>,
    is_public: bool,
}

impl File {
    fn add(&mut self, segments: &[Ident], name: Option<&Ident>, is_public: bool) {
        let Some(first) = segments.first() else { return };
        self.paths.push(UsedPath {
            module: self.module.clone(),
            line: first.span().start().line,
            segments: segments.iter().map(Ident::to_string).collect(),
            name: name.map(Ident::to_string),
            is_public,
        });
    }

    fn passes_on(&self, used: &UsedPath) -> bool {
        used.is_public && used.name.as_ref().is_some_and(|name| !self.names.contains(name))
    }

    fn add_tree(&mut self, tree: &UseTree, base: &[Ident], is_public: bool) {
        let with = |ident: &Ident| [base, std::slice::from_ref(ident)].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&path.tree, &with(&path.ident), is_public),
            UseTree::Name(name) if name.ident == "self" => {
                self.add(base, base.last(), is_public);
            }
            UseTree::Name(name) => self.add(&with(&name.ident), Some(&name.ident), is_public),
            UseTree::Rename(name) if name.ident == "self" => {
                self.add(base, Some(&name.rename), is_public);
            }
            UseTree::Rename(name) => {
                self.add(&with(&name.ident), Some(&name.rename), is_public);
            }
            UseTree::Glob(_) => self.add(base, None, is_public),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(tree, base, is_public);
                }
            }
        }
    }

    /// Paths and names inside a macro, which is only a list of tokens.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<Ident> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.add_inline(&std::mem::take(&mut path));
                    }
                    colons = 0;
                    path.push(ident);
                }
                other => {
                    colons = 0;
                    self.add_inline(&std::mem::take(&mut path));
                    if let TokenTree::Group(group) = other {
                        self.add_tokens(group.stream());
                    }
                }
            }
        }
        self.add_inline(&path);
    }

    fn add_inline(&mut self, path: &[Ident]) {
        self.names.extend(path.iter().map(Ident::to_string));
        if path.len() > 1 {
            self.add(path, None, false);
        }
    }
}

impl<'ast> Visit<'ast> for File {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_public = !matches!(item.vis, Visibility::Inherited);
        self.add_tree(&item.tree, &[], is_public);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    /// `pub(in a::b)` names a module and imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path.segments.iter().map(|part| part.ident.clone()).collect();
        self.add_inline(&segments);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.visit_path(&item.path);
        self.add_tokens(item.tokens.clone());
    }
}
