//! A function's answer, in one form for all hosts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Without the headers that belong to a connection.
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// The value that an invocation without an HTTP request returns.
    pub(crate) fn returned(value: &Value) -> Self {
        Self { status: 200, headers: HeaderMap::new(), body: value.to_string() }
    }

    /// The HTTP answer that API Gateway and a function URL make from a returned value (payload
    /// format 2.0).
    pub(crate) fn from_gateway(answer: &Value) -> Self {
        let status = answer["statusCode"].as_u64().expect("a status code");
        let text = answer["body"].as_str().unwrap_or_default();
        let body = if answer["isBase64Encoded"] == true {
            let bytes = STANDARD.decode(text).expect("base64 where it is announced");
            String::from_utf8(bytes).expect("a body of text")
        } else {
            text.to_owned()
        };
        let mut headers = HeaderMap::new();
        for (name, value) in answer["headers"].as_object().into_iter().flatten() {
            let name = HeaderName::try_from(name).expect("a header's name");
            let value = value.as_str().expect("a header's value is text");
            headers.insert(name, HeaderValue::try_from(value).expect("a header's value"));
        }
        for cookie in answer["cookies"].as_array().into_iter().flatten() {
            let value = cookie.as_str().expect("a cookie is text");
            headers.append(SET_COOKIE, HeaderValue::try_from(value).expect("a header's value"));
        }
        Self { status: u16::try_from(status).expect("a status"), headers, body }.without_hop()
    }

    pub(crate) async fn from_http(response: reqwest::Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.expect("a body of text"),
        }
        .without_hop()
    }

    /// The value of a cookie that the answer sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.headers.get_all(SET_COOKIE).iter().filter_map(|it| it.to_str().ok());
        let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next()?.split_once('='));
        pairs.find_map(|(set, value)| (set == name).then(|| value.to_owned()))
    }

    fn without_hop(mut self) -> Self {
        for name in [CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING] {
            self.headers.remove(name);
        }
        self
    }

    /// A header's value, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// # Panics
    /// When the body is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }

    /// The `code` of a problem, or an empty text for other answers.
    pub fn problem(&self) -> String {
        let is_problem = self.header("content-type") == "application/problem+json";
        let code = || Some(self.json().get("code")?.as_str()?.to_owned());
        is_problem.then(code).flatten().unwrap_or_default()
    }

    /// The same answer with all times and our own ids masked, and without its caller, so that two runs can be
    /// compared.
    pub(crate) fn without_times(mut self) -> Self {
        let content_type = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_page = content_type.is_some_and(|kind| kind.starts_with("text/html"));
        self.body = match serde_json::from_str::<Value>(&self.body) {
            Ok(mut value) if !is_page => {
                mask(&mut value);
                value.to_string()
            }
            _ => mask_days(&self.body),
        };
        self
    }
}

fn mask(value: &mut Value) {
    match value {
        Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => "(time)".clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(mask),
        Value::Object(members) => {
            // The Azure Functions host names no caller.
            members.remove("principal");
            members.retain(|name, value| name != "by" || !is_of_aws(value));
            for (name, value) in members {
                if name == "correlationId" { *value = json!("(id)") } else { mask(value) }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether AWS names a caller so.
fn is_of_aws(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("arn:"))
}

/// Masks the days in a page, such as `2026-03-04`.
fn mask_days(page: &str) -> String {
    let is_day = |text: &str| text.parse::<jiff::civil::Date>().is_ok();
    let mut masked = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(next) = rest.chars().next() {
        match rest.get(..10) {
            Some(day) if next.is_ascii_digit() && is_day(day) => {
                masked.push_str("(day)");
                rest = &rest[10..];
            }
            _ => {
                masked.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_and_our_own_ids_are_masked() {
        let answer = |content_type: &'static str, body: &str| {
            let headers =
                HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            Answer { status: 200, headers, body: body.to_owned() }.without_times().body
        };
        let json = answer("application/json", r#"{"at":"2026-03-04T05:06:07.5Z","n":[1,"gold"]}"#);
        assert_eq!(json, r#"{"at":"(time)","n":[1,"gold"]}"#);
        let json = answer("application/json", r#"{"correlationId":"4711","operationId":"4712"}"#);
        assert_eq!(json, r#"{"correlationId":"(id)","operationId":"4712"}"#);
        let json = answer("application/json", r#"{"by":"publisher","principal":"arn:aws:…"}"#);
        assert_eq!(json, r#"{"by":"publisher"}"#);
        let json = answer("application/json", r#"{"by":"arn:aws:…","text":"a note"}"#);
        assert_eq!(json, r#"{"text":"a note"}"#);
        let page = answer("text/html; charset=utf-8", "<b>until 2026-03-04</b> 2026-99-99 é");
        assert_eq!(page, "<b>until (day)</b> 2026-99-99 é");
    }
}
