//! List Available Plans, and the part that the management API passes on (F-PLN).
#![no_main]

use std::collections::HashMap;

use bytes::Bytes;
use fuzz::{Message, SUBSCRIPTION, Wire, assert_sent_to_the_marketplace_alone, client, run};
use http::Response;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;
use shared::domain::SubscriptionId;
use shared::lenient::{Lenient, value};
use shared::microsoft::fulfillment::{Marketplace, Plan};

type Members<'a> = HashMap<String, &'a RawValue>;

/// A member's text, unchanged.
fn letters<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let members: Members = serde_json::from_str(object).ok()?;
    members.get(name).map(|raw| raw.get()).filter(|raw| *raw != "null")
}

fuzz_target!(|input: &[u8]| {
    let answer = Message::read(input).answer();
    let (body, succeeded) = (answer.body().clone(), answer.status().is_success());
    let wire = Wire::answering(answer);
    let client = client(&wire);
    let id = SubscriptionId(SUBSCRIPTION);
    let plans = run(client.list_available_plans(id, Some("a plan & more")));
    assert_sent_to_the_marketplace_alone(&wire.sent());
    let value = value(&body).unwrap_or_default();
    let none = Vec::new();
    let sent = value["plans"].as_array().unwrap_or(&none);
    if let Ok(plans) = &plans {
        assert!(succeeded);
        if value.is_null() {
            return;
        }
        assert!(value.is_object());
        assert_eq!(plans.len(), sent.iter().filter(|plan| plan.is_object()).count());
        for plan in plans {
            passed_on(plan);
        }
        let text = std::str::from_utf8(&body).unwrap_or_default();
        let raw: Vec<&RawValue> = letters(text, "plans")
            .and_then(|raw| serde_json::from_str(raw).ok())
            .unwrap_or_default();
        let raw = raw.into_iter().filter(|raw| raw.get().starts_with('{'));
        for (plan, raw) in plans.iter().zip(raw) {
            assert_eq!(
                plan.plan_id,
                serde_json::from_str::<Value>(raw.get())
                    .ok()
                    .and_then(|sent| String::read(&sent["planId"]))
            );
            // F-PLN-7: prices are passed on unchanged.
            let written = serde_json::to_string(plan).expect("a plan can be written");
            let prices = |object| {
                let components = letters(object, "planComponents")?;
                letters(components, "recurrentBillingTerms")
            };
            assert_eq!(prices(&written), prices(raw.get()), "{written}");
        }
    }
    // Every list of objects can be read, even if their members are unknown (F-GEN-10).
    let is_list = matches!(value.get("plans"), None | Some(Value::Null | Value::Array(_)));
    if value.is_object() && is_list {
        let each_once = Bytes::from(value.to_string());
        wire.reset(Box::new(move |_| Response::new(each_once.clone())));
        assert!(run(client.list_available_plans(id, None)).is_ok());
    }
});

/// Written and read again, the value is the same.
fn passed_on(plan: &Plan) {
    let written = serde_json::to_string(plan).expect("a plan can be written");
    let again: Plan = serde_json::from_str(&written).expect("a plan as it was written");
    assert_eq!(serde_json::to_string(&again).expect("a plan"), written);
}
