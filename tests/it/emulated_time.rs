//! The emulator's page can move its clock. The publisher's product knows only the machine's.

use std::time::Duration;

use emulator::Purchase;
use jiff::{SignedDuration, Timestamp};
use local::Options;
use local::decider::{Decider, Reply};
use local::receiver::Receiver;

use crate::raw_receiver::{RawReceiver, Then};
use crate::test_env::TestEnv;

const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[tokio::test]
async fn events_and_questions_are_genuine_after_the_emulators_clock_has_moved() {
    let product = Receiver::start().await.expect("the product starts");
    let decider = Decider::start().await.expect("the product starts");
    decider.reply_with(Reply::Accept);
    let options = Options { variables: decider.settings(), ..Options::default() }
        .with("DELIVERY_ENDPOINT", product.url())
        .with("DELIVERY_SIGNING_KEY", product.key());
    let env = TestEnv::with(options).await;
    // The emulator's clock is the machine's, and a month is skipped.
    let behind = Timestamp::now().duration_since(env.world(|world| world.now()));
    env.advance(Duration::try_from(behind).unwrap_or_default() + MONTH);

    let id = env.active(Purchase::per_seat("basic", 10)).await;
    let asked_after = Timestamp::now();
    env.world(|world| world.change_quantity(id, 20)).expect("a change");
    assert_eq!(env.deliver_statuses().await, [200]);
    let asked_before = Timestamp::now();
    env.system.deliver_events().await.expect("the stream is there");

    assert_eq!(product.complaints(), [""; 0]);
    assert_eq!(product.events().len(), env.events(id).await.len());
    assert_eq!(decider.complaints(), [""; 0]);
    let questions = decider.questions();
    assert_eq!(questions.len(), 1);
    let deadline = questions[0].1["deadline"].as_str().expect("text");
    let deadline: Timestamp = deadline.parse().expect("a timestamp");
    let longest = SignedDuration::from_secs(3);
    assert!(asked_after < deadline && deadline <= asked_before + longest, "{deadline}");
}

#[tokio::test]
async fn a_date_in_retry_after_is_the_machines() {
    let until = Timestamp::now() + SignedDuration::from_hours(3);
    let until = until.strftime("%a, %d %b %Y %H:%M:%S GMT");
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: {until}\r\nContent-Length: 0\r\n\r\n"
    );
    let receiver = RawReceiver::start(answer.into_bytes(), Then::Closes).await;
    let env = receiver.env().await;
    let behind = Timestamp::now().duration_since(env.world(|world| world.now()));
    env.advance(Duration::try_from(behind).unwrap_or_default() + MONTH);
    let id = env.purchase(Purchase::per_seat("basic", 10));
    env.visit(id).await;
    env.system.deliver_events().await.expect("the stream is there");
    for (hours, requests) in [(2, 1), (2, 2)] {
        env.advance(Duration::from_secs(hours * 60 * 60));
        env.system.sweep().await.expect("the table is there");
        assert_eq!(receiver.requests(), requests);
    }
}
