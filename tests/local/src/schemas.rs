//! The published schemas, held against what is really sent.
//!
//! Published, they are open: consumers skip what they don't know, so that members can be added. Here
//! they are closed: whatever is sent and not described is a complaint.

use std::collections::BTreeMap;
use std::path::Path;

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

/// What each type's data must be, by the `dataschema` of the event.
pub struct Schemas(BTreeMap<String, Validator>);

/// What the schemas of the types refer to.
const COMMON: [&str; 2] = ["subscription.v1", "event.v1"];

impl Schemas {
    /// Reads `shared/schemas/`.
    ///
    /// # Panics
    /// When they are no schemas, or refer to one that isn't there.
    pub fn read() -> Self {
        let mut documents = documents();
        for name in COMMON {
            let document = documents.get_mut(name).expect("the common schemas are there");
            for (_, part) in document["$defs"].as_object_mut().into_iter().flatten() {
                close(part);
            }
        }
        close(documents.get_mut("subscription.v1").expect("it is there"));
        let mut registry = Registry::new();
        for name in COMMON {
            let document = documents.remove(name).expect("it was there");
            registry = registry.add(id(&document), document).expect("a schema");
        }
        let registry = registry.prepare().expect("schemas that refer to each other");
        let validators = documents.into_values().map(|mut document| {
            close(&mut document);
            let validator = jsonschema::options()
                .with_registry(&registry)
                .should_validate_formats(true)
                .build(&document)
                .expect("a schema");
            (id(&document), validator)
        });
        Self(validators.collect())
    }

    /// The types there are schemas for, as `dataschema` names them.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What is wrong with an event: its envelope, or its data.
    pub fn complaints(&self, event: &Value) -> Vec<String> {
        let mut complaints = envelope(event);
        let named = event["dataschema"].as_str().unwrap_or_default();
        match self.0.get(named) {
            Some(schema) => complaints.extend(
                schema
                    .iter_errors(&event["data"])
                    .map(|error| format!("{named} {}: {error}", error.instance_path())),
            ),
            None => complaints.push(format!("there is no schema {named:?}")),
        }
        complaints
    }
}

fn documents() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/schemas");
    let files = std::fs::read_dir(folder).expect("the folder of the schemas is there");
    files
        .map(|file| {
            let path = file.expect("a folder can be listed").path();
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a schema is text");
            (name, serde_json::from_str(&text).expect("a schema is JSON"))
        })
        .collect()
}

fn id(document: &Value) -> String {
    document["$id"].as_str().expect("a schema has an id").to_owned()
}

/// Nothing but what is described.
fn close(schema: &mut Value) {
    schema["unevaluatedProperties"] = json!(false);
}

/// CloudEvents 1.0, and what we promise beyond it.
fn envelope(event: &Value) -> Vec<String> {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let data = &event["data"];
    let [version, index] = ["version", "index"].map(|name| data[name].as_u64().unwrap_or_default());
    let subject = text("subject");
    let name = text("dataschema").rsplit(':').next().unwrap_or_default();
    let expected = [
        ("specversion", "1.0".to_owned()),
        ("datacontenttype", "application/json".to_owned()),
        ("id", format!("{subject}-{version}-{index}")),
        ("type", format!("saas-fulfillment.subscription.{name}")),
        ("sequence", format!("{version:020}.{index:03}")),
    ];
    let mut complaints: Vec<String> = expected
        .iter()
        .filter(|(name, expected)| text(name) != expected)
        .map(|(name, expected)| format!("{name} is {}, and not {expected:?}", event[*name]))
        .collect();
    if text("time").parse::<jiff::Timestamp>().is_err() || text("source").is_empty() {
        complaints.push("time and source are missing".to_owned());
    }
    if data["subscriptionId"] != *subject || data["after"]["id"] != *subject {
        complaints.push("it speaks of another subscription than its subject".to_owned());
    }
    let known = ["source", "subject", "time", "dataschema", "data"];
    let all = event.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    complaints.extend(
        all.filter(|name| !known.contains(name) && expected.iter().all(|(one, _)| one != name))
            .map(|name| format!("nobody knows {name}")),
    );
    complaints
}
