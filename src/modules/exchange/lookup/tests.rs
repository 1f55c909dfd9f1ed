//! Records laid out for look-ups, and what questions lead to, however many there are.

use super::*;

fn directory() -> Directory {
    let mut all = Directory::new(&Spool::at(std::env::temp_dir()));
    let rows = [
        ("1", "Earth", "planet", None),
        ("2", "Europe", "continent", Some("1")),
        ("3", "Sweden", "country", Some("2")),
        ("4", "Gotland", "province", Some("3")),
        ("5", "Gotland", "district", Some("4")),
        ("6", "America", "continent", Some("1")),
        ("7", "Sweden", "district", Some("6")),
        ("8", "Turning", "", Some("8")),
    ];
    for (key, name, rank, parent) in rows {
        all.add(&Entry {
            id: (key != "7").then(|| format!("id-{key}")),
            key: Some(key.to_owned()),
            names: vec![name.to_owned()],
            rank: rank.to_owned(),
            parent: parent.map(str::to_owned),
        })
        .unwrap();
    }
    all.settle();
    all
}

fn path(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn records_are_found_by_key_name_and_path() {
    let all = directory();
    let by_key = |key: &str| all.by_key(key).unwrap();
    let by_name = |name: &str, rank: Option<&str>| all.by_name(name, rank).unwrap();
    let by_path = |names: &[&str]| all.by_path(&path(names)).unwrap();
    let one = |key: &str| Answer::One(format!("id-{key}"));
    assert_eq!(by_key("4"), one("4"));
    assert_eq!(by_key("99"), Answer::Nothing);
    assert_eq!(by_name("  gotland ", Some("Province")), one("4"));
    assert_eq!(by_name("turning", Some("country")), one("8"), "it has no rank");
    assert!(matches!(by_name("Gotland", None), Answer::Several(both) if both.len() == 2));
    assert_eq!(by_path(&["Earth", "Europe", "Sweden"]), one("3"));
    assert_eq!(by_path(&["Europe", "Sweden"]), one("3"), "the top is left out");
    assert_eq!(by_path(&["Earth", "Europe", "Sweden", "Gotland"]), one("4"));
    assert_eq!(by_path(&["America", "Sweden"]), Answer::Promised);
    assert_eq!(by_path(&["Asia", "Sweden"]), Answer::Nothing);
    assert_eq!(by_path(&[]), Answer::Nothing);
    let Answer::Several(both) = by_path(&["Sweden"]) else {
        panic!("two are called so")
    };
    assert_eq!(
        both,
        [
            "Earth › Europe › Sweden (country)",
            "Earth › America › Sweden (district)"
        ]
    );
    assert_eq!(by_path(&["Turning", "Turning"]), one("8"), "a circle ends");
}

#[test]
fn of_two_with_one_key_the_first_counts_and_a_part_says_so() {
    let mut all = Directory::new(&Spool::at(std::env::temp_dir()));
    let entry = |id: Option<&str>, name: &str| Entry {
        id: id.map(str::to_owned),
        key: Some("k".to_owned()),
        names: vec![name.to_owned()],
        ..Entry::default()
    };
    all.add(&entry(Some("first"), "Ann")).unwrap();
    all.add(&entry(None, "Ann")).unwrap();
    all.add(&entry(None, "Bo")).unwrap();
    all.settle();
    let first = Answer::One("first".to_owned());
    assert_eq!((all.by_key("k").unwrap(), all.len()), (first.clone(), 3));
    assert_eq!(all.by_name("ann", None).unwrap(), first);
    assert_eq!(all.by_name("ann", None).unwrap(), first, "it is remembered");
    assert_eq!(all.by_name("Bo", None).unwrap(), Answer::Nothing);
    all.is_only_a_part();
    assert_eq!(all.by_name("Cy", None).unwrap(), Answer::Later);
    assert_eq!(all.by_path(&path(&["ann"])).unwrap(), first);
}
