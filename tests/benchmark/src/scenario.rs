//! The scenarios: who is slow.

use std::time::Duration;

use emulator::Call;

/// Just within the timeout of one attempt. A slower call is given up.
const SLOW: Duration = Duration::from_millis(1400);

pub(crate) struct Scenario {
    pub name: &'static str,
    /// The calls that are answered late.
    pub slow: &'static [Call],
    /// How much later they are answered.
    pub by: Duration,
    pub product: Product,
}

/// What the publisher's product does when the webhook asks it about the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// The webhook doesn't ask: `CHANGE_POLICY` rejects.
    None,
    /// It rejects at once.
    Rejects,
    /// It never answers: `DECISION_FALLBACK` rejects.
    Hangs,
}

const ENTRA: &[Call] = &[Call::Keys, Call::Token];
const MICROSOFT: &[Call] = &[Call::GetOperation, Call::ListAvailablePlans, Call::UpdateOperation];
const ALL: &[Call] =
    &[Call::Keys, Call::Token, Call::GetOperation, Call::ListAvailablePlans, Call::UpdateOperation];

const fn scenario(name: &'static str, slow: &'static [Call], product: Product) -> Scenario {
    Scenario { name, slow, by: SLOW, product }
}

/// From the fastest case to the slowest one in which our answer still arrives in time.
pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("nothing is slow, no product decides", &[], Product::None),
    scenario("nothing is slow, the product decides", &[], Product::Rejects),
    scenario("Entra is slow", ENTRA, Product::Rejects),
    scenario("Microsoft is slow", MICROSOFT, Product::Rejects),
    scenario("the product hangs", &[], Product::Hangs),
    scenario("Entra is slow, the product hangs", ENTRA, Product::Hangs),
    scenario("Entra and Microsoft are slow, the product hangs", ALL, Product::Hangs),
];
