//! Makes `openapi.json` from the table of calls, the codes and the published schemas. The function
//! itself contains only the finished text.

mod calls;
mod described;
mod erase;
mod notes;
mod offers;
mod receivers;
mod reconciliations;
mod response;
mod schemas;

use serde_json::{Map, Value, json};
use shared::domain::SearchTerm;
use shared::store::{LARGEST_PAGE, Sort};

use crate::deliveries::DeliveryState;
use crate::error_code::ErrorCode;
use crate::idempotency::KEY;
use crate::parameters::{LONGEST_WORD, Query};
use crate::route::TABLE;
use calls::describe;
use described::{Body, Described};
use response::responses;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

/// If this is set, the test writes the file before it compares.
const WRITE: &str = "WRITE_OPENAPI";

#[test]
fn the_committed_document_is_the_one_that_the_code_makes() {
    let made = serde_json::to_string_pretty(&document()).expect("a document is JSON") + "\n";
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(FILE, &made).expect("the file can be written");
    }
    let committed = std::fs::read_to_string(FILE).expect("the file is there");
    assert!(
        committed == made,
        "functions/management/openapi.json is not what the code makes; \
         write it anew with: {WRITE}=1 cargo test -p management openapi"
    );
}

#[test]
fn every_code_is_described_for_some_call() {
    for code in ErrorCode::ALL {
        // `no_route` belongs to no call.
        let described = TABLE.iter().any(|entry| describe(entry.call).problems.contains(code));
        assert_eq!(described, *code != ErrorCode::NoRoute, "{}", code.as_str());
    }
}

#[test]
fn no_two_codes_are_equal() {
    for (place, code) in ErrorCode::ALL.iter().enumerate() {
        for other in &ErrorCode::ALL[place + 1..] {
            assert_ne!(code.as_str(), other.as_str());
        }
    }
}

fn document() -> Value {
    let mut paths = Map::new();
    for entry in &TABLE {
        let described = describe(entry.call);
        let path = paths.entry(entry.path).or_insert_with(|| path_item(entry.path));
        path[entry.method.as_str().to_ascii_lowercase()] = operation(&described, entry.query);
    }
    let activate = paths.entry(calls::ACTIVATE).or_insert_with(|| path_item(calls::ACTIVATE));
    activate["post"] = calls::activate();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Subscriptions of a SaaS offer: the publisher's own API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Shows Microsoft's copy of every subscription as last known, and requests changes from Microsoft. \
                On AWS, sign each request with AWS credentials (Signature Version 4, service `execute-api`). \
                On Azure, send a function key in the header `x-functions-key`. \
                Skip members that you don't know: members are only ever added. \
                Statuses, actions and other words of Microsoft's are open: Microsoft adds new ones.",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "awsSignature": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "parameters": {
                "id": {
                    "name": "id", "in": "path", "required": true,
                    "description": "The subscription's id at Microsoft",
                    "schema": { "type": "string", "format": "uuid" },
                },
                "operationId": {
                    "name": "operationId", "in": "path", "required": true,
                    "description": "The operation's id, as in the 202 of a change; a GUID as a rule",
                    "schema": { "type": "string", "minLength": 1, "maxLength": 200 },
                },
                "name": {
                    "name": "name", "in": "path", "required": true,
                    "description": "The receiver's name, as `GET /receivers` lists it",
                    "schema": { "type": "string", "minLength": 1, "maxLength": 20 },
                },
                "eventId": {
                    "name": "eventId", "in": "path", "required": true,
                    "description": "The id that `POST /doctor/test-event` answered",
                    "schema": { "type": "string", "minLength": 1, "maxLength": 100 },
                },
                "idempotencyKey": {
                    "name": KEY.as_str(), "in": "header", "required": false,
                    "description": "Names the request. If you repeat the request with the same key within a day, \
                        you get the first answer again, and Microsoft is not asked twice.",
                    "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
                },
                "ifMatch": {
                    "name": "if-match", "in": "header", "required": false,
                    "description": "The `ETag` of the record or the offers that the request is based on. \
                        If they have another version by now, the request is refused with 412.",
                    "schema": {
                        "type": "string",
                        "pattern": "^(\\*|\"[0-9]{1,19}\")$",
                        "examples": ["\"7\""],
                    },
                },
            },
            "headers": {
                "ETag": {
                    "description": "The version of the record or the offers, to send back as `If-Match`",
                    "schema": { "type": "string", "pattern": "^\"[0-9]+\"$" },
                },
                "Location": {
                    "description": "The address of the operation, which shows its status",
                    "schema": { "type": "string" },
                },
                "Retry-After": {
                    "description": "How many seconds to wait before you read the operation again",
                    "schema": { "type": "string", "pattern": "^[0-9]+$" },
                },
                "Link": {
                    "description": "The address of the next page, with `rel=\"next\"`",
                    "schema": { "type": "string" },
                },
                "Idempotency-Replayed": {
                    "description": "`true` if the answer was already given to an earlier request with the same key",
                    "schema": { "const": "true" },
                },
            },
            "securitySchemes": {
                "awsSignature": {
                    "type": "apiKey", "name": "Authorization", "in": "header",
                    "description": "AWS Signature Version 4",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                },
            },
        },
    })
}

