//! `RETENTION_DAYS` erases by itself.

use emulator::Purchase;
use local::Options;
use shared::config::Retention;
use shared::host::environment::Environment;
use uuid::Uuid;

use crate::erasure_env::{DAY, end};
use crate::raw_receiver::{RawReceiver, Then};
use crate::test_env::TestEnv;

async fn ended_subscription(env: &TestEnv) -> Uuid {
    let id = env.active(Purchase::flat_rate("silver")).await;
    end(env, id).await;
    id
}

async fn is_erased(env: &TestEnv, id: Uuid) -> bool {
    env.system.reconcile().await.expect("a round");
    env.record(id).await.expect("a record").is_erased()
}

#[tokio::test]
async fn the_retention_erases_what_ended_long_enough_ago_and_nothing_else() {
    let env = TestEnv::with(Options::default().with("RETENTION_DAYS", "30")).await;
    let first = ended_subscription(&env).await;
    let active = env.active(Purchase::flat_rate("silver")).await;
    env.advance(10 * DAY);
    let second = ended_subscription(&env).await;
    env.advance(19 * DAY);
    assert!(!is_erased(&env, first).await);
    env.advance(DAY);
    assert!(is_erased(&env, first).await);
    assert!(!is_erased(&env, second).await && !is_erased(&env, active).await);
    let events = env.events(first).await;
    let event = events.last().expect("an event");
    assert_eq!((event.kind.name(), event.cause.name()), ("PersonalDataErased", "reconciliation"));
    assert!(!env.record(first).await.expect("a record").is_erasing());
    env.advance(10 * DAY);
    assert!(is_erased(&env, second).await);
    assert_eq!(env.events(first).await.len(), events.len(), "once");
}

#[tokio::test]
async fn without_the_setting_nothing_is_erased_by_itself() {
    let env = TestEnv::new().await;
    let id = ended_subscription(&env).await;
    env.advance(1000 * DAY);
    assert!(!is_erased(&env, id).await);
}

#[tokio::test]
async fn undelivered_events_postpone_the_retention_of_their_subscription_alone() {
    let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_vec();
    let receiver = RawReceiver::start(answer, Then::Closes).await;
    let env = receiver.env_with(Options::default().with("RETENTION_DAYS", "7")).await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    env.world(|world| world.unsubscribe(id)).expect("an end");
    env.deliver_all().await;
    env.system.deliver_events().await.expect("an attempt");
    env.advance(20 * DAY);
    assert!(!is_erased(&env, id).await);
}

#[test]
fn a_retention_is_a_number_of_days_from_seven_on() {
    let read = |days: &str| {
        let days = days.to_owned();
        Retention::read(&Environment::from_fn(move |_| Some(days.clone())))
    };
    for (days, hours) in [("7", 168), (" 30 ", 720), ("3660", 87_840)] {
        let kept = read(days).expect(days).expect("it is set").0;
        assert_eq!(kept.as_hours(), hours);
    }
    for nonsense in ["6", "0", "-7", "3661", "30d", "7.5"] {
        assert!(read(nonsense).is_err(), "{nonsense}");
    }
    assert!(matches!(Retention::read(&Environment::from_fn(|_| None)), Ok(None)));
}
