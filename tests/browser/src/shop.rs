//! The whole system, in a publisher's colours, with Microsoft's side in virtual time.

use std::time::Duration;

use emulator::{Call, Emulator, Fault, FaultKind, Purchase, Times, World};
use local::{Options, Stage};
use uuid::Uuid;

/// A publisher's logo.
const LOGO: &str = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAxODAgNDAiPjxyZWN0IHdpZHRoPSI0MCIgaGVpZ2h0PSI0MCIgcng9IjEwIiBmaWxsPSIjMGY3NjZlIi8+PHBhdGggZD0iTTEyIDI4VjEyaDE2TTEyIDIwaDEyIiBzdHJva2U9IiNmZmYiIHN0cm9rZS13aWR0aD0iNCIgZmlsbD0ibm9uZSIgc3Ryb2tlLWxpbmVjYXA9InJvdW5kIiBzdHJva2UtbGluZWpvaW49InJvdW5kIi8+PGcgZmlsbD0iIzBmNzY2ZSI+PHJlY3QgeD0iNTIiIHk9IjEyIiB3aWR0aD0iMTE2IiBoZWlnaHQ9IjYiIHJ4PSIzIi8+PHJlY3QgeD0iNTIiIHk9IjIzIiB3aWR0aD0iNzYiIGhlaWdodD0iNiIgcng9IjMiIG9wYWNpdHk9Ii42Ii8+PC9nPjwvc3ZnPg==";

/// What the publisher asks for.
const FIELDS: &str = r#"[
    {"name": "company", "label": {"en": "Company", "sv": "Företag", "de": "Firma"}, "required": true, "maxLength": 80},
    {"name": "order", "label": {"en": "Order number", "sv": "Beställningsnummer", "de": "Bestellnummer"}, "maxLength": 40}
]"#;

/// How long Microsoft takes to activate in a branded shop.
const ACTIVATION_TAKES: Duration = Duration::from_secs(10 * 60);

/// The running system.
pub struct Shop {
    stage: Stage,
}

impl Shop {
    /// One that nobody has configured.
    pub async fn plain() -> Self {
        Self::with(Options::default()).await
    }

    /// One with a publisher's name, logo, colour, addresses and fields.
    pub async fn branded(activation: &str) -> Self {
        let mut options = Options::default().with("ACTIVATION", activation);
        // Long enough for the page to wait.
        options.emulator.behaviour.activation_delay = ACTIVATION_TAKES;
        let options = options
            .with("LANDING_PUBLISHER_NAME", "Fabrikam Fleet")
            .with("LANDING_LOGO", LOGO)
            .with("LANDING_ACCENT", "#0f766e")
            .with("LANDING_SUPPORT", "support@fabrikam.example")
            .with("LANDING_PRODUCT_URL", "https://fleet.fabrikam.example/")
            .with("LANDING_FIELDS", FIELDS);
        Self::with(options).await
    }

    /// One that is configured like this.
    pub async fn with(options: Options) -> Self {
        let options = options.with("LANDING_SIGN_IN", "entra");
        Self { stage: Stage::start(options).await.expect("the stage starts") }
    }

    fn microsoft(&self) -> &Emulator {
        self.stage.emulator().expect("every shop has the emulator")
    }

    /// Microsoft's side.
    pub fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.microsoft().world(act)
    }

    /// Somebody buys.
    pub fn purchase(&self, purchase: Purchase) -> Uuid {
        self.world(|world| world.purchase(purchase))
    }

    /// Microsoft's link to the landing page.
    pub fn link(&self, id: Uuid) -> String {
        self.world(|world| world.landing_link(id))
    }

    /// An address of the functions.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.stage.url())
    }

    /// Something goes wrong with a call from now on.
    pub fn fault(&self, call: Call, kind: FaultKind) {
        self.world(|world| world.faults_mut().add(Fault { call, kind, times: Times::Always }));
    }

    /// Nothing goes wrong any more.
    pub fn recovers(&self) {
        self.world(|world| world.faults_mut().clear());
    }

    /// How often Microsoft was called this way so far.
    pub fn calls(&self, call: Call) -> usize {
        self.world(|world| world.calls().iter().filter(|made| made.call == call).count())
    }

    /// The publisher's product says that the account is configured.
    pub async fn activates(&self, id: Uuid) {
        let address = self.url(&format!("/subscriptions/{id}/activate"));
        let answer = shared::outbound::client().post(address).send().await;
        assert!(answer.expect("the functions answer").status().is_success());
    }

    /// Time passes on both sides.
    pub fn advances(&self, minutes: u64) {
        self.world(|world| world.advance(Duration::from_secs(minutes * 60)));
    }

    /// Microsoft reports what it has to report.
    pub async fn delivers(&self) {
        self.microsoft().deliver_due().await;
    }
}
