//! Checks events against the published schemas.
//!
//! The published schemas are open: consumers ignore unknown members, so that events can gain some.
//! Here they are closed: a member that no schema describes is a complaint.

use std::collections::BTreeMap;
use std::path::Path;

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

/// The schema of each type's data, by the event's `dataschema`.
pub struct Schemas(BTreeMap<String, Validator>);

/// The schemas that the schemas of the types refer to.
const COMMON: [&str; 2] = ["subscription.v1", "event.v1"];

impl Schemas {
    /// Reads `shared/schemas/`.
    ///
    /// # Panics
    /// When a file is not a schema, or refers to a missing one.
    pub fn read() -> Self {
        let mut documents = documents();
        for name in COMMON {
            let document = documents.get_mut(name).expect("the common schemas are there");
            for (_, part) in document["$defs"].as_object_mut().into_iter().flatten() {
                close(part);
            }
        }
        close(documents.get_mut("subscription.v1").expect("the common schemas are there"));
        let mut registry = Registry::new();
        for name in COMMON {
            let document = documents.remove(name).expect("the common schemas are there");
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

    /// The types that have a schema, by `dataschema`.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The errors in an event's envelope and data.
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
            let path = file.expect("the folder can be listed").path();
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a schema is text");
            (name, serde_json::from_str(&text).expect("a schema is JSON"))
        })
        .collect()
}

fn id(document: &Value) -> String {
    document["$id"].as_str().expect("a schema has an id").to_owned()
}

/// Forbids members that the schema doesn't describe.
fn close(schema: &mut Value) {
    schema["unevaluatedProperties"] = json!(false);
}

/// The errors in an envelope, by CloudEvents 1.0 and our own additions.
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
        .map(|(name, expected)| format!("{name} is {}, not {expected:?}", event[*name]))
        .collect();
    if text("time").parse::<jiff::Timestamp>().is_err() || text("source").is_empty() {
        complaints.push("time or source is missing".to_owned());
    }
    if data["subscriptionId"] != *subject || data["after"]["id"] != *subject {
        complaints.push("its data and its subject name different subscriptions".to_owned());
    }
    let known = ["source", "subject", "time", "dataschema", "data"];
    let all = event.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    complaints.extend(
        all.filter(|name| !known.contains(name) && expected.iter().all(|(one, _)| one != name))
            .map(|name| format!("{name} is unknown")),
    );
    complaints
}
