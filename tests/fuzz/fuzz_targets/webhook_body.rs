//! The body of a webhook call (F-WHP).
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::domain::OperationId;
use shared::lenient::{Lenient, value};
use uuid::Uuid;
use webhook::{Claim, Unreadable};

const MARK: &[u8] = b"\xef\xbb\xbf";

fuzz_target!(|body: &[u8]| {
    let claimed = Claim::parse(body);
    if !body.starts_with(MARK) {
        assert_eq!(Claim::parse(&[MARK, body].concat()), claimed, "a byte order mark says nothing");
    }
    let text = body.strip_prefix(MARK).unwrap_or(body).trim_ascii_start();
    let Some(Value::Object(object)) = value(text) else {
        // A number out of range in a member that the code doesn't read must not fail the rest.
        assert!(claimed == Err(Unreadable::NotJson) || text.starts_with(b"{"), "{claimed:?}");
        return;
    };
    if let Ok(claim) = &claimed {
        // The values come from the members of these names only.
        let guid = |name: &str| Uuid::try_parse(object.get(name)?.as_str()?.trim()).ok();
        assert_eq!(guid("subscriptionId"), Some(claim.subscription.0));
        let id = |name: &str| OperationId::new(object.get(name)?.as_str()?);
        assert_eq!(id("id").or(id("operationId")), claim.operation);
        // Additional members change nothing (F-GEN-10).
        let extended = [br#"{"members of tomorrow":[{"id":null}],"#, &text[1..]].concat();
        assert_eq!(Claim::parse(&extended).as_ref(), Ok(claim));
    }
    // A body that names a subscription and an action, each once, can be read, whatever else it
    // holds (F-WHP-6).
    let said = |name: &str| object.get(name).and_then(String::read).is_some();
    let expected = match object.get("subscriptionId").and_then(Uuid::read) {
        None => Some(Unreadable::NoSubscription),
        Some(_) if !said("action") && !said("operationType") => Some(Unreadable::NoAction),
        Some(_) => None,
    };
    let each_once = serde_json::to_vec(&object).expect("what was read can be written");
    assert_eq!(Claim::parse(&each_once).err(), expected);
});
