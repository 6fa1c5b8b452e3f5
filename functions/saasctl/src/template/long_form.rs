//! A template's YAML as JSON, with every intrinsic function in its long form (`!Sub` as `Fn::Sub`).

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

/// A member whose name is no text has the name's YAML as its name.
pub fn long_form(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(truth) => json!(truth),
        Yaml::Number(number) => json!(number),
        Yaml::String(text) => json!(text),
        Yaml::Sequence(list) => list.iter().map(long_form).collect(),
        Yaml::Mapping(members) => {
            let member = |(name, value): (&Yaml, &Yaml)| {
                let name = name.as_str().map_or_else(|| format!("{name:?}"), str::to_owned);
                (name, long_form(value))
            };
            Value::Object(members.iter().map(member).collect())
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let argument = long_form(&tagged.value);
            let (name, argument) = match (name, &argument) {
                ("Ref" | "Condition", _) => (name.to_owned(), argument),
                ("GetAtt", Value::String(path)) => {
                    let parts: Vec<&str> = path.splitn(2, '.').collect();
                    ("Fn::GetAtt".to_owned(), json!(parts))
                }
                _ => (format!("Fn::{name}"), argument),
            };
            Value::Object(Map::from_iter([(name, argument)]))
        }
    }
}
