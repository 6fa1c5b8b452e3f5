//! The whole system under test, with a publisher's branding. Microsoft's side runs in virtual time.

use std::time::Duration;

use emulator::{Call, Emulator, Fault, FaultKind, Purchase, Times, World};
use local::sign_up_page::SignUpPage;
use local::{LocalSystem, Options};
use uuid::Uuid;

const LOGO: &str = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAxODAgNDAiPjxyZWN0IHdpZHRoPSI0MCIgaGVpZ2h0PSI0MCIgcng9IjEwIiBmaWxsPSIjMGY3NjZlIi8+PHBhdGggZD0iTTEyIDI4VjEyaDE2TTEyIDIwaDEyIiBzdHJva2U9IiNmZmYiIHN0cm9rZS13aWR0aD0iNCIgZmlsbD0ibm9uZSIgc3Ryb2tlLWxpbmVjYXA9InJvdW5kIiBzdHJva2UtbGluZWpvaW49InJvdW5kIi8+PGcgZmlsbD0iIzBmNzY2ZSI+PHJlY3QgeD0iNTIiIHk9IjEyIiB3aWR0aD0iMTE2IiBoZWlnaHQ9IjYiIHJ4PSIzIi8+PHJlY3QgeD0iNTIiIHk9IjIzIiB3aWR0aD0iNzYiIGhlaWdodD0iNiIgcng9IjMiIG9wYWNpdHk9Ii42Ii8+PC9nPjwvc3ZnPg==";

/// The same, for dark pages.
const LOGO_DARK: &str = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAxODAgNDAiPjxyZWN0IHdpZHRoPSI0MCIgaGVpZ2h0PSI0MCIgcng9IjEwIiBmaWxsPSIjNWVlYWQ0Ii8+PHBhdGggZD0iTTEyIDI4VjEyaDE2TTEyIDIwaDEyIiBzdHJva2U9IiMxMjE1MWEiIHN0cm9rZS13aWR0aD0iNCIgZmlsbD0ibm9uZSIgc3Ryb2tlLWxpbmVjYXA9InJvdW5kIiBzdHJva2UtbGluZWpvaW49InJvdW5kIi8+PGcgZmlsbD0iIzVlZWFkNCI+PHJlY3QgeD0iNTIiIHk9IjEyIiB3aWR0aD0iMTE2IiBoZWlnaHQ9IjYiIHJ4PSIzIi8+PHJlY3QgeD0iNTIiIHk9IjIzIiB3aWR0aD0iNzYiIGhlaWdodD0iNiIgcng9IjMiIG9wYWNpdHk9Ii42Ii8+PC9nPjwvc3ZnPg==";

/// The `LANDING_OFFERS` of a branded shop.
const OFFERS: &str = r#"{
    "per-seat-1": {"name": {"en": "Fabrikam Fleet", "sv": "Fabrikam Fordon", "de": "Fabrikam Flotte"}},
    "flat-rate-1": {"name": "Fabrikam Fleet", "plans": {"silver": "Fleet Silver"}}
}"#;

/// The `LANDING_OFFERS` of a shop with two offers.
const TWO_OFFERS: &str = r##"{
    "per-seat-1": {"name": {"en": "Fabrikam Fleet", "sv": "Fabrikam Fordon"}, "languages": ["sv", "en"]},
    "flat-rate-1": {
        "name": "Tailwind Archiv", "publisherName": "Tailwind", "accent": "#7a1f5c", "logo": "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA0MCA0MCI+PHJlY3Qgd2lkdGg9IjQwIiBoZWlnaHQ9IjQwIiBmaWxsPSIjN2ExZjVjIi8+PC9zdmc+",
        "termsUrl": "https://tailwind.example/terms", "languages": ["de"],
        "fields": [{"name": "shelves", "label": "Regale", "maxLength": 5}]
    }
}"##;

/// The `LANDING_FIELDS` of a branded shop.
const FIELDS: &str = r#"[
    {"name": "company", "label": {"en": "Company", "sv": "Företag", "de": "Firma"}, "required": true, "maxLength": 80},
    {"name": "order", "label": {"en": "Order number", "sv": "Beställningsnummer", "de": "Bestellnummer"}, "maxLength": 40}
]"#;

/// How long Microsoft takes to activate a purchase in a branded shop.
const ACTIVATION_DELAY: Duration = Duration::from_secs(10 * 60);

pub struct Shop {
    system: LocalSystem,
}

