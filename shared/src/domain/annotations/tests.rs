use super::*;

fn merge<const N: usize>(pairs: [(&str, Option<&str>); N]) -> Option<MetadataPatch> {
    let own = |(key, value): (&str, Option<&str>)| (key.to_owned(), value.map(str::to_owned));
    Some(MetadataPatch::Merge(pairs.map(own).into()))
}

fn patch(
    reference: Option<Option<&str>>,
    metadata: Option<MetadataPatch>,
) -> Result<AnnotationPatch, InvalidAnnotation> {
    AnnotationPatch::new(reference.map(|reference| reference.map(str::to_owned)), metadata)
}

fn applied(patch: &AnnotationPatch, current: Option<&Annotations>) -> Option<Annotations> {
    let by = Some("arn:aws:iam::123456789012:role/shop".to_owned());
    patch.apply(current, Timestamp::UNIX_EPOCH, by).expect("few pairs")
}

fn first() -> Annotations {
    let patch = patch(Some(Some("C-4711")), merge([("tier", Some("1")), ("region", Some("eu"))]));
    applied(&patch.expect("a patch"), None).expect("a change")
}

#[test]
fn a_patch_leaves_what_it_does_not_name_and_removes_what_is_null() {
    let first = first();
    assert_eq!(first.reference.as_deref(), Some("C-4711"));
    assert_eq!((first.metadata.len(), first.revision), (2, 1));
    assert!(first.has_new_reference());
    assert_eq!(first.changed_by.as_deref(), Some("arn:aws:iam::123456789012:role/shop"));
    type Case<'a> =
        (Option<Option<&'a str>>, Option<MetadataPatch>, Option<&'a str>, &'a [&'a str]);
    let cases: [Case<'_>; 5] = [
        (Some(Some("C-4712")), None, Some("C-4712"), &["region=eu", "tier=1"]),
        (Some(None), None, None, &["region=eu", "tier=1"]),
        (
            None,
            merge([("tier", None), ("seller", Some(""))]),
            Some("C-4711"),
            &["region=eu", "seller="],
        ),
        (None, merge([("tier", Some("2"))]), Some("C-4711"), &["region=eu", "tier=2"]),
        (None, Some(MetadataPatch::Clear), Some("C-4711"), &[]),
    ];
    for (reference, metadata, expected, pairs) in cases {
        let patch = patch(reference, metadata).expect("a patch");
        let next = applied(&patch, Some(&first)).expect("a change");
        let found: Vec<_> =
            next.metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            (next.reference.as_deref(), &*found),
            (expected, &*pairs.iter().map(ToString::to_string).collect::<Vec<_>>()),
            "{patch:?}"
        );
        assert_eq!(next.revision, 2);
        assert_eq!(next.has_new_reference(), reference.is_some());
    }
}

#[test]
fn a_patch_that_changes_nothing_makes_no_revision() {
    let first = first();
    for (reference, metadata) in [
        (None, None),
        (Some(Some(" C-4711 ")), None),
        (None, merge([])),
        (None, merge([("tier", Some("1")), ("unknown", None)])),
    ] {
        let patch = patch(reference, metadata).expect("a patch");
        assert_eq!(applied(&patch, Some(&first)), None, "{patch:?}");
    }
    for (reference, metadata) in [(Some(None), None), (None, Some(MetadataPatch::Clear))] {
        assert_eq!(applied(&patch(reference, metadata).expect("a patch"), None), None);
    }
}

#[test]
fn texts_have_limits_in_characters_and_no_control_characters() {
    let text = |length| "ü".repeat(length);
    for (reference, expected) in [
        (text(100), Ok(())),
        (text(101), Err(InvalidAnnotation::ReferenceLength)),
        (" ".to_owned(), Err(InvalidAnnotation::ReferenceLength)),
        ("C\u{7}".to_owned(), Err(InvalidAnnotation::ReferenceCharacters)),
        ("C\n1".to_owned(), Err(InvalidAnnotation::ReferenceCharacters)),
    ] {
        assert_eq!(patch(Some(Some(&reference)), None).map(drop), expected, "{reference:?}");
    }
    for (key, value, expected) in [
        (text(40), text(500), Ok(())),
        (text(41), text(1), Err(InvalidAnnotation::KeyLength)),
        (text(0), text(1), Err(InvalidAnnotation::KeyLength)),
        (text(1), text(501), Err(InvalidAnnotation::ValueLength)),
        ("a\u{1b}".to_owned(), text(1), Err(InvalidAnnotation::MetadataCharacters)),
        (text(1), "a\nb".to_owned(), Err(InvalidAnnotation::MetadataCharacters)),
    ] {
        assert_eq!(patch(None, merge([(&key, Some(&value))])).map(drop), expected, "{key:?}");
    }
}

#[test]
fn no_patch_leads_to_more_than_twenty_pairs() {
    let pairs = |numbers: std::ops::Range<usize>, value: Option<&str>| {
        let pair = |number| (format!("key {number}"), value.map(str::to_owned));
        MetadataPatch::Merge(numbers.map(pair).collect())
    };
    let patch = |pairs| AnnotationPatch::new(None, Some(pairs)).expect("short texts");
    let full = applied(&patch(pairs(0..20, Some("a"))), None).expect("a change");
    let one_more = patch(pairs(20..21, Some("a")));
    let refused = one_more.apply(Some(&full), Timestamp::UNIX_EPOCH, None);
    assert_eq!(refused, Err(InvalidAnnotation::TooManyPairs));
    let MetadataPatch::Merge(mut exchange) = pairs(20..21, Some("a")) else { unreachable!() };
    exchange.insert("key 0".to_owned(), None);
    let exchanged = applied(&patch(MetadataPatch::Merge(exchange)), Some(&full));
    assert_eq!(exchanged.map(|it| it.metadata.len()), Some(20));
}

#[test]
fn the_debug_text_shows_nothing_about_a_customer() {
    let patch = patch(Some(Some("C-4711")), merge([("tier", Some("gold"))])).expect("a patch");
    let text = format!("{:?} {patch:?}", first());
    assert!(!text.contains("4711") && !text.contains("gold") && !text.contains("eu"), "{text}");
}
