//! The payloads of `events/`. A run replaces their placeholders with its own values.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use uuid::Uuid;

const SUBSCRIPTION: &str = "6f1d5a2e-0c57-4d0a-9a53-3b8c1e7f0a11";
const OPERATION: &str = "c0a1e9d4-7b1f-4a53-8f9e-2d6b5a4c3e22";
const SIGNATURE: &str = "SIGNED-WHEN-SENT";

/// A run's values. A placeholder without a value stays in the payload.
#[derive(Clone, Debug, Default)]
pub struct Live {
    pub subscription: Option<Uuid>,
    pub operation: Option<Uuid>,
    /// The purchase token, decoded.
    pub purchase_token: Option<String>,
    /// The signed token of a webhook call.
    pub signed: Option<String>,
    /// Of a sign-in to the console: Entra's code and the state, and the values of the two cookies.
    pub code: Option<String>,
    pub state: Option<String>,
    pub round_trip: Option<String>,
    pub session: Option<String>,
    /// The CSRF token of the console's forms.
    pub csrf: Option<String>,
}

impl Live {
    pub fn about(subscription: Uuid) -> Self {
        Self { subscription: Some(subscription), ..Self::default() }
    }

    pub fn operation(subscription: Uuid, operation: Uuid) -> Self {
        Self { operation: Some(operation), ..Self::about(subscription) }
    }

    pub fn buyer(purchase_token: String) -> Self {
        Self { purchase_token: Some(purchase_token), ..Self::default() }
    }

    /// The placeholders and their values. No placeholder contains another one.
    fn replacements(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let mut put = |placeholder: &str, live: String| pairs.push((placeholder.to_owned(), live));
        if let Some(id) = self.subscription {
            put(SUBSCRIPTION, id.to_string());
        }
        if let Some(id) = self.operation {
            put(OPERATION, id.to_string());
        }
        if let Some(signed) = &self.signed {
            put(SIGNATURE, signed.clone());
        }
        for (placeholder, live) in [
            ("CODE-WHEN-SENT", &self.code),
            ("STATE-WHEN-SENT", &self.state),
            ("ROUND-TRIP-WHEN-SENT", &self.round_trip),
            ("SESSION-WHEN-SENT", &self.session),
            ("CSRF-WHEN-SENT", &self.csrf),
        ] {
            live.iter().for_each(|live| put(placeholder, live.to_string()));
        }
        if let Some(token) = &self.purchase_token {
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let once = encode(token);
            put("PURCHASE%252BTOKEN%252FSIGNED%253D", encode(&once));
            put("PURCHASE+TOKEN%2FSIGNED%3D", once.replace("%2B", "+"));
            put("PURCHASE%2BTOKEN%2FSIGNED%3D", once);
            put("PURCHASE TOKEN/SIGNED=", token.replace('+', " "));
            put("PURCHASE+TOKEN/SIGNED=", token.clone());
        }
        pairs
    }
}

/// The payload of an invocation.
#[derive(Clone, Debug)]
pub struct Event(Value);

impl Event {
    /// The cases that have a file.
    ///
    /// # Panics
    /// When the function has no folder in `events/`.
    pub fn cases(function: &str) -> BTreeSet<String> {
        let folder = crate::project().join("events").join(function);
        std::fs::read_dir(&folder)
            .expect("every function has a folder of events")
            .map(|file| {
                let name = file.expect("a folder can be listed").file_name();
                let name = name.into_string().expect("a file's name is text");
                name.strip_suffix(".json").expect("events are JSON files").to_owned()
            })
            .collect()
    }

