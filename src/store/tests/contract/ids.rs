//! Identities, which carry the time of a clock of ours.

use chrono::TimeDelta;
use kopru_store::ids::{new_id, new_ids};

use crate::sample::at;

#[test]
fn ids_of_later_instants_sort_later() {
    let instants = (0..200).map(|step| at(0) + TimeDelta::milliseconds(step));
    let ids: Vec<_> = instants.map(new_id).collect();
    assert!(ids.is_sorted());
    assert!(ids.iter().all(|id| id.get_version_num() == 7));
    let (seconds, nanos) = ids[150].get_timestamp().unwrap().to_unix();
    assert_eq!((i64::try_from(seconds).unwrap(), nanos), (at(0).timestamp(), 150_000_000));
}

#[test]
fn ids_of_one_batch_rise_and_differ() {
    let ids = new_ids(at(0), 2_000);
    assert_eq!(ids.len(), 2_000);
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
}
