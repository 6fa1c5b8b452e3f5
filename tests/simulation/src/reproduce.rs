//! The command that reproduces the current run, printed when it panics.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static ARGUMENTS: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The command that runs the simulation with these arguments.
pub fn reproduce_with(arguments: &str) -> String {
    format!("reproduce with: cargo sim {arguments}")
}

/// Notes which arguments this thread runs, so that a panic prints them, even if it ends the
/// process.
pub(crate) fn begin(arguments: String) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            before(info);
            ARGUMENTS.with_borrow(|arguments| {
                if !arguments.is_empty() {
                    eprintln!("{}", reproduce_with(arguments));
                }
            });
        }));
    });
    ARGUMENTS.set(arguments);
}

/// Notes that this thread's run has ended.
pub(crate) fn end() {
    ARGUMENTS.take();
}
