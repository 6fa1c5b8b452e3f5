//! A publisher with many customers from before.

use std::time::Duration;

use scale::{Customers, Latency, Schedule, Troubles, simulated, world, wrongly_told};

#[test]
fn an_import_tells_of_what_waits_and_of_what_is_bought_meanwhile_and_of_nothing_else() {
    simulated(async {
        let customers = Customers::from_before(13, 4000);
        let troubles = Troubles { throttled_one_in: Some(200), failing_place: None };
        let world = world(customers, troubles).await;
        let latency = Latency::of_page(Duration::from_secs(5));
        let mut schedule = Schedule::new(&world, 13, latency, Some(1));
        // The list is not at its end yet.
        schedule.slice().await;
        world.microsoft().customers.count += 1;
        let wrong = schedule.until_right(4).await;
        assert_eq!(wrong.named, [""; 0], "{} are wrong: {:?}", wrong.count, schedule.course);
        assert!(schedule.course.killed > 0, "{:?}", schedule.course);

        schedule.deliver().await;
        let told = wrongly_told(&world);
        assert_eq!(told.named, [""; 0], "{} are wrong", told.count);
        let product = world.product();
        assert!((40..120).contains(&product.len()), "{}", product.len());
        assert!(product.contains_key(&customers.id(4000).0), "the purchase made meanwhile");
    });
}
