//! The forms of Microsoft's error bodies (F-GEN-9).

use crate::wire::Reply;
use serde_json::json;

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
    /// The HTML page of a proxy or gateway.
    Html,
}

impl ErrorForm {
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
                    "<html><head><title>{status}</title></head>\
                     <body><h1>{status}</h1></body></html>"
                ),
            ),
        }
    }
}
