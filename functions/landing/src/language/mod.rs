//! The languages of the pages, and the choice of one for a reader.
//!
//! Each language is a file in `languages/`. The build includes every file of that folder.

mod money;
mod phrases;

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use phrases::{ByTerm, Counted, Message, Phrases, Question};

mod shipped {
    include!(concat!(env!("OUT_DIR"), "/languages.rs"));
}

/// For readers who accept none of our languages.
const FALLBACK: &str = "en";

/// No browser sends more languages. The rest of a longer header is ignored.
const MOST_LANGUAGE_RANGES: usize = 30;

pub(crate) struct Language {
    /// As in `sv`.
    pub(crate) code: &'static str,
    pub(crate) phrases: Phrases,
}

pub(crate) struct Languages(Vec<Language>);

impl Languages {
    /// Reads the files that are compiled into the program.
    pub(crate) fn shipped() -> Self {
        let read = |&(code, text): &(&'static str, &'static str)| {
            let phrases = serde_json::from_str(text).expect("a test reads every file");
            Language { code, phrases }
        };
        Self(shipped::FILES.iter().map(read).collect())
    }

    /// The language that the reader's browser prefers (RFC 9110, 12.5.4). A regional variant falls
    /// back to the language itself. `codes` are those to choose from, the first one for readers who prefer
    /// none of them; empty for all.
    pub(crate) fn negotiate(&self, headers: &HeaderMap, codes: &[String]) -> &Language {
        let ranges = headers
            .get_all(ACCEPT_LANGUAGE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .take(MOST_LANGUAGE_RANGES);
        let mut best: Option<(u16, &Language)> = None;
        for range in ranges {
            let Some((tag, weight)) = parse_range(range) else { continue };
            let Some(language) = self.find(tag, codes) else { continue };
            if weight > best.map_or(0, |(weight, _)| weight) {
                best = Some((weight, language));
            }
        }
        best.map_or_else(|| self.fallback(codes), |(_, language)| language)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Language> {
        self.0.iter()
    }

    /// The language with exactly this code.
    pub(crate) fn with_code(&self, code: &str) -> Option<&Language> {
        self.0.iter().find(|language| language.code == code)
    }

    fn find(&self, tag: &str, codes: &[String]) -> Option<&Language> {
        if tag == "*" {
            return Some(self.fallback(codes));
        }
        let with_code = |code: &str| {
            let mut used = self.0.iter().filter(|known| known.is_among(codes));
            used.find(|known| known.code.eq_ignore_ascii_case(code))
        };
        with_code(tag).or_else(|| with_code(tag.split('-').next()?))
    }

    fn fallback(&self, codes: &[String]) -> &Language {
        let first = codes.iter().find_map(|code| self.with_code(code));
        first.unwrap_or_else(|| self.with_code(FALLBACK).expect("English is shipped"))
    }
}

/// A language range, and its weight in thousandths. `None` if it is malformed.
fn parse_range(range: &str) -> Option<(&str, u16)> {
    let (tag, rest) = range.split_once(';').unwrap_or((range, ""));
    let weight = match rest.trim() {
        "" => 1000,
        parameter => {
            let (name, value) = parameter.split_once('=')?;
            let value: f64 = value.trim().parse().ok()?;
            let is_weight = name.trim().eq_ignore_ascii_case("q") && (0.0..=1.0).contains(&value);
            is_weight.then_some((value * 1000.0) as u16)?
        }
    };
    Some((tag.trim(), weight))
}

impl Language {
    /// Whether it is one of these, or these are all languages.
    pub(crate) fn is_among(&self, codes: &[String]) -> bool {
        codes.is_empty() || codes.iter().any(|code| code == self.code)
    }

    pub(crate) fn day(&self, at: Timestamp) -> String {
        let date = at.to_zoned(TimeZone::UTC).date();
        let format = &self.phrases.format;
        let month = format.months.get(usize::try_from(date.month() - 1).unwrap_or_default());
        fill(
            &format.date,
            &[
                ("day", &date.day().to_string()),
                ("month", month.map_or("", String::as_str)),
                ("year", &date.year().to_string()),
            ],
        )
    }

    pub(crate) fn number(&self, number: u64) -> String {
        self.group(&number.to_string())
    }

    /// Separates the thousands of a number.
    fn group(&self, digits: &str) -> String {
        let mut grouped = String::with_capacity(digits.len() * 2);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                grouped.push_str(&self.phrases.format.thousands);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// A phrase about so many.
    pub(crate) fn counted(&self, phrases: &Counted, count: u64) -> String {
        match count {
            1 => phrases.one.clone(),
            _ => fill(&phrases.many, &[("count", &self.number(count))]),
        }
    }

    /// A billing term: `P1M` is a month. A term that we do not know stays as Microsoft wrote it
    /// (F-OBJ-7).
    pub(crate) fn term(&self, unit: &str) -> String {
        let words = self.for_term(&self.phrases.details.terms, unit, "");
        words.unwrap_or_else(|| unit.to_owned())
    }

    /// The phrase for a billing term; `None` for a term that we do not know.
    pub(crate) fn for_term(&self, phrases: &ByTerm, unit: &str, price: &str) -> Option<String> {
        let rest = unit.strip_prefix('P')?;
        let (count, one, many) = match (rest.strip_suffix('M'), rest.strip_suffix('Y')) {
            (Some(months), _) => (months, &phrases.month, &phrases.months),
            (None, Some(years)) => (years, &phrases.year, &phrases.years),
            (None, None) => return None,
        };
        let count: u32 = count.parse().ok()?;
        let phrase = if count == 1 { one } else { many };
        Some(fill(phrase, &[("count", &self.number(count.into())), ("price", price)]))
    }
}

/// Replaces the placeholders of a phrase. Placeholders inside a value stay as they are.
pub(crate) fn fill(phrase: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(phrase.len());
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            text.push_str(value);
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests;
