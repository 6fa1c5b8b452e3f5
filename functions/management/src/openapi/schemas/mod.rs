//! The schemas of what is sent and answered. They name every member that an answer may have.
//!
//! The published schemas are open, so that members can be added. The integration tests close them:
//! an answer with a member that isn't named here fails. An object is open there, too, only if it
//! says so with `additionalProperties`.

mod calls;
mod deliveries;
mod doctor;
mod history;
mod notes;
mod offers;
mod parts;
mod receivers;
mod reconciliations;

use serde_json::{Map, Value, json};

pub(super) use parts::reference;

/// The published schemas and their parts, with their names here.
const PUBLISHED: [(&str, &str); 9] = [
    ("urn:saas-fulfillment:schema:subscription.v1", "Subscription"),
    ("#/$defs/term", "Term"),
    ("#/$defs/party", "Party"),
    ("urn:saas-fulfillment:schema:event.v1", "EventData"),
    ("#/$defs/cause", "EventOrigin"),
    ("#/$defs/tracking", "EventTracking"),
    ("#/$defs/signUp", "SignUp"),
    ("#/$defs/claimant", "Claimant"),
    ("#/$defs/decision", "EventDecision"),
];

pub(super) fn all() -> Value {
    let mut schemas = Map::new();
    for text in [
        include_str!("../../../../../shared/schemas/subscription.v1.json"),
        include_str!("../../../../../shared/schemas/event.v1.json"),
    ] {
        publish(text, &mut schemas);
    }
    let data = &mut schemas["EventData"]["properties"];
    data["change"] = history::value_change();
    data["claimant"] = reference("Claimant");
    data["signUp"] = reference("SignUp");
    let own = json!({
        "Record": history::record(),
        "PendingOperation": history::pending_operation(),
        "Event": history::event(),
        "CloudEvent": history::cloud_event(),
        "Plan": calls::plan(),
        "Operation": calls::operation(),
        "Change": calls::change(),
        "Decline": calls::decline(),
        "Approval": calls::approval(),
        "Accepted": calls::accepted(),
        "Redelivery": calls::redelivery(),
        "Redelivered": calls::redelivered(),
        "Delivery": deliveries::delivery(),
        "Attempt": deliveries::attempt(),
        "SentRequest": deliveries::sent_request(),
        "Note": notes::note(),
        "NewNote": notes::new_note(),
        "Receiver": receivers::receiver(),
        "ReceiverPauseRequest": receivers::pause_request(),
        "Offers": offers::offers(),
        "OfferSettings": offers::offer_settings(),
        "OfferField": offers::field(),
        "Label": offers::label(),
        "Recovery": deliveries::recovery(),
        "Recovered": deliveries::recovered(),
        "Problem": calls::problem(),
        "Examination": doctor::examination(),
        "TestEventRequest": doctor::test_event_request(),
        "TestEventId": doctor::test_event_id(),
        "TestEvent": doctor::test_event(),
        "Reconciliations": reconciliations::reconciliations(),
        "Run": reconciliations::run(),
        "Difference": reconciliations::difference(),
        "RunRequest": reconciliations::run_request(),
        "StartedRun": reconciliations::started_run(),
        "PauseRequest": reconciliations::pause_request(),
        "Paused": reconciliations::paused(),
        "Pause": reconciliations::pause(),
    });
    if let Value::Object(own) = own {
        schemas.extend(own);
    }
    Value::Object(schemas)
}

/// Adds a published schema, with its parts beside it.
fn publish(text: &str, schemas: &mut Map<String, Value>) {
    let mut text = text.to_owned();
    for (published, name) in PUBLISHED {
        let own = format!("\"#/components/schemas/{name}\"");
        text = text.replace(&format!("\"$ref\": \"{published}\""), &format!("\"$ref\": {own}"));
    }
    let mut schema: Value = serde_json::from_str(&text).expect("a published schema is JSON");
    let object = schema.as_object_mut().expect("a schema is an object");
    let parts = object.remove("$defs").expect("it has parts");
    object.remove("$schema");
    let id = object.remove("$id").expect("it has an id");
    let named = |published: &str| {
        let entry = PUBLISHED.iter().find(|(known, _)| *known == published);
        entry
            .map(|(_, name)| (*name).to_owned())
            .unwrap_or_else(|| panic!("{published} needs a name"))
    };
    for (part, schema) in parts.as_object().into_iter().flatten() {
        schemas.insert(named(&format!("#/$defs/{part}")), schema.clone());
    }
    schemas.insert(named(id.as_str().expect("an id is text")), schema);
}
