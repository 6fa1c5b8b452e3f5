//! The Azure Functions host: starts the custom handler and forwards requests to it.
//!
//! <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers>

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use http::StatusCode;
use local::LocalSystem;
use serde_json::{Value, json};

use crate::process::{Process, Variables, Written};
use crate::{Answer, Event};

pub(crate) struct Azure {
    process: Process,
    http: reqwest::Client,
    url: String,
}

/// The pause between two checks whether the handler is ready. The real host polls as well.
const POLL_PAUSE: Duration = Duration::from_millis(10);

/// The settings of a function app, from `local.settings.example.json`.
pub(crate) fn settings() -> Variables {
    let path = crate::project().join("functions/azure-custom-handler/local.settings.example.json");
    let text = std::fs::read_to_string(path).expect("the example of the settings is there");
    let example: Value = serde_json::from_str(&text).expect("the example is JSON");
    let values = example["Values"].as_object().expect("the example has values");
    let text = |value: &Value| value.as_str().expect("an app's setting is text").to_owned();
    values.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

impl Azure {
    /// Starts the custom handler with the documented settings, and with these instead of some.
    pub(crate) async fn start(binary: &Path, system: &LocalSystem, other: Variables) -> Self {
        let mut variables = settings();
        for (name, value) in &mut variables {
            if let Some(live) = system.variables.get(name) {
                value.clone_from(live);
            }
        }
        let port = {
            let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            probe.local_addr().expect("a bound port has an address").port()
        };
        variables.insert("FUNCTIONS_CUSTOMHANDLER_PORT".to_owned(), port.to_string());
        // The handler's calls to AWS come to this machine instead.
        let database = &system.variables["AWS_ENDPOINT_URL_DYNAMODB"];
        variables.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), database.clone());
        variables.extend(other);
        let mut azure = Self {
            process: Process::start(binary, &variables),
            http: shared::host::http_client::client(),
            url: format!("http://127.0.0.1:{port}"),
        };
        azure.wait_until_ready().await;
        azure
    }

    /// Like the host, takes any answer to `GET /` for ready.
    async fn wait_until_ready(&mut self) {
        loop {
            if self.http.get(format!("{}/", self.url)).send().await.is_ok() {
                return;
            }
            tokio::select! {
                status = self.process.ended() => panic!("the custom handler ended: {status}"),
                () = tokio::time::sleep(POLL_PAUSE) => {}
            }
        }
    }

    /// Forwards an HTTP request unchanged, or invokes a timer's function. `Err`: the invocation
    /// failed.
    pub(crate) async fn invoke(&mut self, function: &str, event: &Event) -> Result<Answer, String> {
        if event.is_http() { Ok(self.forward(event).await) } else { self.tick(function).await }
    }

    async fn forward(&self, event: &Event) -> Answer {
        let method = event.method().parse().expect("a method of HTTP");
        let mut request = self.http.request(method, format!("{}{}", self.url, event.target()));
        for (name, value) in event.headers() {
            if !matches!(name, "host" | "content-length") {
                request = request.header(name, value);
            }
        }
        let response = request.body(event.body()).send().await;
        Answer::from_http(response.expect("the custom handler answers")).await
    }

    /// Wraps the invocation in the host's envelope, and checks that the answer is wrapped in one.
    async fn tick(&self, function: &str) -> Result<Answer, String> {
        let schedule = json!({
            "Schedule": { "AdjustForDST": true },
            "ScheduleStatus": { "Last": "2026-11-23T08:00:00+00:00", "Next": "2026-11-23T09:00:00+00:00" },
            "IsPastDue": false,
        });
        let metadata = json!({
            "sys": { "MethodName": function, "UtcNow": "2026-11-23T09:00:00.0002116Z", "RandGuid": "7c2e9b14-50d8-4f6a-a1b3-e86d0f94c725" },
        });
        let envelope = json!({ "Data": { "timer": schedule }, "Metadata": metadata }).to_string();
        let request = self.http.post(format!("{}/{function}", self.url)).body(envelope);
        let response = request.header("content-type", "application/json").send().await;
        let answer = Answer::from_http(response.expect("the custom handler answers")).await;
        let returned = answer.json();
        for (member, is_right) in [
            ("Outputs", returned["Outputs"].is_object()),
            ("Logs", returned["Logs"].is_array()),
            ("ReturnValue", returned.get("ReturnValue").is_some()),
        ] {
            assert!(is_right, "{member} in {returned}: the host would wait forever");
        }
        if answer.status != StatusCode::OK.as_u16() {
            return Err(answer.body);
        }
        Ok(Answer::returned(&returned["ReturnValue"]))
    }

    /// Ends the custom handler and returns its output.
    pub(crate) async fn end(self) -> Written {
        self.process.end().await
    }
}
