//! What passes between delivery and a receiver, byte by byte: the answer counts by its status line
//! and headers, and the page for receivers names the content types.

use emulator::Purchase;
use shared::publisher::cloud_event::MEDIA_TYPE;

use crate::raw_receiver::{RawReceiver, Then};

/// Bodies that never arrive as their head promises, or that nothing wants to read.
fn bodies() -> [(&'static str, Vec<u8>, Then); 4] {
    let huge = 9 * 1024 * 1024;
    let head = format!("Content-Length: {huge}\r\n\r\n").into_bytes();
    [
        ("endless", b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n".to_vec(), Then::HoldsItOpen),
        ("missing", b"Content-Length: 100\r\n\r\n".to_vec(), Then::HoldsItOpen),
        ("too short", b"Content-Length: 100\r\n\r\nok".to_vec(), Then::Closes),
        ("huge", [head, vec![b'x'; huge]].concat(), Then::Closes),
    ]
}

#[tokio::test]
async fn a_2xx_counts_whatever_body_follows() {
    for (case, body, then) in bodies() {
        let answer = [b"HTTP/1.1 200 OK\r\n".to_vec(), body].concat();
        let receiver = RawReceiver::start(answer, then).await;
        let env = receiver.env().await;
        let id = env.active(Purchase::per_seat("basic", 10)).await;
        env.system.deliver_events().await.expect("the stream is there");
        assert_eq!(env.event_names(id).await, ["Purchased", "Activated"]);
        assert_eq!(receiver.requests(), 2, "{case}: each event once");
        env.system.sweep().await.expect("the table is there");
        assert_eq!(receiver.requests(), 2, "{case}: nothing is due");
    }
}

#[tokio::test]
async fn a_503_is_obeyed_whatever_body_follows() {
    for (case, body, then) in bodies() {
        let head = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7200\r\n".to_vec();
        let receiver = RawReceiver::start([head, body].concat(), then).await;
        let env = receiver.env().await;
        let id = env.purchase(Purchase::per_seat("basic", 10));
        env.visit(id).await;
        env.system.deliver_events().await.expect("the stream is there");
        env.advance(std::time::Duration::from_secs(7100));
        env.system.sweep().await.expect("the table is there");
        assert_eq!(receiver.requests(), 1, "{case}: it asked for two hours");
        env.advance(std::time::Duration::from_secs(200));
        env.system.sweep().await.expect("the table is there");
        assert_eq!(receiver.requests(), 2, "{case}: the two hours are over");
    }
}

#[test]
fn the_readme_names_the_content_types_before_its_examples() {
    let readme = include_str!("../../functions/delivery/README.md");
    let top = readme.split("## Try it").next().expect("a beginning");
    let events = MEDIA_TYPE.split(';').next().expect("a media type");
    for content_type in [events, "application/json"] {
        assert!(top.contains(&format!("`{content_type}`")), "{content_type}");
    }
}
