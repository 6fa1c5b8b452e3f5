//! Entra's answer to the exchange of a code, as the OAuth library reads it.
//!
//! The library refuses a whole answer for a lifetime that is text (F-AUTH-5), for a byte order mark
//! (F-GEN-14) or for another media type. A sign-in needs an id token or an error, nothing else.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use serde_json::Value;

use crate::lenient::value;

/// The members that the library demands or that we use.
const NEEDED: [&str; 4] = ["access_token", "token_type", "id_token", "error"];

/// The member that holds Entra's AADSTS numbers.
const NUMBERS: &str = "error_codes";

/// The same answer with the needed members alone, as plain JSON. An answer that is no JSON object
/// stays as it is.
pub(super) fn readable(mut answer: Response<Bytes>) -> Response<Vec<u8>> {
    let Some(Value::Object(mut members)) = value(answer.body()) else {
        return answer.map(|body| body.to_vec());
    };
    members.retain(|name, value| {
        (NEEDED.contains(&name.as_str()) && value.is_string())
            || (name == NUMBERS && value.is_array())
    });
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.map(|_| Value::Object(members).to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_page_does_not_need_is_left_out_in_whatever_form_it_comes() {
        for (sent, read) in [
            (
                r#"{"token_type":"Bearer","access_token":"a","id_token":"i","expires_in":"3599"}"#,
                json!({ "token_type": "Bearer", "access_token": "a", "id_token": "i" }),
            ),
            (
                "\u{feff}{\"error\":\"x\",\"error\":\"invalid_grant\",\"error_description\":\"\\ud83d\"}",
                json!({ "error": "invalid_grant" }),
            ),
            (r#"{"id_token":7,"refresh_token":[],"scope":null,"error_codes":7}"#, json!({})),
            (
                r#"{"error":"invalid_client","error_description":"d","error_codes":[7000222]}"#,
                json!({ "error": "invalid_client", "error_codes": [7_000_222] }),
            ),
        ] {
            let mut answer = Response::new(Bytes::from(sent));
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/json"));
            let readable = readable(answer);
            assert_eq!(readable.headers()[CONTENT_TYPE], "application/json");
            let body: Value = serde_json::from_slice(readable.body()).expect("JSON");
            assert_eq!(body, read, "{sent}");
        }
        assert_eq!(readable(Response::new(Bytes::from("<html>"))).body(), b"<html>");
    }
}
