//! What the table holds of a subscription: its record and its events.

use serde_json::{Value, json};

use super::parts::{described, reference, text, time};

pub(super) fn record() -> Value {
    json!({
        "type": "object",
        "description": "The record of one subscription",
        "properties": {
            "subscription": reference("Subscription"),
            "planName": text("The plan's name, if a page of the buyer's has read it from Microsoft"),
            "version": {
                "type": "integer", "minimum": 1,
                "description": "Grows by one with every change of the record",
            },
            "updatedAt": time("When the record last changed"),
            "statusSince": time("When the record learned of the present status; missing in a record that did not see it change"),
            "activation": {
                "type": "object",
                "description": "An activation that was requested and is not confirmed yet",
                "properties": {
                    "state": {
                        "type": "string", "examples": ["awaitsPublisher", "awaitsMicrosoft"],
                        "description": "`awaitsPublisher`: your product is to activate it; \
                            `awaitsMicrosoft`: Microsoft is to confirm it",
                    },
                    "since": time("`awaitsPublisher`: when the buyer confirmed; `awaitsMicrosoft`: when \
                        the last attempt began that Microsoft may have accepted"),
                },
                "required": ["state", "since"],
            },
            "pendingOperation": reference("PendingOperation"),
            "pendingRequest": pending_request(),
            "deadlineAnnounced": {
                "type": "boolean",
                "description": "Whether `ActivationDeadlineApproaching` was recorded",
            },
            "bound": {
                "type": "object",
                "description": "Who last opened the purchase on the landing page, and how they were identified",
                "properties": {
                    "role": { "type": "string", "examples": ["beneficiary", "purchaser"] },
                    "rule": {
                        "type": "string", "examples": ["tenantAndObject", "tenant", "unverifiable"],
                        "description": "What matched Microsoft's copy: the person, the tenant alone, \
                            or nothing, because Microsoft named no tenant",
                    },
                    "at": time("When they were first identified this way"),
                },
                "required": ["role", "rule", "at"],
            },
            "decision": purchase_decision(),
            "claim": claim(),
            "signUp": described("SignUp", "What the buyer entered on the landing page"),
            "erasedAt": time("When the personal data was erased; missing if it was not"),
            "reference": text("Your own reference of the subscription. `activate` doesn't show it."),
            "metadata": {
                "type": "object",
                "additionalProperties": { "type": "string" },
                "description": "Your own pairs about the subscription; missing where there are none. \
                    `activate` doesn't show them.",
            },
        },
        "required": ["subscription", "version", "updatedAt", "deadlineAnnounced"],
    })
}

fn pending_request() -> Value {
    json!({
        "type": "object",
        "description": "The change that `pendingOperation` makes, if it was requested on the landing page or \
            through this API",
        "properties": {
            "action": text("As in `pendingOperation`"),
            "planId": text("The plan asked for"),
            "quantity": { "type": "integer", "minimum": 0, "description": "The seats asked for" },
            "requester": requester(),
            "decision": decision("Who approved it; missing for a cancellation"),
            "at": time("When Microsoft was asked"),
            "operationId": text("The operation's id at Microsoft"),
        },
        "required": ["action", "requester", "at"],
    })
}

fn purchase_decision() -> Value {
    let mut decision =
        decision("What you decided about the purchase: `accept`, to activate it, or `reject`");
    decision["properties"]["at"] = time("When you decided");
    decision["required"] = json!(["verdict", "by", "at"]);
    decision
}

fn claim() -> Value {
    json!({
        "type": "object",
        "description": "Whether a person has come for a subscription that Microsoft activated by itself; missing \
            for every other one. The other members are there if a person has",
        "properties": {
            "state": {
                "type": "string", "examples": ["unclaimed", "claimed"],
                "description": "`claimed`: a person whom Microsoft names signed in; it grants nothing",
            },
            "account": account("The person's account"),
            "role": { "type": "string", "examples": ["beneficiary", "purchaser"] },
            "rule": { "type": "string", "examples": ["tenantAndObject", "tenant"] },
            "at": time("When they first signed in"),
        },
        "required": ["state"],
    })
}

fn account(description: &str) -> Value {
    json!({
        "type": "object",
        "description": description,
        "properties": {
            "tenantId": { "type": "string", "format": "uuid" },
            "objectId": { "type": "string", "format": "uuid" },
        },
        "required": ["tenantId"],
    })
}

pub(super) fn pending_operation() -> Value {
    json!({
        "type": "object",
        "description": "An operation that the record waits for",
        "properties": {
            "id": text("The operation's id at Microsoft, a GUID as a rule"),
            "action": text("What the operation does, such as `ChangePlan`"),
            "since": time("When the wait began"),
            "decision": decision("Our answer, if Microsoft may not have received it"),
        },
        "required": ["id", "action", "since"],
    })
}

