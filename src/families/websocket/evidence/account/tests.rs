//! Events, snapshots, and what the account says of them.

use super::*;

fn event(id: &str, number: u64) -> Event {
    Event { id: Some(id.into()), numbers: Some((number, number)), ..Event::default() }
}

fn known(events: &[Event]) -> Vec<Known> {
    Known::all(events, &[], true)
}

fn numbers(account: &Account) -> [u64; 5] {
    [account.before, account.recovered, account.covered, account.uncertain, account.lost]
}

#[test]
fn each_event_is_told_recovered_covered_or_lost() {
    let all = [event("a", 1), event("b", 2), event("c", 3), event("d", 4)];
    let snapshot = SnapshotSeen { number: Some(3), ..SnapshotSeen::default() };
    let account = account(&known(&all), &all[..1], &all[1..2], &[snapshot]);
    assert_eq!(numbers(&account), [1, 1, 1, 0, 1]);
    assert_eq!(account.examples, [event("d", 4)]);
    assert_eq!(account.told(), "3 missed: 1 delivered later, 1 included in a snapshot, 1 lost");
}

#[test]
fn an_event_that_is_told_twice_is_no_loss_and_is_counted() {
    let all = [event("a", 1), event("b", 2)];
    let account = account(&known(&all), &all[..1], &all, &[]);
    assert_eq!((numbers(&account), account.again), ([1, 1, 0, 0, 0], 1));
}

#[test]
fn numbers_that_begin_anew_do_not_hide_what_ids_show() {
    let renumbered = [Event { numbers: None, ..event("b", 0) }];
    assert_eq!(numbers(&account(&known(&[event("b", 2)]), &[], &renumbered, &[])), [0, 1, 0, 0, 0]);
}

#[test]
fn a_merged_message_stands_for_all_of_its_numbers() {
    let one = |first, last| Event { numbers: Some((first, last)), scope: Some("X".into()), ..Event::default() };
    let all = [one(1, 1), one(2, 2), one(3, 4), one(5, 5)];
    assert_eq!(numbers(&account(&known(&all), &[], &[one(1, 3), one(4, 4)], &[])), [0, 3, 0, 0, 1]);
    let other = Event { scope: Some("Y".into()), ..one(1, 9) };
    assert_eq!(account(&known(&all), &[], &[other], &[]).lost, 4, "numbers of another scope are other numbers");
}

#[test]
fn a_snapshot_of_unknown_reach_leaves_it_open() {
    let all = [event("a", 1)];
    let nothing = SnapshotSeen::default();
    assert_eq!(numbers(&account(&known(&all), &[], &[], std::slice::from_ref(&nothing))), [0, 0, 0, 1, 0]);
    let stale = SnapshotSeen { number: Some(0), ..SnapshotSeen::default() };
    assert_eq!(numbers(&account(&known(&all), &[], &[], std::slice::from_ref(&stale))), [0, 0, 0, 0, 1]);
    let rows = SnapshotSeen { rows: Some(vec![event("a", 9)]), ..SnapshotSeen::default() };
    assert_eq!(numbers(&account(&known(&all), &[], &[], &[stale, rows])), [0, 0, 1, 0, 0]);
    let empty = SnapshotSeen { rows: Some(Vec::new()), ..SnapshotSeen::default() };
    assert_eq!(account(&known(&all), &[], &[], &[empty]).uncertain, 1, "what is gone is in no rows");
    let two = [event("a", 1), event("b", 2)];
    let rows = SnapshotSeen { rows: Some(vec![event("a", 9)]), ..SnapshotSeen::default() };
    assert_eq!(numbers(&account(&known(&two), &[], &[], &[rows])), [0, 0, 1, 0, 1], "some are, others are not");
}

#[test]
fn a_snapshot_of_one_key_says_nothing_of_another() {
    let one = |key: &str, first, last| Event {
        key: Some(key.into()),
        scope: Some(key.into()),
        numbers: Some((first, last)),
        ..Event::default()
    };
    let all = known(&[one("X", 5, 6), one("X", 7, 9), one("Y", 5, 5)]);
    let of = |key: &str, number| SnapshotSeen {
        number,
        scope: Some(key.into()),
        key: Some(key.into()),
        ..SnapshotSeen::default()
    };
    let keys = |snapshots: &[SnapshotSeen], after: &[Event]| {
        open(&all, &[], after, snapshots).into_iter().filter_map(Known::key).collect::<Vec<_>>()
    };
    assert_eq!(keys(&[], &[]), ["X", "X", "Y"]);
    assert_eq!(keys(&[of("X", Some(9))], &[]), ["Y"]);
    assert_eq!(keys(&[of("X", Some(8))], &[one("X", 9, 9)]), ["Y"], "the rest of a merged event came");
    assert_eq!(numbers(&account(&all, &[], &[], &[of("X", Some(8)), of("Y", None)])), [0, 0, 1, 1, 1]);
}

#[test]
fn what_was_made_is_found_by_its_reference_or_its_key() {
    let made = |n: u32| Made { reference: format!("r{n}"), id: Some(format!("order-{n}")) };
    let told = |n: u32| Event { key: Some(format!("order-{n}")), ..event(&format!("e{n}"), n.into()) };
    let all = Known::all(&[told(1), told(2)], &[made(1), made(2), made(3)], true);
    assert_eq!(all.len(), 2, "what the living witness was not told of proves nothing here");
    assert_eq!(all[1].made, Some(made(2)));
    let by_key = Event { key: Some("order-2".into()), ..event("other", 70) };
    assert_eq!(numbers(&account(&all, &[], &[told(1), by_key], &[])), [0, 2, 0, 0, 0]);
    let without_witness = Known::all(&[told(1)], &[made(1), made(2)], false);
    assert_eq!(without_witness.len(), 2);
    assert_eq!(account(&without_witness, &[], &[told(1)], &[]).examples[0].reference.as_deref(), Some("r2"));
}

#[test]
fn a_number_that_was_given_anew_does_not_hide_a_lost_event() {
    let all = [event("a", 1), event("b", 2), event("c", 3)];
    let renumbered = [event("a", 1), event("c", 2)];
    assert_eq!(account(&known(&all), &[], &renumbered, &[]).examples, [event("b", 2)]);
}

#[test]
fn an_event_without_a_name_proves_nothing() {
    assert_eq!(known(&[Event { key: Some("X".into()), ..Event::default() }]), []);
}
