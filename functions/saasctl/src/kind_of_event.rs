//! The kinds of events, by their names.

use shared::domain::EventKind;
use shared::publisher::cloud_event::type_name;

/// Reads the name of a kind of event, as `history` prints it, or a whole type. Returns the type.
pub(crate) fn type_named(name: &str) -> Result<String, String> {
    let is_named = |kind: &EventKind| kind.name() == name || type_name(kind) == name;
    let named = EventKind::examples().into_iter().find(is_named);
    named.map(|kind| type_name(&kind)).ok_or_else(|| {
        let names = EventKind::examples().map(|kind| kind.name());
        format!("none of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_named_in_short_or_by_its_whole_type() {
        let expected = "saas-fulfillment.subscription.plan-changed.v1";
        assert_eq!(type_named("PlanChanged").as_deref(), Ok(expected));
        assert_eq!(type_named(expected).as_deref(), Ok(expected));
        let error = type_named("Changed").expect_err("no such kind");
        assert!(error.contains("PlanChanged, QuantityChanged"), "{error}");
    }
}
