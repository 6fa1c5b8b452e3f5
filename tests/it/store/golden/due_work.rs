//! The records that are listed by what is due about them.

use std::collections::BTreeSet;

use super::reads::tables;
use super::*;

/// Due work and ends are listed since 0.2.0. An older record is in these lists from its next version on.
#[tokio::test]
async fn due_work_and_ends_are_listed_from_0_2_0_on() {
    let later = "2027-01-01T00:00:00Z".parse().expect("a timestamp");
    for written in tables().await {
        let (store, due_work) = (&written.table.store, &written.table.due_work);
        let listed = async || -> [BTreeSet<SubscriptionId>; 2] {
            let work = due_work.work(later, None).await.expect("a page").items;
            let ended = due_work.ended(later, None).await.expect("a page").items;
            [work.into_iter().map(|due| due.id).collect(), ended.into_iter().collect()]
        };
        assert_eq!(listed().await, ["WORK", "ENDED"].map(|list| written.waiting(list)));
        let mut expected = [BTreeSet::new(), BTreeSet::new()];
        for (id, ..) in written.bodies(ItemKind::Record) {
            let record = store.load(id).await.expect("a read").expect("a record");
            let change = record.reaffirm(record.updated_at);
            store.commit(id, &unmarked(&change)).await.expect("committed");
            if record.work_due().is_some_and(|due| due <= later) {
                expected[0].insert(id);
            } else if record.ended_at().is_some() && !record.is_erased() {
                expected[1].insert(id);
            }
        }
        assert!(expected.iter().any(|ids| !ids.is_empty()), "{}", written.version);
        assert_eq!(listed().await, expected, "{}", written.version);
        let is_older = ["before-0.1.0", "0.1.0"].contains(&written.version.as_str());
        assert_eq!(written.waiting("WORK").is_empty(), is_older, "{}", written.version);
        assert_eq!(written.waiting("ENDED").is_empty(), is_older, "{}", written.version);
    }
}
