//! A subscription as Microsoft keeps it, and the two forms in which it is sent.

use super::people::{Person, pad};
use super::time;
use crate::settings::Oddities;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Bought and not yet activated.
pub const PENDING_FULFILLMENT_START: &str = "PendingFulfillmentStart";
/// Active.
pub const SUBSCRIBED: &str = "Subscribed";
/// Payment is missing.
pub const SUSPENDED: &str = "Suspended";
/// Over, for good.
pub const UNSUBSCRIBED: &str = "Unsubscribed";

/// One subscription at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionState {
    /// The GUID of the purchase.
    pub id: Uuid,
    /// The name the buyer chose.
    pub name: String,
    /// The publisher.
    pub publisher_id: String,
    /// The offer, with `-preview` for a preview purchase.
    pub offer_id: String,
    /// The plan in force.
    pub plan_id: String,
    /// The seats, for per-seat plans.
    pub quantity: Option<u32>,
    /// One of Microsoft's four words.
    pub status: &'static str,
    /// Who it is for.
    pub beneficiary: Person,
    /// Who bought it.
    pub purchaser: Person,
    /// The term's unit.
    pub term_unit: String,
    /// The term's first day, once activated.
    pub term_start: Option<Date>,
    /// The term's last valid day, once activated.
    pub term_end: Option<Date>,
    /// Whether the term renews.
    pub auto_renew: bool,
    /// Whether it is a test purchase.
    pub is_test: bool,
    /// Whether it is in a free trial.
    pub is_free_trial: bool,
    /// What the beneficiary may do (F-OBJ-11).
    pub allowed_customer_operations: Vec<&'static str>,
    /// When it was bought.
    pub created: Timestamp,
    /// When it last changed.
    pub last_modified: Timestamp,
    /// When it was suspended, while it is.
    pub suspended_at: Option<Timestamp>,
    /// The private offer through which it was bought.
    pub private_offer: Option<Uuid>,
    /// Activate was accepted and has not taken effect yet.
    pub activating: bool,
    /// The pending activation will end in `Unsubscribed` (F-ACT-3).
    pub activation_fails: bool,
}

impl SubscriptionState {
    /// The catalogue's name of the offer, without the preview suffix.
    pub(crate) fn catalog_offer(&self) -> &str {
        self.offer_id.strip_suffix("-preview").unwrap_or(&self.offer_id)
    }

    pub(crate) fn allows(&self, operation: &str) -> bool {
        self.allowed_customer_operations.contains(&operation)
    }

    pub(crate) fn begin_term(&mut self, start: Date) {
        self.term_start = Some(start);
        self.term_end = Some(time::term_end(start, &self.term_unit));
    }

    /// The answer of Get, List and Resolve (section 3).
    pub(crate) fn wire_read(&self, oddities: &Oddities) -> Value {
        let mut object = self.wire_common(oddities, false);
        // A flat rate has no quantity on reads (F-OBJ-5).
        if let Some(quantity) = self.quantity {
            object.insert("quantity".into(), wire_quantity(quantity, oddities));
        }
        // Deprecated: never set on reads (F-OBJ-13).
        object.insert("lastModified".into(), json!("0001-01-01T00:00:00"));
        Value::Object(object)
    }

    /// The snapshot inside a webhook (F-OBJ-4, F-OBJ-13, F-OBJ-14).
    pub(crate) fn wire_snapshot(&self, oddities: &Oddities) -> Value {
        let mut object = self.wire_common(oddities, true);
        // A flat rate has the quantity null here (F-WHP-3).
        object.insert(
            "quantity".into(),
            self.quantity.map_or(Value::Null, |seats| wire_quantity(seats, oddities)),
        );
        object.insert("lastModified".into(), json!(time::wire(self.last_modified)));
        for name in ["sessionId", "fulfillmentId", "legacySubscriptionId", "tags"] {
            object.insert(name.into(), Value::Null);
        }
        object.insert("isBlending".into(), json!(false));
        Value::Object(object)
    }

    fn wire_common(&self, oddities: &Oddities, in_webhook: bool) -> Map<String, Value> {
        let status = oddities.subscription_status.as_deref().unwrap_or(self.status);
        let person =
            |who: &Person| who.wire(oddities.padded_strings, oddities.null_person_ids, in_webhook);
        let object = json!({
            "id": self.id,
            "publisherId": self.publisher_id,
            "offerId": self.offer_id,
            "name": self.name,
            "saasSubscriptionStatus": pad(status, oddities.padded_strings),
            "beneficiary": person(&self.beneficiary),
            "purchaser": person(&self.purchaser),
            "planId": self.plan_id,
            "term": self.wire_term(oddities),
            "autoRenew": self.auto_renew,
            "isTest": self.is_test,
            "isFreeTrial": self.is_free_trial,
            "allowedCustomerOperations": self.allowed_customer_operations,
            "sandboxType": "None",
            "created": time::wire(self.created),
            "sessionMode": "None",
        });
        let mut object = match object {
            Value::Object(object) => object,
            _ => Map::new(),
        };
        add_extras(&mut object, oddities);
        object
    }

    fn wire_term(&self, oddities: &Oddities) -> Value {
        let unit = oddities.term_unit.as_deref().unwrap_or(&self.term_unit);
        match (self.term_start, self.term_end) {
            (Some(start), Some(end)) => json!({
                "termUnit": unit,
                "startDate": time::wire_day(start),
                "endDate": time::wire_day(end),
                "chargeDuration": null,
            }),
            // Before activation there is only the unit (F-OBJ-6).
            _ => json!({ "termUnit": unit }),
        }
    }
}

/// A quantity as a number, or as text with a blank (F-WHP-7).
pub(crate) fn wire_quantity(quantity: u32, oddities: &Oddities) -> Value {
    if oddities.numbers_as_strings { json!(format!(" {quantity}")) } else { json!(quantity) }
}

/// Members nobody documented (F-GEN-10).
pub(crate) fn add_extras(object: &mut Map<String, Value>, oddities: &Oddities) {
    if oddities.extra_fields {
        object.insert("fulfillmentEngine".into(), json!("v7"));
        object.insert(
            "futureSettings".into(),
            json!({ "regions": ["westeurope"], "level": 3, "flag": null }),
        );
    }
}
