//! The page of facts matches the code that cites it: every cited id is explained, every explained
//! id is cited, and every case of the conformance list names its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = "shared/FACTS.md";

/// The kinds of file that can cite facts.
const ENDINGS: [&str; 6] = ["rs", "md", "yaml", "toml", "json", "html"];

#[test]
fn every_cited_id_is_explained_on_the_page() {
    let page = page();
    let (ids, groups) = (defined(&page), groups(&page));
    let mut missing = BTreeMap::<String, BTreeSet<PathBuf>>::new();
    for (file, text) in files() {
        for citation in citations(&text) {
            let known = match &citation {
                Citation::One(id) => ids.contains(id),
                Citation::Group(group) => groups.contains(group),
            };
            if !known {
                missing.entry(citation.text()).or_default().insert(file.clone());
            }
        }
    }
    assert!(missing.is_empty(), "cited, but not in {PAGE}: {missing:#?}");
}

#[test]
fn every_id_on_the_page_is_cited_somewhere() {
    let page = page();
    let cited: BTreeSet<String> = files()
        .into_iter()
        .filter(|(file, _)| file != Path::new(PAGE))
        .flat_map(|(_, text)| citations(&text))
        .map(|citation| citation.text())
        .collect();
    let uncited: Vec<String> = defined(&page)
        .into_iter()
        .filter(|id| !cited.contains(id) && !uncovered(&page).contains(id))
        .collect();
    assert!(uncited.is_empty(), "in {PAGE}, but cited nowhere: {uncited:?}");
}

#[test]
fn every_fact_is_listed_once_under_its_group() {
    let mut group = None;
    let mut seen = BTreeSet::new();
    for line in page().lines() {
        if line.starts_with('#') {
            group = citations(line).into_iter().map(|citation| citation.text()).next();
        }
        let Some(id) = first_cell(line) else { continue };
        assert!(seen.insert(id.clone()), "{id} is twice in {PAGE}");
        if let Some((fact, _)) = id.rsplit_once('-').filter(|(fact, _)| fact.contains('-')) {
            assert_eq!(group.as_deref(), Some(fact), "the heading above {id}");
        }
    }
    assert!(!seen.is_empty(), "{PAGE} explains no id");
}

#[test]
fn every_case_names_its_test_files_or_says_not_covered() {
    let files: BTreeMap<PathBuf, String> = files().into_iter().collect();
    let page = page();
    for line in page.lines() {
        let Some(id) = first_cell(line).filter(|id| id.starts_with("T-")) else { continue };
        let named: Vec<&str> =
            last_cell(line).split('`').filter(|part| part.ends_with(".rs")).collect();
        assert_eq!(named.is_empty(), uncovered(&page).contains(&id), "{id}: files, or none");
        for name in named {
            let text = files.get(Path::new(name)).unwrap_or_else(|| panic!("{id}: no {name}"));
            assert!(citations(text).contains(&Citation::One(id.clone())), "{id} isn't in {name}");
        }
        if uncovered(&page).contains(&id) {
            let holders: Vec<_> = files
                .iter()
                .filter(|(file, _)| file.extension().is_some_and(|ending| ending == "rs"))
                .filter(|(_, text)| citations(text).contains(&Citation::One(id.clone())))
                .map(|(file, _)| file)
                .collect();
            assert!(holders.is_empty(), "{id} is covered by {holders:?}");
        }
    }
}

#[test]
fn ids_are_cited_one_by_one_and_never_as_a_range() {
    for (file, text) in files() {
        for (end, word) in words(&text) {
            let rest = &text[end..];
            let after = ["..", "…", "–"].iter().find_map(|dots| rest.strip_prefix(dots));
            let is_range = after.is_some_and(|after| after.starts_with(|c: char| c.is_numeric()));
            let is_id = matches!(citation(word), Some(Citation::One(_)));
            assert!(!(is_id && is_range), "{}: {word} begins a range", file.display());
        }
    }
}

