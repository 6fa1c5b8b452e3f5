//! What every page is held against: accessibility, width, and that nothing comes from elsewhere.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use url::Url;

use crate::Page;

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// `light` or `dark`.
    pub scheme: &'static str,
    /// The window's width.
    pub width: u32,
}

/// Light and dark, at a desk and on the narrowest phone (WCAG 2.2, success criterion 1.4.10).
const LOOKS: [Look; 4] = [
    Look { scheme: "light", width: 1280 },
    Look { scheme: "light", width: 320 },
    Look { scheme: "dark", width: 1280 },
    Look { scheme: "dark", width: 320 },
];

/// What axe-core is asked for: everything it finds, with what stands there.
const RUN: &str = "const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] }).then(
        (found) => done(found.violations.map(({ id, impact, help, nodes }) =>
            ({ id, impact, help, nodes: nodes.map((node) => node.html + ' ' + node.failureSummary) }))),
        (error) => done(String(error)))";

impl Page {
    /// Holds the page against what every page must be, in every look, and takes pictures of it.
    ///
    /// # Panics
    /// When it isn't.
    pub async fn is_for_everybody(&self, name: &str) {
        for look in LOOKS {
            self.looks(look).await;
            let case = format!("{name}, {} at {}", look.scheme, look.width);
            let width = self
                .tells("return [document.documentElement.scrollWidth, window.innerWidth]")
                .await;
            assert!(
                width[0].as_u64() <= width[1].as_u64(),
                "{case}: wider than the window: {width}"
            );
            self.is_accessible(&case).await;
            self.takes_picture(name, look).await;
        }
        self.looks(LOOKS[0]).await;
        self.loads_nothing_from_elsewhere(name).await;
    }

    /// Changes how the page is looked at.
    pub async fn looks(&self, look: Look) {
        let features = json!([{ "name": "prefers-color-scheme", "value": look.scheme },
                              { "name": "prefers-reduced-motion", "value": "reduce" }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        let metrics = json!({ "width": look.width, "height": 900, "deviceScaleFactor": 1,
                              "mobile": look.width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    async fn is_accessible(&self, case: &str) {
        self.client.execute(&axe(), Vec::new()).await.expect("axe-core is read");
        let found = self.asks(RUN).await;
        let found = found.as_array().unwrap_or_else(|| panic!("{case}: {found}"));
        let grave: Vec<&Value> = found
            .iter()
            .filter(|violation| {
                violation["impact"] == "serious" || violation["impact"] == "critical"
            })
            .collect();
        assert!(
            grave.is_empty(),
            "{case}: {}",
            serde_json::to_string_pretty(&grave).expect("JSON")
        );
        for violation in found {
            println!("{case}: {} ({})", violation["help"], violation["impact"]);
        }
    }

    async fn loads_nothing_from_elsewhere(&self, name: &str) {
        let here = self.address().await;
        let loaded = self
            .tells("return performance.getEntriesByType('resource').map((it) => it.name)")
            .await;
        for address in loaded.as_array().expect("a list") {
            let address = address.as_str().and_then(|it| Url::parse(it).ok()).expect("an address");
            assert_eq!(address.origin(), here.origin(), "{name} loads {address}");
        }
        for complaint in self.complaints().await {
            let is_ours =
                complaint.contains("Content Security Policy") || complaint.contains("app.js");
            assert!(!is_ours, "{name}: {complaint}");
        }
    }

    async fn takes_picture(&self, name: &str, look: Look) {
        let height = self.tells("return document.documentElement.scrollHeight").await;
        let metrics = json!({ "width": look.width, "height": height.as_u64().unwrap_or(900).max(600),
                              "deviceScaleFactor": 1, "mobile": look.width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let picture = self.client.screenshot().await.expect("a picture");
        let folder = project().join("target/screenshots");
        std::fs::create_dir_all(&folder).expect("the folder is made");
        let file = folder.join(format!("{name}-{}-{}.png", look.scheme, look.width));
        std::fs::write(file, picture).expect("the picture is kept");
    }
}

/// The project's folder.
fn project() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    folder.expect("this crate is two folders down").to_owned()
}

/// axe-core, as `tests/browser/run` installs it.
fn axe() -> String {
    let file = project().join("target/ci/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(file).expect("axe-core is installed; tests/browser/run installs it")
}
