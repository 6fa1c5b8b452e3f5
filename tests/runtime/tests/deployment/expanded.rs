//! The template as SAM expands it. `tests/checks/deployment/run` makes it and runs this.

use runtime::deployment::{required, template, values};
use saasctl::template::{Refused, Stack, Template};

use super::rollout::published;
use super::stack::CHOICES;

/// The file that holds the expanded template.
const EXPANDED: &str = "EXPANDED_TEMPLATE";

fn environments(stack: &Stack, functions: &Stack) -> Vec<serde_json::Value> {
    let of = |function: String| {
        let (first, rest) = function.split_at(1);
        let id = format!("{}{rest}Function", first.to_uppercase());
        stack.properties(&id)["Environment"]["Variables"].clone()
    };
    functions.functions().into_iter().map(of).collect()
}

#[test]
#[ignore = "needs SAM's expansion, which tests/checks/deployment/run makes"]
fn what_sam_makes_of_the_template_deploys_the_same_settings_without_a_circle() {
    let file = std::env::var(EXPANDED).expect("EXPANDED_TEMPLATE names the file");
    let text = std::fs::read_to_string(file).expect("the file can be read");
    let (expanded, source) = (Template::parse(&text).expect("JSON is YAML"), template());
    let mut deployed = 0;
    for (index, one) in CHOICES.iter().enumerate() {
        for other in &CHOICES[index..] {
            let mut parameters = required();
            parameters.extend(values(one));
            parameters.extend(values(other));
            match (source.deploy(&parameters), expanded.deploy(&parameters)) {
                (Ok(source), Ok(expanded)) => {
                    let settings = environments(&source, &source);
                    assert!(
                        settings.len() >= 5 && settings.iter().all(serde_json::Value::is_object)
                    );
                    assert_eq!(environments(&expanded, &source), settings, "{one:?} {other:?}");
                    assert_eq!(published(&expanded), [""; 0], "SAM makes no alias");
                    deployed += 1;
                }
                (Err(Refused::Rule(source)), Err(Refused::Rule(expanded))) => {
                    assert_eq!(source, expanded);
                }
                // A release is for one processor.
                (_, Err(Refused::Parameter { name, .. })) if name == "Architecture" => {
                    assert!(parameters.contains_key("Architecture"), "the default is that one");
                }
                (source, expanded) => panic!("{one:?} {other:?}: {source:?} {expanded:?}"),
            }
        }
    }
    assert!(deployed > 100, "{deployed} deployments");
}
