//! The part of DynamoDB that the functions use. It stores items, checks conditions, and refuses the
//! keys that DynamoDB refuses.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Map, Value, json};

const NAME: &str = "table";

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const LONGEST_PARTITION_KEY: usize = 2048;

/// From the same page.
const LONGEST_SORT_KEY: usize = 1024;

/// The indexes: name, partition key, sort key.
const INDEXES: [[&str; 3]; 6] = [
    ["by-status", "status", "subscription_id"],
    ["by-offer", "offer_id", "subscription_id"],
    ["by-change", "listed", "last_change"],
    ["by-term-end", "listed", "term_end"],
    ["by-due", "outbox", "due_at"],
    ["by-search", "search", "subscription_id"],
];

type Item = Map<String, Value>;

/// Items by their keys.
pub type Items = BTreeMap<[String; 2], Item>;

/// Why a request is refused.
#[derive(Debug)]
enum Refused {
    Invalid,
    Condition,
    Cancelled(Vec<bool>),
}

#[derive(Debug, Default)]
pub struct Table(Mutex<Items>);

impl Table {
    pub fn of(items: Items) -> Self {
        Self(Mutex::new(items))
    }

    pub fn items(&self) -> Items {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Items> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request of the SDK.
    pub fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let body: Value = serde_json::from_slice(request.body()).expect("a request in JSON");
        let (status, answer) = match self.carry_out(operation(request), &body) {
            Ok(answer) => (StatusCode::OK, answer),
            Err(refused) => (StatusCode::BAD_REQUEST, refused.answer()),
        };
        let mut response = Response::new(Bytes::from(answer.to_string()));
        *response.status_mut() = status;
        response
    }

    fn carry_out(&self, operation: &str, body: &Value) -> Result<Value, Refused> {
        let mut items = self.lock();
        match operation {
            "GetItem" => Ok(match items.get(&key(&body["Key"])?) {
                Some(item) => json!({ "Item": item }),
                None => json!({}),
            }),
            "BatchGetItem" => {
                let keys = body["RequestItems"][NAME]["Keys"].as_array().expect("keys");
                let keys = keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
                let found: Vec<_> = keys.iter().filter_map(|key| items.get(key)).collect();
                Ok(json!({ "Responses": { NAME: found } }))
            }
            "BatchWriteItem" => {
                let writes = body["RequestItems"][NAME].as_array().expect("items");
                for write in writes {
                    let item = &write["PutRequest"]["Item"];
                    items.insert(key(item)?, object(item).clone());
                }
                Ok(json!({}))
            }
            "PutItem" => {
                let key = put(&items, body)?;
                items.insert(key, object(&body["Item"]).clone());
                Ok(json!({}))
            }
            "UpdateItem" => {
                let key = key(&body["Key"])?;
                let item = items.get_mut(&key).ok_or(Refused::Condition)?;
                let expression =
                    body["UpdateExpression"].as_str().and_then(|it| it.strip_prefix("REMOVE "));
                for name in expression.expect("a removal").split(", ") {
                    item.remove(text(&body["ExpressionAttributeNames"][name]));
                }
                Ok(json!({}))
            }
            "TransactWriteItems" => {
                let actions = body["TransactItems"].as_array().expect("items");
                let (deletes, puts): (Vec<_>, Vec<_>) =
                    actions.iter().partition(|action| action["Put"].is_null());
                let puts: Vec<_> = puts.into_iter().map(|action| &action["Put"]).collect();
                let done: Vec<_> = puts.iter().map(|body| put(&items, body)).collect();
                if done.iter().any(|done| matches!(done, Err(Refused::Invalid))) {
                    return Err(Refused::Invalid);
                }
                let Ok(keys) = done.iter().map(Result::as_ref).collect::<Result<Vec<_>, _>>()
                else {
                    return Err(Refused::Cancelled(done.iter().map(Result::is_err).collect()));
                };
                for delete in deletes {
                    items.remove(&key(&delete["Delete"]["Key"])?);
                }
                for (key, body) in keys.into_iter().zip(puts) {
                    items.insert(key.clone(), object(&body["Item"]).clone());
                }
                Ok(json!({}))
            }
            "Query" | "Scan" => found(&items, body),
            other => panic!("the functions don't use {other}"),
        }
    }
}

/// The operation that a request names.
pub fn operation(request: &Request<Bytes>) -> &str {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
    target.and_then(|target| target.rsplit('.').next()).unwrap_or_default()
}

/// Whether a request changes the table.
pub fn is_write(request: &Request<Bytes>) -> bool {
    matches!(operation(request), "BatchWriteItem" | "PutItem" | "UpdateItem" | "TransactWriteItems")
}

