//! What an index holds of an item.

use crate::items::{Index, PARTITION, SORT};
use crate::value::Item;

/// The names of the keys by which a list is continued.
pub(crate) fn key_names(index: Option<Index>) -> Vec<&'static str> {
    let of_index = index.into_iter().flat_map(|index| [index.partition, index.sort]);
    [PARTITION, SORT].into_iter().chain(of_index).collect()
}

pub(crate) fn key_in(index: Option<Index>, item: &Item) -> Item {
    only(&key_names(index), item)
}

fn only(names: &[&str], item: &Item) -> Item {
    let kept = item.iter().filter(|(name, _)| names.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What the index holds of an item.
pub(crate) fn projected(index: Option<Index>, item: &Item) -> Item {
    match index {
        Some(of) => only(&[&*key_names(index), of.included].concat(), item),
        None => item.clone(),
    }
}
