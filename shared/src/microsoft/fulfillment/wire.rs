//! The bodies of the API's answers, read tolerantly (F-GEN-10).

use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use super::error::Malformed;
use super::next_link;
use crate::domain::{Observation, Operation, OperationId};
use crate::lenient::{Lenient, is_blank, lenient, object, objects, value};

/// A page of List Subscriptions (F-LST-3).
#[derive(Clone, Debug)]
pub struct SubscriptionPage {
    /// Short pages are normal (F-LST-4).
    pub subscriptions: Vec<Observation>,
    /// Entries of the page that could not be read at all.
    pub unreadable: usize,
    /// The cursor of the next page; `None` on the last one. An error if the list goes on and its
    /// link can't be followed: then this page counts, and those behind it are unknown.
    pub next: Result<Option<String>, Malformed>,
}

impl SubscriptionPage {
    /// Reads a page. An empty body, `{}` or a null array means a publisher without subscriptions
    /// (F-LST-6). `None`: it isn't JSON.
    pub fn parse(body: &[u8]) -> Option<Self> {
        #[derive(Default, Deserialize)]
        struct Body {
            #[serde(default)]
            subscriptions: Option<Vec<Raw>>,
            #[serde(default, rename = "@nextLink")]
            next_link: Value,
        }
        let body: Body = parse_or_empty(body)?;
        let entries = body.subscriptions.unwrap_or_default();
        let subscriptions: Vec<Observation> = objects(&entries);
        Some(Self {
            unreadable: entries.len() - subscriptions.len(),
            subscriptions,
            next: next_link::cursor(&body.next_link).ok_or(Malformed::NextLink),
        })
    }

    /// The same page, dated by when we asked.
    #[must_use]
    pub fn read_at(mut self, read_at: Timestamp) -> Self {
        self.subscriptions =
            self.subscriptions.into_iter().map(|observed| observed.read_at(read_at)).collect();
        self
    }
}

/// Reads Resolve's answer (F-RES-5). Older answers hold no subscription (F-RES-6).
pub(super) fn resolved(body: &[u8]) -> Option<Observation> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        #[serde(default, deserialize_with = "lenient")]
        id: Option<Uuid>,
        #[serde(default, deserialize_with = "lenient")]
        subscription_name: Option<String>,
        #[serde(default, deserialize_with = "lenient")]
        offer_id: Option<String>,
        #[serde(default, deserialize_with = "lenient")]
        plan_id: Option<String>,
        #[serde(default, deserialize_with = "lenient")]
        quantity: Option<u64>,
        #[serde(default, deserialize_with = "lenient")]
        subscription: Option<Observation>,
    }
    let body: Body = object(body)?;
    let mut observation = body.subscription.unwrap_or_default();
    observation.id = body.id.or(observation.id);
    Some(observation.or_fields(body.offer_id, body.plan_id, body.quantity, body.subscription_name))
}

/// Reads the outstanding operations: an object, a bare array, `{}` or nothing at all (F-OPL-2).
/// Leaves out entries that are no operations, unless none is one.
pub(super) fn operations(body: &[u8]) -> Option<Vec<Operation>> {
    if is_blank(body) {
        return Some(Vec::new());
    }
    let listed = match value(body)? {
        Value::Object(mut body) => match body.remove("operations") {
            None | Some(Value::Null) => return Some(Vec::new()),
            Some(listed) => listed,
        },
        listed => listed,
    };
    let entries = listed.as_array()?;
    let operations: Vec<Operation> = entries.iter().filter_map(Operation::read).collect();
    (entries.is_empty() || !operations.is_empty()).then_some(operations)
}

/// Reads Get Operation's answer.
pub(super) fn operation(body: &[u8]) -> Option<Operation> {
    Operation::read(&value(body)?)
}

/// Our answer to a requested change. Its words differ from those that Microsoft returns (F-OPU-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    Success,
    Failure,
}

impl Acknowledgement {
    /// As sent. Microsoft would accept a typo silently (F-OPU-2).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Failure => "Failure",
        }
    }
}

/// A change that Microsoft accepted for processing. Follow it with Get Operation (F-CHP-5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedOperation {
    /// `None` where the answer named no operation.
    pub id: Option<OperationId>,
}

