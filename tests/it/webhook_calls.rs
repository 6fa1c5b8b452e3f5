//! The actions of webhook calls, and the events that they lead to.

use emulator::Action;

/// All of F-WHA-2 to F-WHA-8.
pub(crate) const ACTIONS: [Action; 7] = [
    Action::Subscribe,
    Action::ChangePlan,
    Action::ChangeQuantity,
    Action::Renew,
    Action::Suspend,
    Action::Reinstate,
    Action::Unsubscribe,
];

/// The event that each action leads to.
pub(crate) fn event_of(action: &Action) -> &'static str {
    match action {
        Action::Subscribe => "Activated",
        Action::ChangePlan => "PlanChanged",
        Action::ChangeQuantity => "QuantityChanged",
        Action::Renew => "Renewed",
        Action::Suspend => "Suspended",
        Action::Reinstate => "Reinstated",
        Action::Unsubscribe => "Unsubscribed",
        Action::Other(word) => panic!("nothing comes of {word}"),
    }
}