fn object(value: &Value) -> &Item {
    value.as_object().expect("an object")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// An attribute's text, if it is valid as a key.
fn key_text(value: &Value, longest: usize) -> Result<&str, Refused> {
    let text = value["S"].as_str().ok_or(Refused::Invalid)?;
    if (1..=longest).contains(&text.len()) { Ok(text) } else { Err(Refused::Invalid) }
}

fn key(item: &Value) -> Result<[String; 2], Refused> {
    let partition = key_text(&item["pk"], LONGEST_PARTITION_KEY)?;
    Ok([partition, key_text(&item["sk"], LONGEST_SORT_KEY)?].map(str::to_owned))
}

/// The item's key, if the request's condition holds.
fn put(items: &Items, body: &Value) -> Result<[String; 2], Refused> {
    let key = key(&body["Item"])?;
    for [_, partition, sort] in INDEXES {
        for (name, longest) in [(partition, LONGEST_PARTITION_KEY), (sort, LONGEST_SORT_KEY)] {
            if let Some(value) = body["Item"].get(name) {
                key_text(value, longest)?;
            }
        }
    }
    let found = items.get(&key);
    let number = |value: &Value| value["N"].as_str().and_then(|text| text.parse::<i128>().ok());
    let values = &body["ExpressionAttributeValues"];
    let holds = match body["ConditionExpression"].as_str() {
        None => true,
        Some("attribute_not_exists(#pk)") => found.is_none(),
        Some("attribute_not_exists(#pk) OR #expires_at <= :now") => {
            found.is_none_or(|item| number(&item["expires_at"]) <= number(&values[":now"]))
        }
        Some("#version = :expected") => {
            found.is_some_and(|item| number(&item["version"]) == number(&values[":expected"]))
        }
        Some(other) => panic!("the functions don't use the condition {other}"),
    };
    if holds { Ok(key) } else { Err(Refused::Condition) }
}

/// The items that a query or scan finds, in one page.
fn found(items: &Items, body: &Value) -> Result<Value, Refused> {
    let values = &body["ExpressionAttributeValues"];
    let value = |name: &str| values[name]["S"].as_str();
    let index = INDEXES.iter().find(|[name, ..]| body["IndexName"] == **name);
    let [partition, sort] = index.map_or(["pk", "sk"], |[_, partition, sort]| [*partition, *sort]);
    let of = |item: &Item, name: &str| item.get(name)?["S"].as_str().map(str::to_owned);
    let wanted = match body["KeyConditionExpression"].as_str() {
        None => None,
        Some(_) => {
            let names = [":pk", ":key"];
            let name = names.into_iter().find(|name| !values[*name].is_null()).expect("a key");
            Some(key_text(&values[name], LONGEST_PARTITION_KEY)?.to_owned())
        }
    };
    for bound in [":from", ":to", ":up_to"] {
        if !values[bound].is_null() {
            key_text(&values[bound], LONGEST_SORT_KEY)?;
        }
    }
    let is_descending = body["ScanIndexForward"] == false;
    // A start key must belong to the list.
    let mut after = None;
    let start = &body["ExclusiveStartKey"];
    if !start.is_null() {
        key(start)?;
        let at = key_text(&start[partition], LONGEST_PARTITION_KEY)?;
        if wanted.as_ref().is_some_and(|wanted| wanted != at) {
            return Err(Refused::Invalid);
        }
        after = Some((at, key_text(&start[sort], LONGEST_SORT_KEY)?));
    }
    let is_found = |item: &&Item| {
        let Some((partition, sort)) = of(item, partition).zip(of(item, sort)) else { return false };
        let between = value(":from").is_none_or(|from| from <= sort.as_str())
            && value(":to").or(value(":up_to")).is_none_or(|to| sort.as_str() <= to);
        let has = |name| {
            value(&format!(":{name}")).is_none_or(|value| of(item, name).as_deref() == Some(value))
        };
        let begins = value(":text")
            .is_none_or(|text| of(item, "term").is_some_and(|term| term.starts_with(text)));
        let filtered = has("status") && has("offer_id") && begins;
        let place = (partition.as_str(), sort.as_str());
        let is_after =
            after.is_none_or(|after| if is_descending { place < after } else { after < place });
        wanted.as_ref().is_none_or(|wanted| *wanted == partition) && between && filtered && is_after
    };
    let mut found: Vec<_> = items.values().filter(is_found).collect();
    found.sort_by_key(|item| of(item, sort));
    if is_descending {
        found.reverse();
    }
    Ok(json!({ "Items": found, "Count": found.len() }))
}

impl Refused {
    fn answer(&self) -> Value {
        let name = match self {
            Self::Invalid => "ValidationException",
            Self::Condition => "ConditionalCheckFailedException",
            Self::Cancelled(_) => "TransactionCanceledException",
        };
        let mut answer = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{name}") });
        if let Self::Cancelled(failed) = self {
            let code = |failed: &bool| if *failed { "ConditionalCheckFailed" } else { "None" };
            let reasons = failed.iter().map(|failed| json!({ "Code": code(failed) }));
            answer["CancellationReasons"] = reasons.collect();
        }
        answer
    }
}