/// Reads the operation's id from the path of `Operation-Location`, on any host (F-GEN-8), or from
/// `Operation-Id`.
pub(super) fn accepted(operation_id: Option<&str>, location: Option<&str>) -> AcceptedOperation {
    let from_location = || {
        let path = location?.split(['?', '#']).next()?;
        let (_, rest) = path.split_once("/operations/")?;
        OperationId::from_segment(rest.split('/').next()?)
    };
    AcceptedOperation { id: from_location().or_else(|| OperationId::new(operation_id?)) }
}

/// A page of List Available Plans.
#[derive(Debug, Default, Deserialize)]
pub struct PlanPage {
    /// Empty for an unknown filter (F-PLN-5).
    #[serde(default, deserialize_with = "plans")]
    pub plans: Option<Vec<Plan>>,
}

/// A plan that the customer may be on (F-PLN-2). The API passes it on: members are only added, and
/// prices stay as Microsoft wrote them.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    #[serde(default, deserialize_with = "lenient")]
    pub plan_id: Option<String>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Offered to some customers only.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub is_private: Option<bool>,
    /// No longer sold.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub is_stop_sell: Option<bool>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub has_free_trials: Option<bool>,
    /// Sold by the seat.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub is_price_per_seat: Option<bool>,
    /// The fewest seats, on per-seat plans.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub min_quantity: Option<u64>,
    /// The most seats, on per-seat plans.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub max_quantity: Option<u64>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    #[serde(default, deserialize_with = "components", skip_serializing_if = "Option::is_none")]
    pub plan_components: Option<PlanComponents>,
    /// The private offers behind the purchase. Microsoft lists them only when asked for one plan
    /// (F-PLN-4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_offers: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanComponents {
    /// Prices by term, as Microsoft wrote them: a binary float would change a price (F-PLN-7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrent_billing_terms: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "dimensions", skip_serializing_if = "Option::is_none")]
    pub metering_dimensions: Option<Vec<MeteringDimension>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeteringDimension {
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// As Microsoft wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_unit: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub unit_of_measure: Option<String>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// Microsoft's own limit of seats, where a plan names none (F-CHQ-3).
pub const MOST_SEATS: u64 = 1_000_000;

impl Plan {
    pub fn find<'a>(plans: &'a [Self], id: &str) -> Option<&'a Self> {
        plans.iter().find(|plan| plan.plan_id.as_deref() == Some(id))
    }

    /// The seats that a plan may have. Microsoft's own limits stand in for those it leaves out.
    pub fn seat_limits(plan: Option<&Self>) -> RangeInclusive<u64> {
        let least = plan.and_then(|plan| plan.min_quantity).unwrap_or(1).max(1);
        least..=plan.and_then(|plan| plan.max_quantity).unwrap_or(MOST_SEATS)
    }
}

type Raw = Box<RawValue>;

/// Reads plans from their text: a price that passed through a number could not be passed on
/// unchanged. A malformed plan does not affect the others.
fn plans<'de, D: Deserializer<'de>>(sent: D) -> Result<Option<Vec<Plan>>, D::Error> {
    Ok(Option::<Vec<Raw>>::deserialize(sent)?.as_deref().map(objects))
}

fn components<'de, D: Deserializer<'de>>(sent: D) -> Result<Option<PlanComponents>, D::Error> {
    Ok(Option::<Raw>::deserialize(sent)?.and_then(|raw| object(raw.get().as_bytes())))
}

fn dimensions<'de, D: Deserializer<'de>>(
    sent: D,
) -> Result<Option<Vec<MeteringDimension>>, D::Error> {
    let raw = Option::<Raw>::deserialize(sent)?;
    let list: Option<Vec<Raw>> = raw.and_then(|raw| serde_json::from_str(raw.get()).ok());
    Ok(list.as_deref().map(objects))
}

/// Reads a body that may be empty.
pub(super) fn parse_or_empty<T: Default + DeserializeOwned>(body: &[u8]) -> Option<T> {
    if is_blank(body) { Some(T::default()) } else { object(body) }
}

#[cfg(test)]
mod tests;
