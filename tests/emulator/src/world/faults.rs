//! What goes wrong on purpose.

use super::api::Reply;
use serde_json::json;
use std::time::Duration;

/// The calls between the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `POST /saas/subscriptions/resolve`
    Resolve,
    /// `POST /saas/subscriptions/{id}/activate`
    Activate,
    /// `GET /saas/subscriptions`
    ListSubscriptions,
    /// `GET /saas/subscriptions/{id}`
    GetSubscription,
    /// `GET /saas/subscriptions/{id}/listAvailablePlans`
    ListAvailablePlans,
    /// `PATCH /saas/subscriptions/{id}`
    UpdateSubscription,
    /// `DELETE /saas/subscriptions/{id}`
    DeleteSubscription,
    /// `GET /saas/subscriptions/{id}/operations`
    ListOperations,
    /// `GET /saas/subscriptions/{id}/operations/{operationId}`
    GetOperation,
    /// `PATCH /saas/subscriptions/{id}/operations/{operationId}`
    UpdateOperation,
    /// Entra's token endpoint.
    Token,
    /// Entra's discovery documents.
    Discovery,
    /// Entra's signing keys.
    Keys,
    /// Entra's sign-in page.
    Authorize,
    /// A webhook: the only call towards the publisher.
    Webhook,
    /// A path the service does not have.
    Unknown,
    /// In a [`Fault`]: every call the publisher makes.
    Any,
}

/// One thing that goes wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    /// With which call.
    pub call: Call,
    /// How.
    pub kind: FaultKind,
    /// How often.
    pub times: Times,
}

/// How a call goes wrong.
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// This status with an error body of this form. Nothing is processed.
    Status(u16, ErrorForm),
    /// This status with this `Retry-After`. Nothing is processed.
    RetryAfter(u16, String),
    /// Processed, answered late.
    Delay(Duration),
    /// Never answered, not processed.
    Hang,
    /// Connection closed, not processed.
    DropBefore,
    /// Processed, then the connection closes without an answer.
    LoseAnswer,
    /// 200 with this body. Nothing is processed.
    Garbage(String),
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// The next matching call.
    Once,
    /// The next matching calls.
    N(u32),
    /// Until removed.
    Always,
}

/// The forms of error bodies (F-GEN-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorForm {
    /// `{"message","code"}`
    Object,
    /// `{"error":{"code","message"}}`
    Nested,
    /// `{"Error":{"Code","Message"}}`
    Capitalised,
    /// A bare JSON string.
    BareString,
    /// No body.
    Empty,
    /// A page from something in between.
    Html,
}

impl ErrorForm {
    /// Every form, for tests that want them all.
    pub const ALL: [Self; 6] =
        [Self::Object, Self::Nested, Self::Capitalised, Self::BareString, Self::Empty, Self::Html];

    /// An error answer in this form.
    pub fn reply(self, status: u16, code: &str, message: &str) -> Reply {
        match self {
            Self::Object => Reply::json(status, &json!({ "message": message, "code": code })),
            Self::Nested => {
                Reply::json(status, &json!({ "error": { "code": code, "message": message } }))
            }
            Self::Capitalised => {
                Reply::json(status, &json!({ "Error": { "Code": code, "Message": message } }))
            }
            Self::BareString => Reply::json(status, &json!(message)),
            Self::Empty => Reply::empty(status),
            Self::Html => Reply::text(
                status,
                "text/html",
                format!(
                    "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
                ),
            ),
        }
    }
}

/// The faults waiting to strike, in the order in which they were added.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds one.
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Adds one that strikes once.
    pub fn once(&mut self, call: Call, kind: FaultKind) {
        self.add(Fault { call, kind, times: Times::Once });
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fault that strikes this call, counted down.
    pub(crate) fn strike(&mut self, call: Call) -> Option<FaultKind> {
        let at = self.0.iter().position(|fault| fault.call == call || fault.call == Call::Any)?;
        let kind = self.0[at].kind.clone();
        match self.0[at].times {
            Times::Always => {}
            Times::N(left) if left > 1 => self.0[at].times = Times::N(left - 1),
            Times::Once | Times::N(_) => {
                self.0.remove(at);
            }
        }
        Some(kind)
    }
}
