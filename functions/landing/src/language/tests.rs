use std::collections::{BTreeMap, BTreeSet};

use http::HeaderValue;
use serde_json::Value;

use super::*;

fn negotiated(accepted: &[&'static str]) -> &'static str {
    let mut headers = HeaderMap::new();
    for value in accepted {
        headers.append(ACCEPT_LANGUAGE, HeaderValue::from_static(value));
    }
    Languages::shipped().negotiate(&headers, &[]).code
}

#[test]
fn a_page_in_some_languages_falls_back_to_the_first_of_them() {
    for (codes, accepted, expected) in [
        (&["sv", "de"][..], "de", "de"),
        (&["sv", "de"], "en, de;q=0.5", "de"),
        (&["sv", "de"], "en", "sv"),
        (&["sv", "de"], "*", "sv"),
        (&["de"], "sv", "de"),
        (&[], "fr", "en"),
    ] {
        let codes: Vec<String> = codes.iter().map(|&code| code.to_owned()).collect();
        let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(accepted))]);
        let language = Languages::shipped().negotiate(&headers, &codes).code;
        assert_eq!(language, expected, "{codes:?} {accepted}");
    }
}

#[test]
fn the_settings_know_the_languages_that_are_shipped() {
    let shipped: Vec<_> = shipped::FILES.iter().map(|(code, _)| *code).collect();
    assert_eq!(shipped, shared::config::LANGUAGES);
}

/// Collects each phrase's place in a file, with its placeholders.
fn placeholders(value: &Value, place: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                placeholders(value, &format!("{place}/{name}"), found);
            }
        }
        // A language may use as many paragraphs as it needs.
        Value::Array(texts) => texts.iter().for_each(|text| placeholders(text, place, found)),
        Value::String(text) => {
            assert!(!text.is_empty(), "{place} is empty");
            let names = text.split('{').skip(1).map(|rest| {
                rest.split_once('}')
                    .unwrap_or_else(|| panic!("{place}: an unclosed placeholder"))
                    .0
                    .to_owned()
            });
            found.entry(place.to_owned()).or_default().extend(names);
        }
        other => panic!("{place} is not text: {other}"),
    }
}

#[test]
fn every_language_has_all_phrases_with_the_same_placeholders() {
    let read = |text: &str| {
        let mut found = BTreeMap::new();
        placeholders(&serde_json::from_str(text).expect("JSON"), "", &mut found);
        found
    };
    let (_, english) = shipped::FILES.iter().find(|(code, _)| *code == "en").expect("English");
    let english = read(english);
    for (code, text) in shipped::FILES {
        serde_json::from_str::<Phrases>(text).unwrap_or_else(|error| panic!("{code}: {error}"));
        assert_eq!(read(text), english, "{code}");
    }
    for code in ["de", "en", "sv"] {
        assert!(shipped::FILES.iter().any(|(shipped, _)| *shipped == code), "{code}");
    }
}

#[test]
fn every_language_has_twelve_months_and_a_direction() {
    for language in Languages::shipped().0 {
        let format = &language.phrases.format;
        assert_eq!(format.months.len(), 12, "{}", language.code);
        assert!(["ltr", "rtl"].contains(&format.direction.as_str()), "{}", language.code);
    }
}

#[test]
fn the_reader_gets_the_preferred_language_that_is_shipped() {
    for (accepted, code) in [
        (&[][..], "en"),
        (&[""], "en"),
        (&["sv"], "sv"),
        (&["SV"], "sv"),
        (&["sv-SE,sv;q=0.9,en;q=0.8"], "sv"),
        (&["de-AT"], "de"),
        (&["fi-FI,fi;q=0.9,de;q=0.4,en;q=0.3"], "de"),
        (&["en;q=0.3, de;q=0.8, sv;q=0.5"], "de"),
        (&["en;q=0.3", "sv ; q=0.7"], "sv"),
        (&["fi", "fr;q=0.9"], "en"),
        (&["*"], "en"),
        (&["sv;q=0.4, *;q=0.5"], "en"),
        (&["sv;q=0"], "en"),
        (&["sv;q=0, de;q=0.001"], "de"),
        (&["sv;q=2, de"], "de"),
        (&["sv;q=-1, de;q=0.2"], "de"),
        (&["sv;q=x, de;q=0.2"], "de"),
        (&["sv;q=NaN, de;q=0.2"], "de"),
        (&["sve, de_DE, ;q=1, -"], "en"),
        (&["sv-Latn-FI"], "sv"),
        (&["de, sv"], "de"),
    ] {
        assert_eq!(negotiated(accepted), code, "{accepted:?}");
    }
}

#[test]
fn days_numbers_and_terms_follow_the_language() {
    let day: Timestamp = "2026-03-01T23:30:00Z".parse().expect("a timestamp");
    let languages = Languages::shipped();
    let written = |code: &str| {
        let language = languages.with_code(code).expect("it is shipped");
        (
            language.day(day),
            language.number(1_234_567),
            language.number(100),
            language.term("P1M"),
            language.term("P18M"),
        )
    };
    let expected = |day: &str, number: &str, one: &str, many: &str| {
        (day.to_owned(), number.to_owned(), "100".to_owned(), one.to_owned(), many.to_owned())
    };
    assert_eq!(
        written("en"),
        expected("1\u{a0}March\u{a0}2026", "1,234,567", "1 month", "18 months")
    );
    assert_eq!(
        written("sv"),
        expected("1\u{a0}mars\u{a0}2026", "1\u{a0}234\u{a0}567", "1 månad", "18 månader")
    );
    assert_eq!(
        written("de"),
        expected("1.\u{a0}März\u{a0}2026", "1.234.567", "1 Monat", "18 Monate")
    );
    let english = languages.with_code("en").expect("it is shipped");
    for (unit, words) in [
        ("P1Y", "1 year"),
        ("P3Y", "3 years"),
        ("PAY", "PAY"),
        ("P1Y6M", "P1Y6M"),
        ("P", "P"),
        ("", ""),
        ("{count}", "{count}"),
    ] {
        assert_eq!(english.term(unit), words);
    }
}

#[test]
fn a_placeholder_inside_a_value_is_not_replaced() {
    assert_eq!(fill("a {x} b {y}.", &[("x", "{y}"), ("y", "2")]), "a {y} b 2.");
    assert_eq!(fill("{x}{z}", &[("x", "1")]), "1");
    assert_eq!(fill("no gap", &[("x", "1")]), "no gap");
}
