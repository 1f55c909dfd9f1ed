//! What somebody may not see can't be found, counted, sorted by or probed.

use super::*;

fn view(public: Terms, members: Terms, restricted: Terms) -> Visibility {
    Visibility {
        public,
        members,
        restricted,
    }
}
fn terms(list: &[&str]) -> Terms {
    Terms::Any(list.iter().map(|t| (*t).to_owned()).collect())
}
fn at(level: Level, mut field: IndexedField) -> IndexedField {
    field.level = level;
    field
}

/// Two departments; each document has a public name, a members' place and a restricted donor.
fn house() -> Bench {
    let mut bench = Bench::new();
    let doc = |id: &str, department: &str, donor: &str| {
        let own = vec![department.to_owned()];
        Document {
            visible: [vec!["public".to_owned()], own.clone(), own],
            title: format!("Object {id}"),
            ..with(
                id,
                vec![
                    keyword("name", &format!("name {id}")),
                    at(Level::Members, keyword("place", &format!("shelf {id}"))),
                    at(Level::Restricted, keyword("donor", donor)),
                    at(
                        Level::Restricted,
                        field("price", vec![Value::Integer(donor.len() as i64)]),
                    ),
                ],
            )
        }
    };
    let mut hidden = doc("hidden", "prints", "Secret");
    hidden.visible[0] = vec!["members".to_owned()];
    bench.put(&[doc("a", "prints", "Miller"), doc("b", "coins", "Smith")]);
    bench.put(&[doc("c", "coins", "Miller"), hidden]);
    bench
}

fn ids(bench: &Bench, visibility: &Visibility, text: &str) -> Vec<String> {
    let mut ids: Vec<_> = bench
        .ask(&question(text, visibility.clone()))
        .unwrap()
        .hits
        .into_iter()
        .map(|h| h.id)
        .collect();
    ids.sort();
    ids
}

#[test]
fn restricted_words_are_found_only_where_they_may_be_seen() {
    let bench = house();
    let nobody = view(terms(&[]), terms(&[]), terms(&[]));
    let public = view(terms(&["public"]), terms(&[]), terms(&[]));
    // Sees all that is public, and everything of the prints.
    let prints = view(terms(&["public"]), terms(&["prints"]), terms(&["prints"]));
    let all = view(Terms::All, Terms::All, Terms::All);
    assert_eq!(ids(&bench, &nobody, ""), [""; 0]);
    assert_eq!(ids(&bench, &nobody, "-x"), [""; 0]);
    assert_eq!(ids(&bench, &public, ""), ["a", "b", "c"]);
    for text in [
        "miller",
        "mil*",
        "donor:miller",
        "donor:\"Miller\"",
        "donor:*",
        "price:6",
        "price:>1",
        "price:1..9",
        "shelf",
        "secret",
    ] {
        assert_eq!(ids(&bench, &public, text), [""; 0], "{text}");
    }
    assert_eq!(ids(&bench, &prints, "miller"), ["a"]);
    assert_eq!(ids(&bench, &prints, "donor:\"Miller\""), ["a"]);
    assert_eq!(ids(&bench, &prints, "price:1..9"), ["a", "hidden"]);
    assert_eq!(ids(&bench, &prints, "secret"), ["hidden"]);
    // A word must not say by its absence either what a hidden field holds.
    assert_eq!(ids(&bench, &prints, "-miller"), ["b", "c", "hidden"]);
    assert_eq!(ids(&bench, &prints, "-donor:*"), ["b", "c"]);
    assert_eq!(ids(&bench, &all, "miller"), ["a", "c"]);
    assert_eq!(ids(&bench, &all, "object miller shelf"), ["a", "c"]);
}

