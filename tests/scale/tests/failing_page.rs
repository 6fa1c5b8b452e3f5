//! A page that always fails hides everything behind it from the list, but not from the table.

use std::time::Duration;

use scale::{Customers, Latency, Schedule, Troubles, simulated, world};

#[test]
fn what_a_failing_page_hides_is_repaired_from_the_tables_side() {
    simulated(async {
        let customers = Customers::new(12, 10_000);
        let troubles = Troubles { throttled_one_in: Some(200), failing_place: Some(6000) };
        let world = world(customers, troubles).await;
        let hidden = customers.count - world.microsoft().listed();
        assert!((4000..4100).contains(&hidden), "{hidden}");
        let latency = Latency::of_page(Duration::from_millis(500));
        let mut schedule = Schedule::new(&world, 12, latency, Some(1));
        let wrong = schedule.until_right(10).await;
        assert_eq!(wrong.named, [""; 0], "{} are wrong: {:?}", wrong.count, schedule.course);
        assert!(schedule.course.killed > 3, "{:?}", schedule.course);

        schedule.spare();
        world.table().usage();
        let idle = schedule.run(100).await.expect("a run ends");
        let written = world.table().usage().written;
        assert!(!written.contains_key("SUB RECORD"), "{written:?}");
        assert!(!written.contains_key("SUB EVENT"), "{written:?}");
        assert_eq!(idle.repaired, 0);
        // The list is begun anew at most once.
        let calls = world.microsoft().calls.clone();
        let most =
            2 * (customers.count / 60) * u64::from(schedule.course.runs + schedule.course.killed);
        assert!(calls["list"] < most, "{calls:?}");
    });
}
