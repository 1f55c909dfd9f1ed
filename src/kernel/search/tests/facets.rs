//! Counts.

use super::*;

fn two_segments() -> Bench {
    let mut bench = Bench::new();
    let doc = |id: &str, colour: &[&str], form: Option<&str>, height: i64| {
        let mut fields = vec![field(
            "colour",
            colour.iter().map(|c| Value::Keyword((*c).to_owned())).collect(),
        )];
        fields.extend(form.map(|form| keyword("form", form)));
        fields.push(field("height", vec![Value::Integer(height)]));
        with(id, fields)
    };
    bench.put(&[
        doc("1", &["red", "blue", "red"], Some("cup"), 1),
        doc("2", &["red"], Some("pot"), 2),
        doc("3", &[], None, 2),
    ]);
    let mut last = doc("5", &["Äther"], Some("pot"), 3);
    last.fields[2].values = vec![Value::Real(3.5)];
    bench.put(&[doc("4", &["blue"], Some("cup"), 2), last]);
    bench
}

#[test]
fn each_document_counts_once_per_value_and_missing_is_counted() {
    let bench = two_segments();
    let mut query = everything("");
    query.facets = vec![facet("colour"), facet("form"), facet("height"), facet("unknown")];
    let answer = bench.ask(&query).unwrap();
    assert_eq!(counts(&answer.facets[0]), ["blue=2", "red=2", "Äther=1", "-=1"]);
    assert_eq!(answer.facets[0].distinct, 3);
    assert_eq!(counts(&answer.facets[1]), ["cup=2", "pot=2", "-=1"]);
    assert_eq!(counts(&answer.facets[2]), ["2=3", "1=1", "3.5=1"]);
    assert_eq!(counts(&answer.facets[3]), ["-=5"]);
}

#[test]
fn texts_that_are_no_column_are_counted_by_their_beginning() {
    let long = format!("{} end", "a gift of ".repeat(20));
    let doc = |id: &str, notes: &[&str]| {
        let values = notes.iter().map(|note| Value::Text((*note).to_owned())).collect();
        let note = IndexedField {
            column: false,
            ..field("note", values)
        };
        let called = IndexedField {
            column: false,
            ..field("kept", vec![Value::Shown("Attic".to_owned())])
        };
        let kept = IndexedField {
            searchable: false,
            ..keyword("kept", "room-1")
        };
        with(id, vec![note, kept, called])
    };
    let mut bench = Bench::new();
    bench.put(&[doc("1", &["bought"]), doc("2", &[long.as_str(), &format!("{long} 2")])]);
    bench.put(&[doc("3", &[long.as_str(), "bought"]), doc("4", &[])]);
    let mut query = everything("");
    query.facets = vec![facet("note"), facet("kept")];
    let answer = bench.ask(&query).unwrap();
    let begun = &long[..80];
    assert_eq!(
        counts(&answer.facets[0]),
        [format!("{begun}=2"), "bought=2".to_owned(), "-=1".to_owned()]
    );
    assert_eq!(counts(&answer.facets[1]), ["room-1=4"], "a link is counted by its id");
    // What is counted is what is found.
    for (value, want) in [(Some(begun), 2), (Some("bought"), 2), (None, 1), (Some("else"), 0)] {
        query.filters = vec![only("note", value)];
        let answer = bench.ask(&query).unwrap();
        assert_eq!(answer.total, want, "{value:?}");
    }
    assert_eq!(bench.ids("kept:attic").len(), 4);
}

#[test]
fn a_facet_ignores_its_own_filter_only() {
    let bench = two_segments();
    let mut query = everything("");
    query.facets = vec![facet("colour"), facet("form")];
    query.filters = vec![only("colour", Some("red")), only("form", Some("cup"))];
    let answer = bench.ask(&query).unwrap();
    assert_eq!(answer.total, 1);
    assert_eq!(counts(&answer.facets[0]), ["blue=2", "red=1"]);
    assert_eq!(counts(&answer.facets[1]), ["cup=1", "pot=1"]);
    // The same with a filter that is not counted, and with several filters on one field.
    query.facets = vec![facet("colour")];
    query.filters = vec![
        only("form", Some("cup")),
        only("form", Some("pot")),
        only("height", Some("2")),
    ];
    let answer = bench.ask(&query).unwrap();
    assert_eq!(answer.total, 2);
    assert_eq!(counts(&answer.facets[0]), ["blue=1", "red=1"]);
}

