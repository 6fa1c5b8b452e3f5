//! What is slow.

use std::time::Duration;

use emulator::Call;

/// Just within what one try of a call may take; longer, and the call is given up.
const SLOW: Duration = Duration::from_millis(1400);

/// One way in which the others are slow.
pub struct Scenario {
    /// What is slow, for people.
    pub name: &'static str,
    /// The calls that are answered late.
    pub slow: &'static [Call],
    /// How late.
    pub by: Duration,
    /// What the product does.
    pub product: Product,
}

/// What the publisher's product does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Nobody is asked.
    None,
    /// It rejects at once.
    Rejects,
    /// It hangs; the change is then rejected by what is configured for that.
    Hangs,
}

const ENTRA: &[Call] = &[Call::Keys, Call::Token];
const MICROSOFT: &[Call] = &[Call::GetOperation, Call::ListAvailablePlans, Call::UpdateOperation];
const EVERYBODY: &[Call] =
    &[Call::Keys, Call::Token, Call::GetOperation, Call::ListAvailablePlans, Call::UpdateOperation];

const fn scenario(name: &'static str, slow: &'static [Call], product: Product) -> Scenario {
    Scenario { name, slow, by: SLOW, product }
}

/// From a good day to the worst one on which the change is still ours to answer.
pub const SCENARIOS: &[Scenario] = &[
    scenario("nobody slow, nobody asked", &[], Product::None),
    scenario("nobody slow, the product decides", &[], Product::Rejects),
    scenario("Entra slow", ENTRA, Product::Rejects),
    scenario("Microsoft slow", MICROSOFT, Product::Rejects),
    scenario("the product hangs", &[], Product::Hangs),
    scenario("Entra slow, the product hangs", ENTRA, Product::Hangs),
    scenario("Entra and Microsoft slow, the product hangs", EVERYBODY, Product::Hangs),
];