fn decision(description: &str) -> Value {
    json!({
        "type": "object",
        "description": description,
        "properties": {
            "verdict": { "type": "string", "examples": ["accept", "reject"] },
            "by": { "type": "string", "examples": ["rules", "product", "policy"] },
            "reason": text("Why, if a reason was given"),
            "principal": text("The caller of this API who decided, as AWS names it"),
        },
        "required": ["verdict", "by"],
    })
}

/// A plan or a number of seats, before and after.
pub(super) fn value_change() -> Value {
    json!({
        "type": "object",
        "description": "The value before and after, or the requested one. \
            A number of seats is null on a flat-rate plan; a requested value is null if it isn't known.",
        "properties": {
            "of": { "type": "string", "examples": ["plan", "seats"] },
            "from": value("The value in force"),
            "to": value("The new or requested value"),
        },
        "required": ["from", "to"],
    })
}

/// A plan's id or a number of seats.
fn value(description: &str) -> Value {
    json!({ "type": ["string", "integer", "null"], "description": description })
}

fn requester() -> Value {
    json!({
        "type": "object",
        "description": "Who wanted the change, if it was requested on the landing page or through this API",
        "properties": {
            "by": { "type": "string", "examples": ["buyer", "publisher"] },
            "account": account("The buyer's account"),
            "principal": text("The caller of this API, as AWS names it"),
        },
        "required": ["by"],
    })
}

pub(super) fn event() -> Value {
    json!({
        "type": "object",
        "description": "An event, as recorded. Which members it has depends on `type`.",
        "properties": {
            "subscriptionId": { "type": "string", "format": "uuid" },
            "version": { "type": "integer", "minimum": 1, "description": "The version of the record that the event led to" },
            "index": { "type": "integer", "minimum": 0, "maximum": 255, "description": "The event's place among the events of that version" },
            "type": { "type": "string", "examples": ["Purchased", "Activated", "PlanChanged"] },
            "announced": {
                "type": "boolean",
                "description": "`Imported`: whether the product is sent the event",
            },
            "from": value("`PlanChanged` and `QuantityChanged`: the value before"),
            "to": value("`PlanChanged` and `QuantityChanged`: the value now in force"),
            "change": value_change(),
            "claimant": described("Claimant", "`Claimed`: the person who claimed it"),
            "unclaimed": {
                "const": true,
                "description": "Microsoft had activated it by itself, and no person had claimed it yet; missing otherwise",
            },
            "cause": {
                "type": "object",
                "description": "How we learned of it",
                "properties": {
                    "by": { "type": "string", "examples": ["webhook", "reconciliation"] },
                    "action": text("The action that the webhook call named"),
                    "operationId": {
                        "type": "string",
                        "description": "The operation that the webhook call named, a GUID as a rule",
                    },
                    "source": {
                        "type": "string", "examples": ["Azure", "Partner"],
                        "description": "Who requested the change, as Microsoft's operation says",
                    },
                    "requester": requester(),
                    "principal": text("The caller of this API or of the activation, as AWS names it"),
                },
                "required": ["by"],
            },
            "recordedAt": time("When the event was recorded"),
            "before": described("Subscription", "The subscription before the event; missing for a purchase, where a subscription is restated after the table was restored, and where personal data was erased"),
            "subscription": described("Subscription", "The subscription after the event"),
            "signUp": described("SignUp", "The buyer's answers, on events that lead your product to set an account up"),
            "decision": decision("How a requested change was decided; `Activated` and `Unsubscribed`: how you decided about the purchase"),
            "correlationId": {
                "type": "string", "format": "uuid",
                "description": "The correlation id in the logs, as sent to Microsoft",
            },
        },
        "required": ["subscriptionId", "version", "index", "type", "cause", "recordedAt", "subscription"],
    })
}

pub(super) fn cloud_event() -> Value {
    json!({
        "type": "object",
        "description": "An event in the form in which it is delivered: a CloudEvent 1.0",
        "properties": {
            "specversion": { "const": "1.0" },
            "id": text("A repeated event has the same id"),
            "source": { "type": "string", "format": "uri" },
            "type": { "type": "string", "pattern": "^saas-fulfillment\\.subscription\\.[a-z-]+\\.v[0-9]+$" },
            "subject": { "type": "string", "format": "uuid", "description": "The subscription" },
            "time": time("When the event was recorded"),
            "datacontenttype": { "const": "application/json" },
            "dataschema": text("The name of the schema of `data`"),
            "sequence": text("Sorts as text in the order of the subscription's events"),
            "data": reference("EventData"),
        },
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "sequence", "data"],
    })
}