#[test]
fn citations_are_found_in_prose_in_lists_and_in_test_names() {
    let found = |text: &str| -> Vec<String> {
        citations(text).into_iter().map(|citation| citation.text()).collect()
    };
    // Composed at run time, so that they are no citations themselves.
    let [group, case] = [["F", "ABC"].join("-"), ["T", "99"].join("-")];
    let fact = [group.as_str(), "7"].join("-");
    assert_eq!(found(&["(", &fact, ", ", &case, "): "].concat()), [fact.clone(), case.clone()]);
    assert_eq!(found(&["async fn t", "_99_", "name()"].concat()), [case]);
    assert_eq!(
        found(&["the whole of ", &group, ", and ", &group, "-*"].concat()),
        [group.clone(), group]
    );
    assert_eq!(found("UTF-8, T-shirt, F-16, 4D-1, t_x_1, Y-T-99, at_1_time"), [""; 0]);
}

/// A citation in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Citation {
    One(String),
    Group(String),
}

impl Citation {
    fn text(&self) -> String {
        match self {
            Self::One(text) | Self::Group(text) => text.clone(),
        }
    }
}

fn citation(word: &str) -> Option<Citation> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if let Some((number, _)) = word.strip_prefix("t_").and_then(|rest| rest.split_once('_')) {
        return is_number(number).then(|| Citation::One(format!("T-{number}")));
    }
    let is_group = |part: &str| part.len() > 1 && part.bytes().all(|b| b.is_ascii_uppercase());
    match word.trim_end_matches('-').split('-').collect::<Vec<_>>()[..] {
        ["F", group, number] if is_group(group) && is_number(number) => {
            Some(Citation::One(format!("F-{group}-{number}")))
        }
        ["F", group] if is_group(group) => Some(Citation::Group(format!("F-{group}"))),
        [kind @ ("T" | "D" | "Q"), number] if is_number(number) => {
            Some(Citation::One(format!("{kind}-{number}")))
        }
        _ => None,
    }
}

fn citations(text: &str) -> Vec<Citation> {
    words(text).into_iter().filter_map(|(_, word)| citation(word)).collect()
}

/// The words of a text, with hyphens and underscores, and the end of each.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut at = 0;
    let mut words = Vec::new();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')) {
        // The pieces are slices of the text, each after one separator of any width.
        let start = at + text[at..].find(word).expect("a piece of the rest of the text");
        at = start + word.len();
        if !word.is_empty() {
            words.push((at, word));
        }
    }
    words
}

fn defined(page: &str) -> BTreeSet<String> {
    page.lines().filter_map(first_cell).collect()
}

fn groups(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings.flat_map(citations).map(|citation| citation.text()).collect()
}

/// The cases that the page marks as not covered.
fn uncovered(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter(|line| last_cell(line).starts_with("not covered"));
    rows.filter_map(first_cell).collect()
}

/// The id that a row of a table explains.
fn first_cell(line: &str) -> Option<String> {
    match citation(line.strip_prefix("| ")?.split(" | ").next()?) {
        Some(Citation::One(id)) => Some(id),
        Some(Citation::Group(_)) | None => None,
    }
}

fn last_cell(line: &str) -> &str {
    line.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default()
}

fn page() -> String {
    fs::read_to_string(root().join(PAGE)).expect("the page of facts")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file of the repository that can cite facts, by its path.
fn files() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = entry.file_name();
            let path = folder.join(&name);
            let ending = path.extension().and_then(|ending| ending.to_str());
            if entry.file_type().expect("a type").is_dir() {
                // Skip build output and the folders of tools.
                if name != "target" && !name.to_string_lossy().starts_with('.') {
                    folders.push(path);
                }
            } else if ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
                let text = fs::read_to_string(root().join(&path)).expect("text");
                files.push((path, text));
            }
        }
    }
    files
}
