//! Runs the binary against the functions, the emulator of Microsoft's side and the embedded
//! database. Only the tests move the emulator's clock, and only they deliver webhooks.

mod acting;
mod annotating;
mod delivering;
mod doctor;
mod drift;
mod erasing;
mod export;
mod export_faults;
mod naming;
mod offers;
mod preflight;
mod profiles;
mod reading;
mod restoring;
mod scripted_api;
mod signing;
mod support;
mod tailing;
mod test_env;
mod testing;
mod verifying;
mod waiting;
mod whoami;
