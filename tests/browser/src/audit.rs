//! The audit of a page: accessibility, width, and no requests to other origins.

use std::path::{Path, PathBuf};

use serde_json::json;
use url::Url;

use crate::Page;

/// A colour scheme and a window size.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// `light` or `dark`.
    pub scheme: &'static str,
    /// The window's width in pixels.
    pub width: u32,
}

/// Light and dark, on a desktop and at the width of the narrowest phone (WCAG 2.2, success
/// criterion
/// 1.4.10).
const LOOKS: [Look; 4] = [
    Look { scheme: "light", width: 1280 },
    Look { scheme: "light", width: 320 },
    Look { scheme: "dark", width: 1280 },
    Look { scheme: "dark", width: 320 },
];

/// Runs axe-core and returns every violation with the elements concerned.
const RUN: &str = "const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] }).then(
        (found) => done(found.violations.map(({ id, impact, help, nodes }) =>
            ({ id, impact, help, nodes: nodes.map((node) => node.html + ' ' + node.failureSummary) }))),
        (error) => done(String(error)))";

impl Page {
    /// Audits the page in every look, and saves screenshots.
    ///
    /// # Panics
    /// When the page fails the audit.
    pub async fn audit(&self, name: &str) {
        for look in LOOKS {
            self.set_look(look).await;
            let case = format!("{name}, {} at {}", look.scheme, look.width);
            let width =
                self.eval("return [document.documentElement.scrollWidth, window.innerWidth]").await;
            assert!(
                width[0].as_u64() <= width[1].as_u64(),
                "{case}: wider than the window: {width}"
            );
            self.check_accessibility(&case).await;
            self.save_screenshot(name, look).await;
        }
        self.set_look(LOOKS[0]).await;
        self.check_origins(name).await;
    }

    /// Sets the colour scheme and the window size.
    pub async fn set_look(&self, look: Look) {
        let features = json!([{ "name": "prefers-color-scheme", "value": look.scheme },
                              { "name": "prefers-reduced-motion", "value": "reduce" }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        let metrics = json!({ "width": look.width, "height": 900, "deviceScaleFactor": 1,
                              "mobile": look.width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    async fn check_accessibility(&self, case: &str) {
        self.client.execute(&axe(), Vec::new()).await.expect("axe-core runs");
        let found = self.eval_async(RUN).await;
        let found = found.as_array().unwrap_or_else(|| panic!("{case}: {found}"));
        assert!(
            found.is_empty(),
            "{case}: {}",
            serde_json::to_string_pretty(&found).expect("JSON")
        );
    }

    async fn check_origins(&self, name: &str) {
        let here = self.url().await;
        let loaded =
            self.eval("return performance.getEntriesByType('resource').map((it) => it.name)").await;
        for address in loaded.as_array().expect("a list") {
            let address = address.as_str().and_then(|it| Url::parse(it).ok()).expect("an address");
            assert_eq!(address.origin(), here.origin(), "{name} loads {address}");
        }
        for message in self.console_messages().await {
            let is_ours = message.contains("Content Security Policy") || message.contains("app.js");
            assert!(!is_ours, "{name}: {message}");
        }
    }

    async fn save_screenshot(&self, name: &str, look: Look) {
        let height = self.eval("return document.documentElement.scrollHeight").await;
        let metrics = json!({ "width": look.width, "height": height.as_u64().unwrap_or(900).max(600),
                              "deviceScaleFactor": 1, "mobile": look.width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let screenshot = self.client.screenshot().await.expect("a screenshot");
        let folder = project().join("target/screenshots");
        std::fs::create_dir_all(&folder).expect("the folder is made");
        let file = folder.join(format!("{name}-{}-{}.png", look.scheme, look.width));
        std::fs::write(file, screenshot).expect("the screenshot is saved");
    }
}

fn project() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    folder.expect("this crate is two folders down").to_owned()
}

/// The source of axe-core, which `tests/browser/run` installs.
fn axe() -> String {
    let file = project().join("target/ci/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(file).expect("axe-core is installed; tests/browser/run installs it")
}
