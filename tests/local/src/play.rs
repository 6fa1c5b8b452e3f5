//! The whole life of a subscription, without a person.
