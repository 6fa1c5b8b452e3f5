//! The browser, and the actions of a person in it.

use std::future::Future;
use std::process::Stdio;
use std::time::Duration;

use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::Url;

/// Longer than any wait that succeeds, even on a busy machine.
const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

/// A page in its own browser.
#[derive(Clone)]
pub struct Page {
    /// The WebDriver session.
    pub client: Client,
    /// Whether the page's own scripts run.
    scripts: bool,
}

/// Starts a browser, runs `work` in it, and ends it even if `work` panics.
///
/// # Panics
/// When `work` panics, or the browser can't be started.
pub async fn browse<W>(work: impl FnOnce(Page) -> W)
where
    W: Future<Output = ()> + Send + 'static,
{
    let (mut driver, address) = driver().await;
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities())
        .connect(&address)
        .await
        .expect("a browser starts");
    let done = tokio::spawn(work(Page { client: client.clone(), scripts: true })).await;
    let closed = client.close().await;
    let killed = driver.kill().await;
    if let Err(failed) = done {
        std::panic::resume_unwind(failed.into_panic());
    }
    closed.expect("the browser ends");
    killed.expect("the driver ends");
}

/// Starts the driver on a free port and returns its address.
async fn driver() -> (Child, String) {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromedriver is installed; tests/browser/run installs it");
    let stdout = driver.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(stdout).lines();
    loop {
        let line = lines
            .next_line()
            .await
            .expect("the driver's output is readable")
            .expect("the driver keeps running");
        if let Some((_, port)) = line.rsplit_once("started successfully on port ") {
            let address = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
            // Keep reading, so that later output doesn't fill the pipe.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (driver, address);
        }
    }
}

fn capabilities() -> Capabilities {
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--window-size=1280,900",
    ];
    let capabilities = json!({
        "goog:chromeOptions": { "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL" },
        "timeouts": { "script": 120_000, "pageLoad": 120_000 },
    });
    capabilities.as_object().cloned().expect("an object")
}

/// A DevTools command, or a request for the driver's log.
#[derive(Debug)]
struct Vendor {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

impl Page {
    /// Sends the browser a DevTools command.
    pub async fn devtools(&self, command: &str, parameters: Value) {
        let body = json!({ "cmd": command, "params": parameters });
        let command = Vendor { path: "goog/cdp/execute", body };
        self.client.issue_cmd(command).await.expect("the browser accepts the command");
    }

    /// Turns the page's own scripts on or off.
    #[must_use]
    pub async fn with_scripts(self, run: bool) -> Self {
        self.enable_scripts(run).await;
        Self { scripts: run, ..self }
    }

    async fn enable_scripts(&self, run: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !run })).await;
    }

    /// Evaluates an asynchronous script. Scripts are on while it runs; the page has loaded before.
    pub async fn eval_async(&self, script: &str) -> Value {
        self.enable_scripts(true).await;
        let answer = self.client.execute_async(script, Vec::new()).await.expect("the script runs");
        self.enable_scripts(self.scripts).await;
        answer
    }

    /// Requests pages in this language.
    pub async fn set_language(&self, language: &str) {
        self.devtools("Network.enable", json!({})).await;
        let headers = json!({ "headers": { "Accept-Language": language } });
        self.devtools("Network.setExtraHTTPHeaders", headers).await;
    }

    /// The browser's console messages since the last call.
    pub async fn console_messages(&self) -> Vec<String> {
        let log = Vendor { path: "se/log", body: json!({ "type": "browser" }) };
        let log = self.client.issue_cmd(log).await.expect("the driver keeps a log");
        let entries = log.as_array().expect("a list").iter();
        entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub async fn open(&self, address: &str) {
        self.client.goto(address).await.expect("the page opens");
    }

    /// Deletes all cookies, because another shop may use the same host.
    pub async fn clear_cookies(&self) {
        self.client.delete_all_cookies().await.expect("cookies are deleted");
    }

    /// Waits for an element.
    pub async fn wait_for(&self, what: Locator<'_>) -> fantoccini::elements::Element {
        let found = self.client.wait().at_most(WAIT_TIMEOUT).for_element(what).await;
        match found {
            Ok(found) => found,
            Err(error) => {
                let text = self.eval("return document.body.innerText").await;
                panic!("{what:?} is not on the page: {error}\n{text}")
            }
        }
    }

    /// Waits for a page with this heading.
    pub async fn wait_for_heading(&self, heading: &str) {
        let path = format!("//h1[normalize-space()={heading:?}]");
        self.wait_for(Locator::XPath(&path)).await;
    }

    pub async fn click(&self, what: Locator<'_>) {
        self.wait_for(what).await.click().await.expect("it can be pressed");
    }

    /// Clicks the page's submit button.
    pub async fn submit(&self) {
        self.click(Locator::Css("main button[type=submit]")).await;
    }

    /// Replaces a field's text.
    pub async fn fill(&self, name: &str, text: &str) {
        let field = self.wait_for(Locator::Id(name)).await;
        field.clear().await.expect("a field is cleared");
        field.send_keys(text).await.expect("a field is typed into");
    }

    /// Picks an account on Entra's page.
    pub async fn pick_account(&self, email: &str) {
        let path = format!("//a[span={email:?}]");
        self.click(Locator::XPath(&path)).await;
        self.wait_for(Locator::Css("main h1")).await;
    }

    /// Evaluates a script.
    pub async fn eval(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("the script runs")
    }

    pub async fn url(&self) -> Url {
        self.client.current_url().await.expect("the page has an address")
    }
}
