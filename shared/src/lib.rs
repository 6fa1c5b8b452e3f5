#![doc = include_str!("../README.md")]

pub mod config;
pub mod domain;
pub mod flows;
pub mod host;
pub mod lenient;
pub mod microsoft;
pub mod publisher;
#[cfg(feature = "sign-in")]
pub mod sign_in;
pub mod store;
pub mod web;
