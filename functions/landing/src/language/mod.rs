//! The languages the pages speak, and which of them a reader gets.
//!
//! Each is one file in `languages/`; a new file is a new language.

mod phrases;

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use phrases::{Message, Phrases};

mod shipped {
    include!(concat!(env!("OUT_DIR"), "/languages.rs"));
}

/// What a reader gets who asks for nothing we have.
const FALLBACK: &str = "en";

/// No browser asks for more; what stands behind that is left alone.
const MOST_ASKED: usize = 30;

/// A language.
pub(crate) struct Language {
    /// Its code, as in `sv`.
    pub code: &'static str,
    /// What it says.
    pub says: Phrases,
}

/// All of them.
pub(crate) struct Languages(Vec<Language>);

impl Languages {
    /// Reads what is part of the program.
    pub(crate) fn shipped() -> Self {
        let read = |&(code, text): &(&'static str, &'static str)| {
            let says = serde_json::from_str(text).expect("a test reads every file");
            Language { code, says }
        };
        Self(shipped::FILES.iter().map(read).collect())
    }

    /// The language that a reader's browser asks for first, of those there are (RFC 9110, 12.5.4);
    /// a region's falls back to the language itself.
    pub(crate) fn of_reader(&self, headers: &HeaderMap) -> &Language {
        let asked = headers
            .get_all(ACCEPT_LANGUAGE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .take(MOST_ASKED);
        let mut best: Option<(u16, &Language)> = None;
        for range in asked {
            let Some((tag, weight)) = weighed(range) else { continue };
            let Some(language) = self.named(tag) else { continue };
            if weight > best.map_or(0, |(weight, _)| weight) {
                best = Some((weight, language));
            }
        }
        best.map_or_else(|| self.fallback(), |(_, language)| language)
    }

    fn named(&self, tag: &str) -> Option<&Language> {
        if tag == "*" {
            return Some(self.fallback());
        }
        let is = |tag: &str| self.0.iter().find(|it| it.code.eq_ignore_ascii_case(tag));
        is(tag).or_else(|| is(tag.split('-').next()?))
    }

    fn fallback(&self) -> &Language {
        let english = self.0.iter().find(|language| language.code == FALLBACK);
        english.expect("English is shipped")
    }
}

/// A language range and its weight in thousandths; `None` where it is none.
fn weighed(range: &str) -> Option<(&str, u16)> {
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
    /// A day, as it is written here.
    pub(crate) fn day(&self, at: Timestamp) -> String {
        let date = at.to_zoned(TimeZone::UTC).date();
        let format = &self.says.format;
        let month = format.months.get(usize::try_from(date.month() - 1).unwrap_or_default());
        filled(
            &format.date,
            &[
                ("day", &date.day().to_string()),
                ("month", month.map_or("", String::as_str)),
                ("year", &date.year().to_string()),
            ],
        )
    }

    /// A number, as it is written here.
    pub(crate) fn number(&self, number: u64) -> String {
        let digits = number.to_string();
        let mut grouped = String::with_capacity(digits.len() * 2);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                grouped.push_str(&self.says.format.thousands);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// `P1M` is a month; what isn't a plain duration is shown as Microsoft wrote it (F-OBJ-7).
    pub(crate) fn term(&self, unit: &str) -> String {
        let details = &self.says.details;
        let counted = |rest: &str, one: &String, many: &str| {
            let count: u32 = rest.parse().ok()?;
            Some(if count == 1 {
                one.clone()
            } else {
                filled(many, &[("count", &self.number(count.into()))])
            })
        };
        let words = unit.strip_prefix('P').and_then(|rest| {
            if let Some(months) = rest.strip_suffix('M') {
                counted(months, &details.month, &details.months)
            } else {
                counted(rest.strip_suffix('Y')?, &details.year, &details.years)
            }
        });
        words.unwrap_or_else(|| unit.to_owned())
    }
}

/// A phrase with its gaps filled. What fills one gap is never taken for another.
pub(crate) fn filled(phrase: &str, values: &[(&str, &str)]) -> String {
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
