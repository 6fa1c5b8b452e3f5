//! The browser, and what a person does with it.

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

/// Longer than anything here takes on a busy machine; nothing waits that long that goes well.
const PATIENCE: Duration = Duration::from_secs(60);

/// A page in a browser of its own.
#[derive(Clone)]
pub struct Page {
    /// The driver's view of it.
    pub client: Client,
    /// Whether scripts of pages run.
    scripts: bool,
}

/// Does something with a fresh browser, and ends that however it went.
///
/// # Panics
/// When `work` does, or no browser can be started.
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

/// Starts a driver on a free port, and returns where it is.
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
        let line = lines.next_line().await.expect("the driver talks").expect("and does not end");
        if let Some((_, port)) = line.rsplit_once("started successfully on port ") {
            let address = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
            // Whatever it says later must not fill the pipe.
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

/// A command of the browser's own protocol, or the driver's log.
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
    /// Sends the browser a command of its own protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) {
        let body = json!({ "cmd": command, "params": parameters });
        let command = Vendor { path: "goog/cdp/execute", body };
        self.client.issue_cmd(command).await.expect("the browser takes the command");
    }

    /// The same page, whose scripts run or don't from now on.
    #[must_use]
    pub async fn with_scripts(self, run: bool) -> Self {
        self.lets_scripts_run(run).await;
        Self { scripts: run, ..self }
    }

    async fn lets_scripts_run(&self, run: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !run })).await;
    }

    /// Runs something that needs scripts; those of the page itself have had their chance.
    pub async fn asks(&self, script: &str) -> Value {
        self.lets_scripts_run(true).await;
        let answer = self.client.execute_async(script, Vec::new()).await.expect("the script runs");
        self.lets_scripts_run(self.scripts).await;
        answer
    }

    /// Reads this language from now on.
    pub async fn reads(&self, language: &str) {
        self.devtools("Network.enable", json!({})).await;
        let headers = json!({ "headers": { "Accept-Language": language } });
        self.devtools("Network.setExtraHTTPHeaders", headers).await;
    }

    /// What the browser has complained of since it was asked last.
    pub async fn complaints(&self) -> Vec<String> {
        let log = Vendor { path: "se/log", body: json!({ "type": "browser" }) };
        let log = self.client.issue_cmd(log).await.expect("the driver keeps a log");
        let entries = log.as_array().expect("a list").iter();
        entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Opens an address.
    pub async fn open(&self, address: &str) {
        self.client.goto(address).await.expect("the page opens");
    }

    /// Forgets every cookie: another shop may stand on the same host.
    pub async fn forgets(&self) {
        self.client.delete_all_cookies().await.expect("cookies are forgotten");
    }

    /// Waits until something is on the page.
    pub async fn sees(&self, what: Locator<'_>) -> fantoccini::elements::Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(what).await;
        match found {
            Ok(found) => found,
            Err(error) => {
                let text = self.tells("return document.body.innerText").await;
                panic!("{what:?} is not on the page: {error}\n{text}")
            }
        }
    }

    /// Waits until the page has this heading.
    pub async fn is_headed(&self, heading: &str) {
        let path = format!("//h1[normalize-space()={heading:?}]");
        self.sees(Locator::XPath(&path)).await;
    }

    /// Presses something.
    pub async fn presses(&self, what: Locator<'_>) {
        self.sees(what).await.click().await.expect("it can be pressed");
    }

    /// Presses the page's one button that sends a form.
    pub async fn confirms(&self) {
        self.presses(Locator::Css("main button[type=submit]")).await;
    }

    /// Types into a field, instead of what stands there.
    pub async fn types(&self, name: &str, text: &str) {
        let field = self.sees(Locator::Id(name)).await;
        field.clear().await.expect("a field is cleared");
        field.send_keys(text).await.expect("a field is typed into");
    }

    /// Picks an account on Entra's page.
    pub async fn picks(&self, email: &str) {
        let path = format!("//a[span={email:?}]");
        self.presses(Locator::XPath(&path)).await;
        self.sees(Locator::Css("main h1")).await;
    }

    /// What a script says about the page.
    pub async fn tells(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("the script runs")
    }

    /// Where the page is.
    pub async fn address(&self) -> Url {
        self.client.current_url().await.expect("the page has an address")
    }
}
