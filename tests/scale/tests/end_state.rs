//! The end state among many subscriptions, whatever happens on the way.

use std::time::Duration;

use scale::{Customers, Latency, Schedule, Troubles, simulated, world};

/// Enough for several slices of each run.
const SUBSCRIPTIONS: u64 = 10_000;

const THROTTLED: Troubles = Troubles { throttled_one_in: Some(50), failing_place: None };

/// A page takes two seconds, so a slice reads some 90.
fn slow() -> Latency {
    Latency::of_page(Duration::from_secs(2))
}

#[test]
fn every_record_is_right_and_every_event_told_once_though_slices_are_killed_anywhere() {
    simulated(async {
        let world = world(Customers::new(11, SUBSCRIPTIONS), THROTTLED).await;
        let mut schedule = Schedule::new(&world, 11, slow(), Some(1));
        let wrong = schedule.until_right(4).await;
        assert_eq!(wrong.named, [""; 0], "{} are wrong: {:?}", wrong.count, schedule.course);
        assert!(schedule.course.killed > 3, "{:?}", schedule.course);
        let calls = world.microsoft().calls.clone();
        assert!(calls["429"] > 10, "{calls:?}");

        // A run that finds nothing to repair writes its checkpoint alone. Since some entries can't be read,
        // there is also a record of it.
        schedule.spare();
        schedule.run(100).await.expect("a run ends");
        world.table().usage();
        let idle = schedule.run(100).await.expect("a run ends");
        let usage = world.table().usage();
        let written: Vec<_> = usage.written.keys().filter(|key| *key != "RUN ROUND").collect();
        assert_eq!(written, ["RUN RECONCILIATION"]);
        assert_eq!(idle.repaired, 0);
        assert!(idle.examined > SUBSCRIPTIONS * 99 / 100, "{idle:?}");
    });
}