    /// Reads a file's payload and replaces its placeholders.
    ///
    /// # Panics
    /// When the file is missing or not a payload.
    pub fn load(function: &str, case: &str, live: &Live) -> Self {
        let path = crate::project().join(format!("events/{function}/{case}.json"));
        let text = std::fs::read_to_string(&path).expect("the case has a file");
        let mut event: Value = serde_json::from_str(&text).expect("an event is JSON");
        let replacements = live.replacements();
        if event["isBase64Encoded"] == true {
            let body = fill_text(&decoded(&event["body"]), &replacements);
            event["body"] = STANDARD.encode(body).into();
        }
        fill(&mut event, &replacements);
        let mut event = Self(event);
        if event.0["headers"].get("content-length").is_some() {
            event.0["headers"]["content-length"] = event.body().len().to_string().into();
        }
        event
    }

    /// The payload as Lambda sends it.
    pub fn payload(&self) -> &Value {
        &self.0
    }

    pub fn is_http(&self) -> bool {
        self.0.get("rawPath").is_some()
    }

    pub fn method(&self) -> &str {
        self.0["requestContext"]["http"]["method"].as_str().expect("a request has a method")
    }

    /// The request's path and query, not decoded.
    pub fn target(&self) -> String {
        let part = |name: &str| self.0[name].as_str().expect("a request has a path and a query");
        match (part("rawPath"), part("rawQueryString")) {
            (path, "") => path.to_owned(),
            (path, query) => format!("{path}?{query}"),
        }
    }

    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.0["headers"].as_object().expect("a request has headers");
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
    }

    /// The request's body, decoded.
    pub fn body(&self) -> String {
        if self.0["isBase64Encoded"] == true {
            return decoded(&self.0["body"]);
        }
        self.0["body"].as_str().unwrap_or_default().to_owned()
    }
}

fn decoded(body: &Value) -> String {
    let bytes = STANDARD.decode(body.as_str().unwrap_or_default()).expect("a body in base64");
    String::from_utf8(bytes).expect("a body of text")
}

fn fill(value: &mut Value, replacements: &[(String, String)]) {
    match value {
        Value::String(text) => *text = fill_text(text, replacements),
        Value::Array(values) => values.iter_mut().for_each(|value| fill(value, replacements)),
        Value::Object(members) => {
            members.values_mut().for_each(|value| fill(value, replacements));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn fill_text(text: &str, replacements: &[(String, String)]) -> String {
    replacements
        .iter()
        .fold(text.to_owned(), |text, (placeholder, live)| text.replace(placeholder, live))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_keeps_the_encoding_of_its_placeholder() {
        let live = Live::buyer("a+b/c=".to_owned());
        let query = |case: &str| Event::load("landing", case, &live).target();
        assert_eq!(query("new-purchase"), "/landing?token=a%2Bb%2Fc%3D");
        assert_eq!(query("bare-plus"), "/landing?token=a+b%2Fc%3D");
        assert_eq!(query("double-encoded-plus"), "/landing?token=a%252Bb%252Fc%253D");
        let confirm = Event::load("landing", "confirm", &live);
        assert_eq!(confirm.body(), "token=a%2Bb%2Fc%3D");
        assert_eq!(confirm.payload()["headers"]["content-length"], "18");
    }

    #[test]
    fn a_run_with_all_values_leaves_no_placeholder_in_any_file() {
        let live = Live {
            signed: Some("signed".to_owned()),
            purchase_token: Some("a+b/c=".to_owned()),
            code: Some("code".to_owned()),
            state: Some("state".to_owned()),
            round_trip: Some("round-trip".to_owned()),
            session: Some("session".to_owned()),
            csrf: Some("csrf".to_owned()),
            ..Live::operation(Uuid::from_u128(1), Uuid::from_u128(2))
        };
        for function in crate::deployment::tested().functions() {
            for case in Event::cases(&function) {
                let event = Event::load(&function, &case, &live);
                let text = format!("{} {}", event.payload(), event.body());
                for placeholder in [SUBSCRIPTION, OPERATION, SIGNATURE, "PURCHASE", "WHEN-SENT"] {
                    assert!(!text.contains(placeholder), "{function}/{case}: {placeholder}");
                }
            }
        }
    }
}
