//! The unusual ways of the list.

use super::*;

/// A list with one subscription per page.
fn small_pages(purchases: usize) -> (World, Vec<String>) {
    let mut world = world();
    world.settings_mut().behaviour.page_size = 1;
    let ids = (0..purchases).map(|_| world.purchase(Purchase::flat_rate("silver")).to_string());
    let ids = ids.collect();
    (world, ids)
}

fn ids(pages: Vec<(u16, Vec<String>)>) -> Vec<Vec<String>> {
    pages.into_iter().map(|(_, ids)| ids).collect()
}

#[test]
fn a_failing_page_hides_what_is_on_it_and_behind_it() {
    let (mut world, bought) = small_pages(3);
    world.settings_mut().behaviour.failing_page = Some(1);
    assert_eq!(pages(&mut world), [(200, vec![bought[0].clone()]), (500, vec![])]);
    let hidden: Vec<_> = world.unreachable_in_list().iter().map(Uuid::to_string).collect();
    assert_eq!(hidden, bought[1..]);
    assert_eq!(count(&world, way::FAILING_PAGE), 1);
    world.settings_mut().behaviour.failing_page = None;
    assert_eq!(pages(&mut world).len(), 3);
    assert!(world.unreachable_in_list().is_empty());
}

#[test]
fn a_page_that_starts_before_the_failing_place_fails_as_well() {
    let (mut world, bought) = small_pages(3);
    world.settings_mut().behaviour.page_size = 2;
    world.settings_mut().behaviour.failing_page = Some(1);
    assert_eq!(pages(&mut world), [(500, vec![])]);
    assert_eq!(world.unreachable_in_list().len(), bought.len());
}

#[test]
fn an_unstable_order_misses_entries_in_some_walks() {
    let (mut world, bought) = small_pages(3);
    world.settings_mut().behaviour.unstable_order = true;
    let walks: Vec<_> = (0..20).map(|_| ids(pages(&mut world)).concat()).collect();
    assert!(walks.iter().all(|walk| walk.len() == 3));
    assert!(walks.iter().any(|walk| bought.iter().any(|id| !walk.contains(id))), "{walks:?}");
    assert!(bought.iter().all(|id| walks.iter().any(|walk| walk.contains(id))));
    assert!(count(&world, way::UNSTABLE_ORDER) > 0);
}

#[test]
fn entries_are_skipped_between_pages() {
    let (mut world, bought) = small_pages(4);
    world.settings_mut().behaviour.page_size = 2;
    world.settings_mut().behaviour.list_entries = ListEntries::SkippedBetweenPages;
    assert_eq!(ids(pages(&mut world)), [bought[..2].to_vec(), vec![bought[3].clone()]]);
    assert_eq!(count(&world, way::SKIPPED_ENTRY), 1);
}

#[test]
fn entries_are_doubled_between_pages_or_on_one() {
    let (mut world, bought) = small_pages(2);
    world.settings_mut().behaviour.list_entries = ListEntries::DoubledBetweenPages;
    assert_eq!(ids(pages(&mut world)), [vec![bought[0].clone()], bought.clone()]);
    assert_eq!(count(&world, way::DOUBLED_ENTRY), 1);
    world.settings_mut().behaviour.list_entries = ListEntries::DoubledOnPage;
    world.settings_mut().behaviour.page_size = 100;
    let doubled = [bought[0].clone(), bought[1].clone(), bought[0].clone()];
    assert_eq!(ids(pages(&mut world)), [doubled.to_vec()]);
    assert_eq!(count(&world, way::DOUBLED_ENTRY), 2);
}