#[test]
fn counts_equal_questions() {
    // Every count is checked against the total of the question that it promises.
    let bench = two_segments();
    let fields = ["colour", "form", "height"];
    for filter in [
        None,
        Some(only("colour", Some("red"))),
        Some(only("form", None)),
        Some(only("height", Some("2"))),
    ] {
        for name in fields {
            let mut query = everything("");
            query.facets = vec![facet(name)];
            query.filters = filter.iter().cloned().collect();
            let answer = bench.ask(&query).unwrap();
            for value in &answer.facets[0].values {
                let mut narrowed = everything("");
                narrowed.filters = filter.iter().filter(|f| f.field != name).cloned().collect();
                narrowed.filters.push(only(name, value.value.as_deref()));
                assert_eq!(
                    bench.ask(&narrowed).unwrap().total,
                    value.count,
                    "{name} {value:?} {filter:?}"
                );
            }
        }
    }
}

#[test]
fn the_most_frequent_values_are_listed() {
    let mut bench = Bench::new();
    let docs: Vec<Document> = (0..300)
        .map(|n| {
            with(
                &format!("{n:03}"),
                vec![keyword("k", &format!("v{}", n % 40 * (n % 3)))],
            )
        })
        .collect();
    bench.put(&docs);
    let mut query = everything("");
    query.facets = vec![FacetRequest {
        field: "k".to_owned(),
        limit: 2,
    }];
    let answer = bench.ask(&query).unwrap();
    assert_eq!(answer.facets[0].values.len(), 2);
    assert_eq!(answer.facets[0].values[0].value.as_deref(), Some("v0"));
    assert!(answer.facets[0].distinct > 40);
}

#[test]
fn types_are_counted_under_all_filters() {
    let mut bench = Bench::new();
    let typed = |id: &str, type_name: &str, form: &str| Document {
        type_name: type_name.to_owned(),
        ..with(id, vec![keyword("form", form)])
    };
    bench.put(&[typed("1", "object", "cup"), typed("2", "object", "pot")]);
    bench.put(&[typed("3", "place", "cup"), typed("4", "object", "cup")]);
    let mut query = everything("");
    query.kind = None;
    query.types = Vec::new();
    query.facets = vec![facet(TYPE_FACET)];
    assert_eq!(counts(&bench.ask(&query).unwrap().facets[0]), ["object=3", "place=1"]);
    query.filters = vec![Filter {
        field: "form".to_owned(),
        values: vec![Some("cup".to_owned())],
    }];
    assert_eq!(counts(&bench.ask(&query).unwrap().facets[0]), ["object=2", "place=1"]);
}

#[test]
fn numbers_and_dates_are_counted_in_spans_that_filter() {
    let mut bench = Bench::new();
    let dated = |id: &str, year: i64, height: f64| {
        let from = (year - 1970) * 365;
        let made = Value::Days {
            from,
            to: from + 200,
            verbatim: year.to_string(),
        };
        with(
            id,
            vec![field("made", vec![made]), field("height", vec![Value::Real(height)])],
        )
    };
    bench.put(&[dated("1", 1971, 1.5), dated("2", 1972, 2.0), document("3")]);
    bench.put(&[dated("4", 1979, 9.25)]);
    let mut query = everything("");
    query.facets = vec![FacetRequest::spread("made", 5), FacetRequest::spread("height", 5)];
    let answer = bench.ask(&query).unwrap();
    assert_eq!(answer.facets[0].field, "made");
    let years = [
        "1970..1971=1",
        "1972..1973=1",
        "1974..1975=0",
        "1976..1977=0",
        "1978..1979=1",
        "-=1",
    ];
    assert_eq!(counts(&answer.facets[0]), years);
    let heights = ["0..1.99=1", "2..3.99=1", "4..5.99=0", "6..7.99=0", "8..9.99=1", "-=1"];
    assert_eq!(counts(&answer.facets[1]), heights);
    // Its own filter is not held against it; every bar finds what it counts.
    for (span, want) in [("1970..1971", 1), ("1972..1973", 1), ("1974..1975", 0), ("..1973", 2)] {
        query.filters = vec![only("made", Some(span))];
        let answer = bench.ask(&query).unwrap();
        assert_eq!(
            (answer.total, counts(&answer.facets[0])),
            (want, years.map(str::to_owned).to_vec()),
            "{span}"
        );
    }
}