#[test]
fn restricted_values_are_not_counted_filtered_or_sorted_by() {
    let bench = house();
    let ask = |visibility: &Visibility, filter: Option<Filter>, sort: Sort| {
        let mut query = question("", visibility.clone());
        query.facets = vec![facet("donor"), facet("price")];
        query.filters = filter.into_iter().collect();
        query.sort = sort;
        bench.ask(&query).unwrap()
    };
    let by_donor = |descending| Sort::Field {
        field: "donor".to_owned(),
        descending,
    };
    let order = |answer: &Answer| answer.hits.iter().map(|h| h.id.clone()).collect::<Vec<_>>();
    let public = view(terms(&["public"]), terms(&[]), terms(&[]));
    let answer = ask(&public, None, by_donor(false));
    assert_eq!(counts(&answer.facets[0]), ["-=3"]);
    assert_eq!(counts(&answer.facets[1]), ["-=3"]);
    assert_eq!(order(&answer), ["a", "b", "c"]);
    assert_eq!(order(&ask(&public, None, by_donor(true))), ["a", "b", "c"]);
    assert_eq!(
        ask(&public, Some(only("donor", Some("Miller"))), Sort::Relevance).total,
        0
    );
    assert_eq!(ask(&public, Some(only("donor", None)), Sort::Relevance).total, 3);

    let coins = view(terms(&["public"]), terms(&["coins"]), terms(&["coins"]));
    let answer = ask(&coins, None, by_donor(true));
    assert_eq!(counts(&answer.facets[0]), ["Miller=1", "Smith=1", "-=1"]);
    assert_eq!(counts(&answer.facets[1]), ["5=1", "6=1", "-=1"]);
    assert_eq!(order(&answer), ["b", "c", "a"]);
    let answer = ask(&coins, Some(only("donor", Some("Miller"))), Sort::Relevance);
    assert_eq!(order(&answer), ["c"]);
    assert_eq!(counts(&answer.facets[0]), ["Miller=1", "Smith=1", "-=1"]);
    assert_eq!(ask(&coins, Some(only("donor", None)), Sort::Relevance).total, 1);
    // Somebody whose terms of the open level cover everything, but not those of the restricted one.
    let half = view(Terms::All, terms(&[]), terms(&["prints"]));
    let answer = ask(&half, None, by_donor(false));
    assert_eq!(counts(&answer.facets[0]), ["Miller=1", "Secret=1", "-=2"]);
    assert_eq!(order(&answer), ["a", "hidden", "b", "c"]);
}

#[test]
fn a_title_is_found_at_its_own_level() {
    let mut bench = Bench::new();
    bench.put(&[Document {
        title: "Confidential".to_owned(),
        title_level: Level::Restricted,
        ..document("a")
    }]);
    assert_eq!(
        ids(
            &bench,
            &view(terms(&["public"]), terms(&[]), terms(&[])),
            "confidential"
        ),
        [""; 0]
    );
    assert_eq!(
        ids(
            &bench,
            &view(terms(&["public"]), terms(&[]), terms(&["public"])),
            "confidential"
        ),
        ["a"]
    );
}

#[test]
fn a_field_made_stricter_is_hidden_before_its_documents_are_read_again() {
    let mut bench = Bench::new();
    let coin = |id: &str| Document {
        type_name: "coin".to_owned(),
        shape: "coin@open".to_owned(),
        ..with(id, vec![keyword("donor", "Miller")])
    };
    bench.put(&[with("a", vec![keyword("donor", "Miller")]), coin("b")]);
    bench.put(&[with("c", vec![keyword("donor", "Smith")])]);
    let shape = |name: &str, term: &str, strictest| Shape {
        type_name: name.to_owned(),
        term: term.to_owned(),
        strictest,
    };
    let public = Visibility::up_to(Level::Public);
    let ask = |bench: &Bench, visibility: &Visibility, text: &str| {
        let mut query = question(text, visibility.clone());
        query.facets = vec![facet("donor")];
        query.sort = Sort::Field {
            field: "donor".to_owned(),
            descending: true,
        };
        let answer = bench.ask(&query).unwrap();
        let ids: Vec<String> = answer.hits.iter().map(|hit| hit.id.clone()).collect();
        (ids.join(" "), counts(&answer.facets[0]).join(" "))
    };
    let want = |ids: &str, counts: &str| (ids.to_owned(), counts.to_owned());
    bench.shapes = vec![
        shape("object", "object@open", Level::Public),
        shape("coin", "coin@open", Level::Public),
    ];
    assert_eq!(ask(&bench, &public, ""), want("c a b", "Miller=2 Smith=1"));
    // The donor of objects is for members from now on.
    bench.shapes[0] = shape("object", "object@strict", Level::Members);
    for _ in 0..2 {
        assert_eq!(ask(&bench, &public, ""), want("b a c", "Miller=1 -=2"));
        for text in ["miller", "donor:Miller", "donor:*", "mil*"] {
            assert_eq!(ask(&bench, &public, text), want("b", "Miller=1"), "{text}");
        }
        assert_eq!(ask(&bench, &public, "smith"), want("", ""));
        assert_eq!(ask(&bench, &public, "-donor:*"), want("a c", "-=2"));
    }
    // Who sees everything is not kept from anything meanwhile.
    let all = Visibility::up_to(Level::Restricted);
    assert_eq!(ask(&bench, &all, "miller"), want("a b", "Miller=2"));
    // Read again, each document is seen by its new levels.
    let mut again = with("a", vec![keyword("donor", "Miller"), keyword("name", "Cup")]);
    again.fields[0].level = Level::Members;
    again.shape = "object@strict".to_owned();
    bench.put(&[again]);
    assert_eq!(ask(&bench, &public, "cup"), want("a", "-=1"));
    assert_eq!(ask(&bench, &public, "miller"), want("b", "Miller=1"));
    assert_eq!(
        ask(&bench, &Visibility::up_to(Level::Members), "miller"),
        want("b a", "Miller=2")
    );
}
