//! What is being run, so that a panic in the middle of it can be had again.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static RUNNING: RefCell<String> = const { RefCell::new(String::new()) };
}

/// How to have a run again.
pub fn replay(arguments: &str) -> String {
    format!("replay: cargo run --release -p simulation -- {arguments}")
}

/// From now on this thread runs what these arguments run. A panic says so, also where it ends the process.
pub fn begin(arguments: String) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            before(info);
            RUNNING.with_borrow(|arguments| {
                if !arguments.is_empty() {
                    eprintln!("{}", replay(arguments));
                }
            });
        }));
    });
    RUNNING.set(arguments);
}

/// This thread runs nothing any more.
pub fn end() {
    RUNNING.take();
}
