use super::*;

fn plan(id: &str) -> ChangeRequest {
    ChangeRequest::Plan(id.to_owned())
}

#[test]
fn t_12_a_change_is_a_plan_or_a_quantity_never_both() {
    assert_eq!(parse(br#"{"planId":" gold "}"#), Ok(plan("gold")));
    assert_eq!(parse(br#"{"quantity":5}"#), Ok(ChangeRequest::Seats(5)));
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
fn requests_that_mean_the_same_have_the_same_line() {
    let id = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11".parse().expect("a GUID");
    let line_of = |body: &str| line(&parse(body.as_bytes()).expect("a change"), id);
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
