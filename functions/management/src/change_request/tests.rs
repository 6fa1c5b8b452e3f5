use super::*;

fn plan(id: &str) -> Patch {
    Patch::Request { change: ChangeRequest::Plan(id.to_owned()), reason: None }
}

fn seats(number: u64) -> Patch {
    Patch::Request { change: ChangeRequest::Seats(number), reason: None }
}

#[test]
fn t_12_a_change_is_a_plan_or_a_quantity_never_both() {
    assert_eq!(parse(br#"{"planId":" gold "}"#), Ok(plan("gold")));
    assert_eq!(parse(br#"{"quantity":5}"#), Ok(seats(5)));
    let long = format!(r#"{{"planId":"{}"}}"#, "x".repeat(101));
    for body in [
        r#"{"planId":"gold","quantity":5}"#,
        r#"{"quantity":0}"#,
        r#"{"quantity":1000001}"#,
        r#"{"quantity":-1}"#,
        r#"{"quantity":"5"}"#,
        r#"{"planId":" "}"#,
        r#"{"plan":"gold"}"#,
        &long,
        "{}",
        "[]",
        "",
    ] {
        let code = parse(body.as_bytes()).map_err(|problem| problem.code);
        assert_eq!(code, Err("invalid_change"), "{body}");
    }
}

#[test]
fn a_change_has_a_reason_of_200_characters_at_most() {
    let with = |reason: &str| format!(r#"{{"quantity":5,"reason":{reason}}}"#);
    let reason_of = |reason: &str| match parse(with(reason).as_bytes()) {
        Ok(Patch::Request { reason, .. }) => Ok(reason),
        Ok(other) => panic!("a request to Microsoft: {other:?}"),
        Err(problem) => Err(problem.code),
    };
    let approved = Some("Approved by mail on 3 March".to_owned());
    assert_eq!(reason_of(r#"" Approved by mail on 3 March ""#), Ok(approved));
    assert_eq!(reason_of(r#"" ""#), Ok(None));
    let fits = "å".repeat(200);
    assert_eq!(reason_of(&format!("{fits:?}")), Ok(Some(fits.clone())));
    for wrong in [&format!("\"{fits}å\""), "null", "5"] {
        assert_eq!(reason_of(wrong), Err("invalid_change"), "{wrong}");
    }
    let noted = parse(br#"{"reference":"4711","reason":"because"}"#);
    assert_eq!(noted.map_err(|problem| problem.code), Err("invalid_change"));
}

#[test]
fn requests_that_mean_the_same_have_the_same_line() {
    let id = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11".parse().expect("a GUID");
    let line_of = |body: &str| match parse(body.as_bytes()) {
        Ok(Patch::Request { change, .. }) => line(&change, id),
        other => panic!("a request to Microsoft: {other:?}"),
    };
    assert_eq!(line_of(r#"{"quantity":5}"#), line_of("{ \"quantity\" : 5 }"));
    assert_eq!(line_of(r#"{"planId":"gold"}"#), line_of(r#"{"planId":"gold ", "quantity": null}"#));
    let different = [
        line_of(r#"{"quantity":5}"#),
        line_of(r#"{"quantity":6}"#),
        line_of(r#"{"planId":"5"}"#),
        line(&ChangeRequest::Cancel, id),
    ];
    for (place, one) in different.iter().enumerate() {
        assert!(!different[place + 1..].contains(one), "{one}");
    }
}

#[test]
fn a_patch_of_annotations_tells_null_from_absent() {
    let merge = |pairs: &[(&str, Option<&str>)]| {
        let own =
            |(key, value): &(&str, Option<&str>)| ((*key).to_owned(), value.map(str::to_owned));
        MetadataPatch::Merge(pairs.iter().map(own).collect())
    };
    for (body, reference, metadata) in [
        (r#"{"reference":"C-1"}"#, Some(Some("C-1")), None),
        (r#"{"reference":" C-1 ","planId":null}"#, Some(Some("C-1")), None),
        (r#"{"reference":null}"#, Some(None), None),
        (r#"{"metadata":{}}"#, None, Some(merge(&[]))),
        (r#"{"metadata":null}"#, None, Some(MetadataPatch::Clear)),
        (
            r#"{"reference":"C-1","metadata":{"a":"1","b":null}}"#,
            Some(Some("C-1")),
            Some(merge(&[("a", Some("1")), ("b", None)])),
        ),
    ] {
        let reference = reference.map(|reference| reference.map(str::to_owned));
        let expected = AnnotationPatch::new(reference, metadata).expect("a patch");
        assert_eq!(parse(body.as_bytes()), Ok(Patch::Annotate(expected)), "{body}");
    }
}

#[test]
fn annotations_are_texts_within_their_limits_and_come_without_a_change_at_microsoft() {
    let long = format!(r#"{{"reference":"{}"}}"#, "x".repeat(101));
    for (body, detail) in [
        (r#"{"reference":"C-1","planId":"gold"}"#, "two requests"),
        (r#"{"metadata":{"a":"1"},"quantity":5}"#, "two requests"),
        (r#"{"reference":""}"#, "1 to 100 characters"),
        (r#"{"reference":"a\u0007"}"#, "control characters"),
        (r#"{"metadata":{"":"1"}}"#, "1 to 40 characters"),
        (r#"{"reference":1}"#, "text or null"),
        (r#"{"metadata":{"a":1}}"#, "texts and nulls"),
        (r#"{"metadata":["a"]}"#, "texts and nulls"),
        (r#"{"reference":"C-1","customer":"x"}"#, "the body must be"),
        (&long, "1 to 100 characters"),
    ] {
        let problem = parse(body.as_bytes()).expect_err(body);
        assert_eq!(problem.code, "invalid_change", "{body}");
        assert!(problem.detail.contains(detail), "{body}: {}", problem.detail);
    }
}
