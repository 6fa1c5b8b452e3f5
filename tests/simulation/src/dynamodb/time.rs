//! The AWS SDK's time and sleep, on the world's clock.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::config::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use jiff::{SignedDuration, Timestamp};

use crate::io::{Io, waits_for_effect};

pub(super) struct SimulatedTime(pub(super) Arc<Io>);

impl TimeSource for SimulatedTime {
    fn now(&self) -> SystemTime {
        self.0.now().into()
    }
}

impl fmt::Debug for SimulatedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedTime")
    }
}

pub(super) struct SimulatedSleep(pub(super) Arc<Io>);

impl fmt::Debug for SimulatedSleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedSleep")
    }
}

impl AsyncSleep for SimulatedSleep {
    fn sleep(&self, pause: Duration) -> Sleep {
        let pause = SignedDuration::try_from(pause).expect("a short pause");
        Sleep::new(Until { io: self.0.clone(), end: self.0.now() + pause })
    }
}

/// The SDK sleeps between two attempts, and beside a request that may time out. A pause passes the
/// time. Beside a request, the time passes by what the request and the other functions do.
struct Until {
    io: Arc<Io>,
    end: Timestamp,
}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let left = self.end.duration_since(self.io.now());
        let Ok(left) = Duration::try_from(left) else { return Poll::Ready(()) };
        if waits_for_effect() && !left.is_zero() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.io.world(|world| world.advance(left));
        Poll::Ready(())
    }
}
