//! The part of `saasctl` that needs no API: a deployment's parameters and template, checked without
//! AWS.

pub mod preflight;
pub mod template;
