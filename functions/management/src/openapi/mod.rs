//! `openapi.json`, made from the table of calls, the codes and the published schemas. What ships holds
//! the finished text alone.

mod calls;
mod schemas;

use serde_json::{Map, Value, json};

use crate::error_code::ErrorCode;
use crate::idempotency::KEY;
use crate::route::{LONGEST_WORD, Query, TABLE};
use calls::{Body, Described, Success, describe};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

/// Set, the file is written instead of held against the code.
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
fn every_code_is_answered_by_some_call() {
    for code in ErrorCode::ALL {
        // Where there is no call, there is nothing to describe.
        let described = TABLE.iter().any(|entry| describe(entry.call).problems.contains(code));
        assert_eq!(described, *code != ErrorCode::NoRoute, "{}", code.as_str());
    }
}

#[test]
fn codes_are_told_apart() {
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
            "description": "Microsoft's copy of every subscription as last known, and what may be asked of Microsoft. \
                Every request is signed with AWS credentials (Signature Version 4, service `execute-api`). \
                Skip members you do not know: members are only added. Words of Microsoft's are open: it adds new ones.",
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
                    "description": "The subscription, as Microsoft names it",
                    "schema": { "type": "string", "format": "uuid" },
                },
                "operationId": {
                    "name": "operationId", "in": "path", "required": true,
                    "description": "The operation, as the 202 of a change names it",
                    "schema": { "type": "string", "format": "uuid" },
                },
                "idempotencyKey": {
                    "name": KEY.as_str(), "in": "header", "required": false,
                    "description": "Names the request. Sent again within a day it gets the same answer, \
                        and Microsoft is not asked again.",
                    "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
                },
                "ifMatch": {
                    "name": "if-match", "in": "header", "required": false,
                    "description": "The `ETag` of the record that the request was thought of for",
                    "schema": {
                        "type": "string",
                        "pattern": "^(\\*|\"[0-9]{1,19}\")$",
                        "examples": ["\"7\""],
                    },
                },
            },
            "headers": {
                "ETag": {
                    "description": "The record's version, for `If-Match`",
                    "schema": { "type": "string", "pattern": "^\"[0-9]+\"$" },
                },
                "Location": {
                    "description": "Where to see how far the operation is",
                    "schema": { "type": "string" },
                },
                "Retry-After": {
                    "description": "Seconds after which it makes sense to look again",
                    "schema": { "type": "string", "pattern": "^[0-9]+$" },
                },
                "Link": {
                    "description": "The next page, `rel=\"next\"`",
                    "schema": { "type": "string" },
                },
                "Idempotency-Replayed": {
                    "description": "`true` where the answer was given before",
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

/// What all calls of a path have in common: the names in its braces.
fn path_item(path: &str) -> Value {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters: Vec<_> =
        names.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })).collect();
    if parameters.is_empty() { json!({}) } else { json!({ "parameters": parameters }) }
}

fn operation(described: &Described, query: &[Query]) -> Value {
    let Described { id, summary, description, body, is_asked, successes, problems } = described;
    let mut parameters: Vec<Value> = query.iter().map(|query| parameter(*query)).collect();
    if *is_asked {
        for name in ["idempotencyKey", "ifMatch"] {
            parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
        }
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
            ("Only those with this status", word)
        }
        Query::Offer => {
            let word = json!({ "type": "string", "maxLength": LONGEST_WORD });
            ("Only those of this offer", word)
        }
        Query::Next => (
            "`next` of the page before; nothing to look into, and good for the same filters only",
            json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]*$" }),
        ),
        Query::After => (
            "The version of the last event that is known",
            json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX, "default": 0 }),
        ),
    };
    json!({ "name": query.name(), "in": "query", "description": description, "schema": schema })
}

fn responses(successes: &[Success], problems: &[ErrorCode]) -> Value {
    let mut responses = Map::new();
    for success in successes {
        let headers: Map<String, Value> = success
            .headers
            .iter()
            .map(|name| {
                ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }))
            })
            .collect();
        let content: Map<String, Value> = success
            .content
            .iter()
            .map(|(media_type, schema)| ((*media_type).to_owned(), json!({ "schema": schema })))
            .collect();
        responses.insert(
            success.status.to_string(),
            json!({ "description": success.description, "headers": headers, "content": content }),
        );
    }
    let mut refused: Vec<_> = problems.iter().map(|code| (code.status().as_u16(), code)).collect();
    refused.sort_by_key(|(status, _)| *status);
    for group in refused.chunk_by(|(one, _), (other, _)| one == other) {
        let codes: Vec<_> = group.iter().map(|(_, code)| code.as_str()).collect();
        responses.insert(group[0].0.to_string(), refusal(&codes));
    }
    Value::Object(responses)
}

/// A problem with one of these codes.
fn refusal(codes: &[&str]) -> Value {
    json!({
        "description": codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", "),
        "content": {
            "application/problem+json": {
                "schema": {
                    "allOf": [{ "$ref": "#/components/schemas/Problem" }],
                    "properties": { "code": { "enum": codes } },
                },
            },
        },
    })
}
