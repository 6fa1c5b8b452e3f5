//! The ten calls that a publisher makes.

mod admission;
mod answer;
mod errors;
mod list;
mod operations;
mod reads;
mod requests;
mod route;
mod tracking;
