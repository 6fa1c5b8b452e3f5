//! The invocation in progress: its ids on every log line, under the names that Powertools for AWS
//! Lambda gives them. By them, our lines join with Lambda's own lines and with the API's access log.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

tokio::task_local! {
    /// The members of the invocation's log lines, as JSON without braces.
    static MEMBERS: String;
}

/// Runs `work` for the invocation with this request id. `trace` is the header
/// `X-Amzn-Trace-Id`, of which the lines name the trace alone.
pub async fn run<F: Future>(request_id: &str, trace: Option<&str>, work: F) -> F::Output {
    static IS_WARM: AtomicBool = AtomicBool::new(false);
    let is_cold = !IS_WARM.swap(true, Ordering::Relaxed);
    MEMBERS.scope(members(request_id, trace, is_cold), work).await
}

/// The members that a log line gets now; `None` outside of an invocation.
pub(super) fn with_members<T>(write: impl FnOnce(&str) -> T) -> Option<T> {
    MEMBERS.try_with(|members| write(members)).ok()
}

fn members(request_id: &str, trace: Option<&str>, is_cold: bool) -> String {
    let id = Value::from(request_id);
    let mut members = format!(r#""cold_start":{is_cold},"function_request_id":{id}"#);
    let root = |header: &str| {
        header.split(';').find_map(|part| part.strip_prefix("Root=").map(Value::from))
    };
    if let Some(root) = trace.and_then(root) {
        members.push_str(&format!(r#","xray_trace_id":{root}"#));
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str =
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";

    fn json(members: &str) -> Value {
        serde_json::from_str(&format!("{{{members}}}")).expect("JSON")
    }

    #[test]
    fn the_ids_have_the_names_of_powertools() {
        let line = json(&members("8f507cfc-xmpl", Some(TRACE), true));
        let expected = serde_json::json!({
            "cold_start": true,
            "function_request_id": "8f507cfc-xmpl",
            "xray_trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn what_is_not_known_has_no_member() {
        for trace in [None, Some(""), Some("Sampled=0")] {
            let line = json(&members("a\"b", trace, false));
            let expected =
                serde_json::json!({ "cold_start": false, "function_request_id": "a\"b" });
            assert_eq!(line, expected);
        }
        assert_eq!(with_members(str::to_owned), None, "outside of an invocation");
    }

    #[tokio::test]
    async fn an_invocation_after_the_first_is_no_cold_start() {
        run("the-first", None, async {}).await;
        let within = run("a-second", None, async { with_members(json) }).await;
        assert_eq!(within.expect("an invocation")["cold_start"], false);
    }
}
