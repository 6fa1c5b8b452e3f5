//! `cargo local` as a program.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use reqwest::Client;
use shared::host::http_client;

/// A running `cargo local`; it is killed when it is dropped.
struct Running {
    child: Child,
    /// What it printed when it had started.
    printed: String,
    /// Stays open: a process that can't print would fail.
    _stdout: BufReader<ChildStdout>,
}

/// Each server's port. Tests take any free one.
const PORTS: [&str; 3] = ["--port", "--emulator-port", "--console-port"];

fn command<A: AsRef<OsStr>>(arguments: &[A], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(PORTS.iter().flat_map(|option| [*option, "0"]));
    command.args(arguments).env_clear().envs(settings.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Running {
    fn start<A: AsRef<OsStr>>(arguments: &[A], settings: &[(&str, &str)]) -> Self {
        let mut child = command(arguments, settings).spawn().expect("it starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut printed = String::new();
        while !printed.contains("Press Ctrl-C") {
            let length = stdout.read_line(&mut printed).expect("text");
            assert!(length > 0, "it ended: {printed}{}", errors(&mut child));
        }
        Self { child, printed, _stdout: stdout }
    }

    /// The address in the line that begins with this word.
    fn url(&self, part: &str) -> &str {
        let line = self.printed.lines().find(|line| line.starts_with(part)).expect("its line");
        line.split_whitespace().find(|word| word.starts_with("http://")).expect("an address")
    }

    /// Kills it, without a chance to tidy up. Returns the rest of its standard error.
    fn kill(mut self) -> String {
        self.child.kill().expect("it ran until now");
        errors(&mut self.child)
    }
}

fn errors(child: &mut Child) -> String {
    let mut errors = String::new();
    child.stderr.as_mut().expect("it is piped").read_to_string(&mut errors).expect("text");
    errors
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a `cargo local` that can't start. Returns what it says about it.
#[track_caller]
fn refused<A: AsRef<OsStr>>(arguments: &[A]) -> String {
    let Output { status, stdout, stderr } = command(arguments, &[]).output().expect("it ran");
    assert_eq!(status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&stdout), "");
    String::from_utf8(stderr).expect("text")
}

fn new_folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

#[test]
fn an_address_in_use_is_named_with_the_option_that_changes_it() {
    let other = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = other.local_addr().expect("an address").port();
    for option in PORTS {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        for other in PORTS.into_iter().filter(|other| *other != option) {
            command.args([other, "0"]);
        }
        command.args([option, &port.to_string()]).env_clear();
        let Output { status, stderr, .. } = command.output().expect("it ran");
        let stderr = String::from_utf8(stderr).expect("text");
        assert_eq!(status.code(), Some(1));
        assert!(stderr.contains(&format!("127.0.0.1:{port}")), "{stderr}");
        assert!(stderr.contains(&format!("{option} chooses")), "{stderr}");
    }
}

#[test]
fn a_folder_belongs_to_one_process_at_a_time() {
    let folder = new_folder("locked");
    let arguments = [OsStr::new("--data"), folder.as_os_str()];
    let first = Running::start(&arguments, &[]);
    let refusal = refused(&arguments);
    assert!(refusal.contains(&folder.display().to_string()), "{refusal}");
    assert!(refusal.contains("--data"), "{refusal}");
    first.kill();
    Running::start(&arguments, &[]);
}

/// Buys, and opens the landing page, which records the purchase. Returns the subscription's id.
async fn buy(http: &Client, local: &Running) -> String {
    let microsoft = local.url("Microsoft's side");
    let form = [("plan", "per-seat-1/basic"), ("seats", "12"), ("name", "Kept by Contoso")];
    http.post(format!("{microsoft}/act/buy")).form(&form).send().await.expect("an answer");
    let page = page(http, microsoft).await;
    let id = page.split("/open/").nth(1).and_then(|rest| rest.get(..36)).expect("an id").to_owned();
    let open = http.get(format!("{microsoft}/open/{id}")).send().await.expect("an answer");
    let link = open.headers()["location"].to_str().expect("an address");
    let landed = http.get(link).send().await.expect("an answer");
    assert_eq!(landed.status(), 200);
    id
}

async fn page(http: &Client, url: &str) -> String {
    http.get(url).send().await.expect("an answer").text().await.expect("text")
}

#[tokio::test]
async fn both_sides_outlive_a_killed_process() {
    let folder = new_folder("kept");
    let arguments = [OsStr::new("--data"), folder.as_os_str()];
    let settings = [("LANDING_SIGN_IN", "off")];
    let http = http_client::client();
    let first = Running::start(&arguments, &settings);
    let id = buy(&http, &first).await;
    first.kill();

    let next = Running::start(&arguments, &settings);
    assert!(page(&http, next.url("Microsoft's side")).await.contains("Kept by Contoso"));
    let record = format!("{}/{id}", next.url("Publisher's API"));
    let record = http.get(record).send().await.expect("an answer");
    assert_eq!(record.status(), 200);
    let observed = format!("{}/{id}/observe", next.url("Publisher's API"));
    let observed = http.post(observed).send().await.expect("an answer");
    assert_eq!(observed.status(), 200, "Microsoft knows the subscription");
}

#[test]
fn a_log_that_goes_to_a_file_has_no_colours() {
    let mut local = Running::start(&["--log", "info"], &[]);
    let mut log = BufReader::new(local.child.stderr.take().expect("it is piped"));
    let mut line = String::new();
    while !line.contains("INFO") {
        line.clear();
        assert!(log.read_line(&mut line).expect("text") > 0, "it ended");
    }
    assert!(!line.contains('\u{1b}'), "{line:?}");
}

#[test]
fn settings_are_shown_and_a_misspelt_one_is_named() {
    let settings = [
        ("CHANGE_POLCY", "reject"),
        ("DELIVERY_ENDPOINT", "http://127.0.0.1:9/events?code=s3cret"),
        ("DELIVERY_SIGNING_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("LOG_LEVLE", "info"),
    ];
    let mut local = Running::start::<&str>(&[], &settings);
    let shown = local.printed.clone();
    let line = |mark: &str, name: &str, value: &str| format!("\n{mark} {name:<33}{value}\n");
    for line in [
        line("*", "DELIVERY_ENDPOINT", "http://127.0.0.1:9/events?…"),
        line("*", "DELIVERY_SIGNING_KEY", "(hidden)"),
        line(" ", "ENTRA_CLIENT_SECRET", "(hidden)"),
        line(" ", "TABLE_NAME", "subscriptions"),
    ] {
        assert!(shown.contains(&line), "{line} is not in {shown}");
    }
    assert!(!shown.contains("s3cret") && !shown.contains("MfKQ9"), "{shown}");
    local.child.kill().expect("it ran until now");
    let warned = errors(&mut local.child);
    for (name, meant) in [("CHANGE_POLCY", "CHANGE_POLICY"), ("LOG_LEVLE", "LOG_LEVEL")] {
        assert!(warned.contains(&format!("{name}; did you mean {meant}?")), "{warned}");
    }
}