impl Shop {
    /// A shop with default settings.
    pub async fn plain() -> Self {
        Self::with(Options::default()).await
    }

    /// A shop with a publisher's name, logo, colour, addresses and fields.
    pub async fn branded(activation: &str) -> Self {
        let mut options = Options::default().with("ACTIVATION", activation);
        // So long that the page shows that it waits.
        options.emulator.behaviour.activation_delay = ACTIVATION_DELAY;
        let options = options
            .with("LANDING_PUBLISHER_NAME", "Fabrikam Fleet")
            .with("LANDING_LOGO", LOGO)
            .with("LANDING_LOGO_DARK", LOGO_DARK)
            .with("LANDING_OFFERS", OFFERS)
            .with("LANDING_ACCENT", "#0f766e")
            .with("LANDING_SUPPORT", "support@fabrikam.example")
            .with("LANDING_PRODUCT_URL", "https://fleet.fabrikam.example/")
            .with("LANDING_PRIVACY_URL", "https://fabrikam.example/privacy")
            .with("LANDING_TERMS_URL", "https://fabrikam.example/terms")
            .with("LANDING_IMPRINT_URL", "https://fabrikam.example/imprint")
            .with("RETENTION_DAYS", "90")
            .with("LANDING_FIELDS", FIELDS);
        Self::with(options).await
    }

    /// A branded shop whose second offer has nothing in common with the first one.
    pub async fn with_two_offers() -> Self {
        let options = Options::default()
            .with("LANDING_PUBLISHER_NAME", "Fabrikam Fleet")
            .with("LANDING_LOGO", LOGO)
            .with("LANDING_LOGO_DARK", LOGO_DARK)
            .with("LANDING_ACCENT", "#0f766e")
            .with("LANDING_FIELDS", FIELDS)
            .with("LANDING_OFFERS", TWO_OFFERS);
        Self::with(options).await
    }

    /// A branded shop whose publisher has a sign-up page of its own.
    pub async fn with_sign_up_page() -> (Self, SignUpPage) {
        let page = SignUpPage::start().await.expect("a free port");
        let mut options = Options::default().with("LANDING_PUBLISHER_NAME", "Fabrikam Fleet");
        options.variables.extend(page.settings());
        let shop = Self::with(options).await;
        page.take_over_from(&shop.system);
        (shop, page)
    }

    pub async fn with(options: Options) -> Self {
        let options = options.with("LANDING_SIGN_IN", "entra");
        Self { system: LocalSystem::start(options).await.expect("the system starts") }
    }

    fn microsoft(&self) -> &Emulator {
        self.system.emulator().expect("every shop has the emulator")
    }

    pub fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.microsoft().world(act)
    }

    pub fn purchase(&self, purchase: Purchase) -> Uuid {
        self.world(|world| world.purchase(purchase))
    }

    /// Microsoft's link to the landing page.
    pub fn link(&self, id: Uuid) -> String {
        self.world(|world| world.landing_link(id))
    }

    /// The functions' URL for this path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.system.url())
    }

    /// Makes a call fail from now on.
    pub fn fault(&self, call: Call, kind: FaultKind) {
        self.world(|world| world.faults_mut().add(Fault { call, kind, times: Times::Always }));
    }

    pub fn clear_faults(&self) {
        self.world(|world| world.faults_mut().clear());
    }

    /// How many of these calls Microsoft has received.
    pub fn calls(&self, call: Call) -> usize {
        self.world(|world| world.calls().iter().filter(|made| made.call == call).count())
    }

    /// The publisher's product activates.
    pub async fn activate(&self, id: Uuid) {
        let address = self.url(&format!("/subscriptions/{id}/activate"));
        let answer = shared::host::http_client::client().post(address).send().await;
        assert!(answer.expect("the functions answer").status().is_success());
    }

    /// The publisher's staff declines a purchase.
    pub async fn decline(&self, id: Uuid, reason: &str) {
        let address = self.url(&format!("/subscriptions/{id}/decline"));
        let body = format!("{{\"reason\": \"{reason}\"}}");
        let answer = shared::host::http_client::client().post(address).body(body).send().await;
        assert!(answer.expect("the functions answer").status().is_success());
    }

    /// Advances the clock on both sides.
    pub fn advance_minutes(&self, minutes: u64) {
        self.world(|world| world.advance(Duration::from_secs(minutes * 60)));
    }

    /// Microsoft sends its due webhook calls.
    pub async fn deliver(&self) {
        self.microsoft().deliver_due().await;
    }
}
