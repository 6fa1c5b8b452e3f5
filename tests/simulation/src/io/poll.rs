//! How a function that is being polled stands: it waits for an effect, or a fault has killed it.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

thread_local! {
    /// Whether a fault has killed the function that is being polled.
    static KILLED: Cell<bool> = const { Cell::new(false) };
    /// Whether the function that is being polled waits for one of its effects.
    static WAITS: Cell<bool> = const { Cell::new(false) };
}

/// A function's turn begins.
pub(crate) fn begin_poll() {
    WAITS.set(false);
}

/// Whether the function that is being polled waits for an effect, or has been killed. Its timeouts
/// must not pass the time then.
pub(crate) fn waits_for_effect() -> bool {
    WAITS.get() || KILLED.get()
}

/// Whether the function that was just polled has been killed. Reading it resets it.
pub(crate) fn was_killed() -> bool {
    KILLED.replace(false)
}

pub(super) fn is_killed() -> bool {
    KILLED.get()
}

/// Never returns: the executor drops a function that was killed.
pub(super) async fn killed<T>() -> T {
    KILLED.set(true);
    std::future::pending().await
}

/// Is ready at the second poll.
#[derive(Default)]
pub(super) struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        // Combinators like `join` poll only the futures that were woken.
        context.waker().wake_by_ref();
        WAITS.set(true);
        Poll::Pending
    }
}
