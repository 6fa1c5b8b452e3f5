//! What the function needs does not grow with the number of subscriptions.

use std::path::Path;

use scale::{Customers, Process, Troubles, measured, world};

async fn process(count: u64) -> Process {
    let world = world(Customers::new(3, count), Troubles::default()).await;
    let binary = Path::new(env!("CARGO_BIN_EXE_scale"));
    measured(binary, &world).await.expect("a run in a process of its own")
}

#[tokio::test]
async fn ten_times_the_subscriptions_need_the_same_memory() {
    let (few, many) = (process(2000).await, process(20_000).await);
    assert!(few.repaired > 10 && many.repaired > 100, "{few:?}, {many:?}");
    let most = few.most_resident + few.most_resident / 10;
    assert!(many.most_resident <= most, "{few:?}, {many:?}");
}
