//! The evaluator itself, on small templates.

use super::*;

fn deploy(template: &str, given: &[(&str, &str)]) -> Result<Stack, Refused> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Template::parse(template).expect("YAML").deploy(&given.iter().map(pair).collect())
}

fn broken(template: &str) -> String {
    match deploy(template, &[]) {
        Err(Refused::Broken(why)) => why,
        other => panic!("{template}: {other:?}"),
    }
}

const NAMES: &str = r#"
Parameters: { Suffix: { Type: String, Default: "" } }
Conditions:
  IsPlain: !Not [!Condition HasSuffix]
  HasSuffix: !Not [!Equals [!Ref Suffix, ""]]
Resources:
  Queue: { Type: Q, Properties: { Name: !If [HasSuffix, !Sub "q-${Suffix}-${AWS::Region}", !Ref AWS::NoValue] } }
  Plain: { Type: Q, Condition: IsPlain, Properties: { Of: [!Join [":", [!GetAtt Queue.Arn, a]], !Ref AWS::NoValue, 1] } }
Outputs:
  Plain: { Condition: IsPlain, Value: !Sub ["${Queue}/${Inner}", { Inner: !Ref Plain }] }
"#;

#[test]
fn references_conditions_and_substitutions_are_evaluated() {
    let stack = deploy(NAMES, &[]).expect("a stack");
    assert_eq!(
        *stack.properties("Plain").get("Of").expect("it"),
        serde_json::json!(["<Queue.Arn>:a", 1])
    );
    assert_eq!(stack.properties("Queue").get("Name"), None);
    assert_eq!(stack.output("Plain"), Some("<Queue>/<Plain>"));
    let stack = deploy(NAMES, &[("Suffix", "x")]).expect("a stack");
    assert_eq!(stack.properties("Queue")["Name"], "q-x-eu-north-1");
    assert_eq!((stack.properties("Plain"), stack.output("Plain")), (&Value::Null, None));
}

#[test]
fn a_reference_to_what_this_deployment_does_not_make_is_found() {
    for (reference, named) in [
        ("!Ref Nothing", "Nothing is not there"),
        ("!GetAtt Off.Arn", "Off.Arn is not there"),
        ("!Sub \"a${Off}b\"", "Off is not there"),
        ("!If [Unknown, 1, 2]", "the condition Unknown is unknown"),
        ("!Select [0, [a]]", "Fn::Select can't have"),
    ] {
        let template = format!(
            "Conditions: {{ Never: !Equals [a, b] }}\n\
             Resources: {{ Off: {{ Type: T, Condition: Never }}, On: {{ Type: T, Properties: {{ P: {reference} }} }} }}"
        );
        let why = broken(&template);
        assert!(why.starts_with(named), "{reference}: {why}");
    }
    assert!(broken("Conditions: { A: !Condition B, B: !Condition A }").contains("in a circle"));
}

#[test]
fn a_circle_is_found_even_through_the_routes_of_an_api() {
    let circle = |variable: &str| {
        format!(
            "Resources:\n  \
               Api: {{ Type: A }}\n  \
               LandingFunction:\n    \
                 Type: AWS::Serverless::Function\n    \
                 Properties:\n      \
                   Environment: {{ Variables: {{ HOST: {variable} }} }}\n      \
                   Events: {{ Show: {{ Type: HttpApi, Properties: {{ ApiId: !Ref Api, Method: GET, Path: / }} }} }}\n"
        )
    };
    assert_eq!(
        broken(&circle("!Ref Api")),
        r#"a circle of {"Api", "LandingFunction", "LandingFunctionShow"}"#
    );
    let stack = deploy(&circle("none"), &[]).expect("no circle");
    assert_eq!(stack.routes("landing"), [("GET".to_owned(), "/".to_owned())].into());
    assert!(broken("Resources: { A: { Type: T, Properties: { P: !Ref A } } }").contains("circle"));
}

#[test]
fn a_parameter_that_breaks_a_constraint_is_refused() {
    const PARAMETERS: &str = r#"
Parameters:
  Id: { Type: String, AllowedPattern: "[a-c]+", MaxLength: 3 }
  Days: { Type: Number, Default: 7, MinValue: 1, MaxValue: 180 }
  Mode: { Type: String, Default: "on", AllowedValues: ["on", "off"] }
"#;
    assert!(deploy(PARAMETERS, &[("Id", "abc")]).is_ok());
    for (given, name, constraint) in [
        (&[][..], "Id", "must have a value"),
        (&[("Id", "abd")], "Id", "AllowedPattern"),
        (&[("Id", "abca")], "Id", "MaxLength"),
        (&[("Id", "a"), ("Days", "0")], "Days", "MinValue"),
        (&[("Id", "a"), ("Days", "181")], "Days", "MaxValue"),
        (&[("Id", "a"), ("Days", "x")], "Days", "Type"),
        (&[("Id", "a"), ("Mode", "On")], "Mode", "AllowedValues"),
        (&[("Id", "a"), ("Nope", "")], "Nope", "is not a parameter of the template"),
    ] {
        assert_eq!(deploy(PARAMETERS, given).err(), Some(Refused::parameter(name, constraint)));
    }
}

#[test]
fn a_rule_is_asserted_only_where_its_condition_holds() {
    const RULES: &str = r#"
Parameters: { Url: { Type: String, Default: "" }, Key: { Type: String, Default: "" } }
Rules:
  Keyed:
    RuleCondition: !Not [!Equals [!Ref Url, ""]]
    Assertions: [{ AssertDescription: a key is missing, Assert: !Not [!Equals [!Ref Key, ""]] }]
"#;
    assert!(deploy(RULES, &[]).is_ok());
    assert!(deploy(RULES, &[("Url", "u"), ("Key", "k")]).is_ok());
    let refused = deploy(RULES, &[("Url", "u")]).err();
    assert_eq!(refused, Some(Refused::Rule("a key is missing".to_owned())));
    let with_condition = "Conditions: { A: !Equals [a, a] }\nRules: { R: { Assertions: [{ Assert: !Condition A }] } }";
    assert!(broken(with_condition).contains("unknown"), "a rule can't refer to a condition");
}
