//! The settings of offers.

use serde_json::{Value, json};
use shared::config::LANGUAGES;

use super::parts::reference;

fn text(description: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "description": description })
}

fn page(description: &str) -> Value {
    json!({ "type": "string", "format": "uri", "pattern": "^https://", "description": description })
}

/// The landing page reads more than this says, such as the form of an image.
pub(super) fn offers() -> Value {
    json!({
        "type": "object",
        "description": "By offer id",
        "additionalProperties": reference("OfferSettings"),
    })
}

pub(super) fn offer_settings() -> Value {
    let image = "An image as `data:image/svg+xml;base64,…` (or png, jpeg, webp)";
    json!({
        "type": "object",
        "description": "What one offer has of its own. A member that is missing is as the deployment has it.",
        "properties": {
            "name": reference("Label"),
            "plans": {
                "type": "object", "description": "The names of plans by plan id",
                "additionalProperties": reference("Label"),
            },
            "publisherName": {
                "type": "string", "minLength": 1, "maxLength": 80,
                "description": "The name that buyers know the publisher by",
            },
            "logo": text(image),
            "logoDark": text("Another image of that form, for pages in a dark colour scheme; only with `logo`"),
            "accent": {
                "type": "string", "pattern": "^#[0-9A-Fa-f]{6}$",
                "description": "The colour of buttons and links",
            },
            "support": text("Where buyers find help: an e-mail address or an https page"),
            "productUrl": page("Where the product is"),
            "privacyUrl": page("The privacy policy"),
            "termsUrl": page("The terms of use"),
            "imprintUrl": page("Who the publisher is"),
            "fields": {
                "type": "array", "maxItems": 10, "items": reference("OfferField"),
                "description": "What a buyer is asked for beside the contact address",
            },
            "languages": {
                "type": "array", "minItems": 1, "uniqueItems": true, "items": { "enum": LANGUAGES },
                "description": "The languages of its pages; the first one is for readers who prefer none of them",
            },
            "activation": {
                "enum": ["on-confirm", "by-publisher"],
                "description": "Who activates a confirmed purchase",
            },
            "signUpUrl": {
                "type": "string", "format": "uri",
                "description": "Your own sign-up page, to which the buyer is handed over; not with `on-confirm`",
            },
        },
    })
}

pub(super) fn field() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {
                "type": "string", "pattern": "^[A-Za-z0-9_-]{1,40}$",
                "description": "The key of the answer; neither `contact`, `submit` nor `token`",
            },
            "label": reference("Label"),
            "required": { "type": "boolean", "default": false },
            "maxLength": { "type": "integer", "minimum": 1, "maximum": 500, "default": 100 },
        },
        "required": ["name", "label"],
    })
}

pub(super) fn label() -> Value {
    let text = json!({ "type": "string", "minLength": 1, "maxLength": 100 });
    json!({
        "description": "One text, or one by language",
        "oneOf": [
            text,
            { "type": "object", "minProperties": 1, "additionalProperties": text },
        ],
    })
}