/// The parameters that all calls of a path share: the names in its braces.
fn path_item(path: &str) -> Value {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters: Vec<_> =
        names.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })).collect();
    if parameters.is_empty() { json!({}) } else { json!({ "parameters": parameters }) }
}

fn operation(described: &Described, query: &[Query]) -> Value {
    let Described { id, summary, description, body, headers, successes, problems } = described;
    let mut parameters: Vec<Value> = query.iter().map(|query| parameter(*query)).collect();
    for name in *headers {
        parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
    }
    let mut operation = json!({ "operationId": id, "summary": summary, "parameters": parameters });
    if !description.is_empty() {
        operation["description"] = json!(description);
    }
    if let Some(Body { schema, required }) = body {
        operation["requestBody"] = json!({
            "required": required,
            "content": { "application/json": { "schema": schema } },
        });
    }
    operation["responses"] = responses(successes, problems);
    operation
}

fn parameter(query: Query) -> Value {
    let (description, schema) = match query {
        Query::Status => {
            let word =
                json!({ "type": "string", "maxLength": LONGEST_WORD, "examples": ["Subscribed"] });
            ("Only subscriptions with this status", word)
        }
        Query::Offer => {
            let word = json!({ "type": "string", "maxLength": LONGEST_WORD });
            ("Only subscriptions to this offer", word)
        }
        Query::Test => (
            "`true`: only test purchases; `false`: none of them. Pages can be short, since the filter leaves records out.",
            json!({ "type": "string", "enum": ["true", "false"] }),
        ),
        Query::Unclaimed => (
            "`true`: only subscriptions that Microsoft activated by itself and no person has claimed; `false`: none of them. \
                Pages can be short, as with `test`.",
            json!({ "type": "string", "enum": ["true", "false"] }),
        ),
        Query::Delivery => (
            "Only subscriptions with events that your product has not accepted: `waiting` ones are sent by themselves, \
                `parked` ones only on request. The oldest first; not together with `search`, `sort` or `limit`.",
            json!({ "type": "string", "enum": DeliveryState::OPEN.map(DeliveryState::name) }),
        ),
        Query::Search => {
            let text = json!({
                "type": "string", "minLength": SearchTerm::SHORTEST, "maxLength": LONGEST_WORD,
                "examples": ["contoso"],
            });
            (
                "Only subscriptions with a value that begins with this text, without regard to case: \
                    the id, the name, an e-mail address, domain or tenant of the beneficiary or purchaser, \
                    or the address, company or name that the buyer entered on the landing page. \
                    In the order of their ids; not together with `sort`. It takes a moment until a change is found.",
                text,
            )
        }
        Query::Limit => (
            "The most entries on the page. It may have fewer without being the last one.",
            json!({ "type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": LARGEST_PAGE }),
        ),
        Query::Sort => (
            "The order of the list; without it, there is none, and the pages show every subscription whose status stays the same meanwhile. \
                `lastChange`: the latest `updatedAt` first; a record that changes while you read the pages moves to the front. \
                `termEnd`: the next end of a term first; subscriptions without a term and those that have ended come last.",
            json!({ "type": "string", "enum": Sort::ALL.map(Sort::name) }),
        ),
        Query::Next => (
            "`next` of the previous page. The cursor is opaque, and valid with the same filters, order and text only.",
            json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]*$" }),
        ),
        Query::After => (
            "The version of the last event that you have. The page starts after it.",
            json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX, "default": 0 }),
        ),
        Query::State => (
            "`waiting`: events are sent by themselves; `parked`: only on request",
            json!({ "type": "string", "enum": DeliveryState::OPEN.map(DeliveryState::name) }),
        ),
    };
    let is_required = query == Query::State;
    json!({
        "name": query.name(), "in": "query", "required": is_required,
        "description": description, "schema": schema,
    })
}
