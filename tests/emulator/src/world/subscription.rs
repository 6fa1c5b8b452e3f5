//! A subscription as Microsoft keeps it, and the two forms in which Microsoft sends it.

use super::time;
use super::words::{SUBSCRIBED, Word, word, words};
use crate::people::Person;
use crate::settings::Oddities;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// One subscription at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionState {
    pub id: Uuid,
    pub name: String,
    pub publisher_id: String,
    /// With the suffix `-preview` for a preview purchase.
    pub offer_id: String,
    pub plan_id: String,
    /// The seats of a per-seat plan.
    pub quantity: Option<u32>,
    /// One of Microsoft's four words.
    #[serde(deserialize_with = "word")]
    pub status: Word,
    pub beneficiary: Person,
    pub purchaser: Person,
    pub term_unit: String,
    /// The term's first day, once activated.
    pub term_start: Option<Date>,
    /// The term's last valid day, once activated.
    pub term_end: Option<Date>,
    pub auto_renew: bool,
    pub is_test: bool,
    pub is_free_trial: bool,
    /// What the beneficiary may do (F-OBJ-11).
    #[serde(deserialize_with = "words")]
    pub allowed_customer_operations: Vec<Word>,
    pub created: Timestamp,
    pub last_modified: Timestamp,
    /// Set while the subscription is suspended.
    pub suspended_at: Option<Timestamp>,
    /// The private offer through which it was bought.
    pub private_offer: Option<Uuid>,
    /// Activate was accepted and has not taken effect yet.
    pub activating: bool,
    /// The pending activation will end in `Unsubscribed` (F-ACT-3).
    pub activation_fails: bool,
}

impl SubscriptionState {
    /// The offer's id in the catalog, without the preview suffix.
    pub(crate) fn catalog_offer(&self) -> &str {
        self.offer_id.strip_suffix("-preview").unwrap_or(&self.offer_id)
    }

    pub(super) fn allows(&self, operation: &str) -> bool {
        self.allowed_customer_operations.contains(&operation)
    }

    pub(super) fn begin_term(&mut self, start: Date) {
        self.term_start = Some(start);
        self.term_end = Some(time::term_end(start, &self.term_unit));
    }

    /// The JSON in the answers of Get, List and Resolve (section 3).
    pub(super) fn wire_read(&self, oddities: &Oddities) -> Value {
        let mut object = self.wire_common(oddities, false);
        // A flat rate has no quantity on reads (F-OBJ-5).
        let quantity = match self.quantity {
            Some(seats) => Some(oddities.quantity(seats)),
            None => oddities.flat_quantity.wire(),
        };
        if let Some(quantity) = quantity {
            object.insert("quantity".into(), quantity);
        }
        // A deprecated member, which reads never set (F-OBJ-13).
        object.insert("lastModified".into(), json!("0001-01-01T00:00:00"));
        Value::Object(object)
    }

    /// The JSON inside a webhook (F-OBJ-4, F-OBJ-13, F-OBJ-14).
    pub(super) fn wire_snapshot(&self, oddities: &Oddities) -> Value {
        let mut object = self.wire_common(oddities, true);
        // A flat rate has a null quantity here (F-WHP-3).
        object.insert(
            "quantity".into(),
            self.quantity.map_or(Value::Null, |seats| oddities.quantity(seats)),
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
        let object = json!({
            "id": self.id,
            "publisherId": self.publisher_id,
            "offerId": self.offer_id,
            "name": self.name,
            "saasSubscriptionStatus": oddities.text(status),
            "beneficiary": self.beneficiary.wire(oddities, in_webhook),
            "purchaser": self.purchaser.wire(oddities, in_webhook),
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
        oddities.add_extras(&mut object);
        object
    }

    fn wire_term(&self, oddities: &Oddities) -> Value {
        let unit = oddities.term_unit.as_deref().unwrap_or(&self.term_unit);
        match (self.term_start, self.term_end) {
            (Some(start), Some(end)) if !(oddities.missing_dates && self.status == SUBSCRIBED) => {
                json!({
                    "termUnit": unit,
                    "startDate": time::wire_day(start),
                    "endDate": time::wire_day(end),
                    "chargeDuration": null,
                })
            }
            // Before activation, a term has only a unit (F-OBJ-6).
            _ => json!({ "termUnit": unit }),
        }
    }
}
