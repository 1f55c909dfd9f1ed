//! What is found by which question.

use super::*;

fn sample() -> Bench {
    let mut bench = Bench::new();
    let text = |name: &str, value: &str| IndexedField {
        column: false,
        ..field(name, vec![Value::Text(value.to_owned())])
    };
    let days = |from, to, verbatim: &str| {
        field(
            "made",
            vec![Value::Days {
                from,
                to,
                verbatim: verbatim.to_owned(),
            }],
        )
    };
    bench.put(&[
        Document {
            title: "Teapot with lid".to_owned(),
            created_at: 1,
            ..with(
                "a",
                vec![
                    text("title", "Teapot with lid"),
                    keyword("number", "79.66.115"),
                    keyword("medium", "Porcelain"),
                ],
            )
        },
        Document {
            title: "Théière".to_owned(),
            created_at: 2,
            ..with(
                "b",
                vec![
                    text("title", "Théière"),
                    text("note", "a teapot from France"),
                    field("height", vec![Value::Integer(12)]),
                    days(-10, 20, "1969/70"),
                ],
            )
        },
    ]);
    bench.put(&[Document {
        title: "Cup".to_owned(),
        created_at: 3,
        ..with(
            "c",
            vec![
                text("title", "Cup"),
                keyword("creator.name", "Ångström, Änne"),
                field("height", vec![Value::Real(7.5)]),
                field("whole", vec![Value::Boolean(false)]),
                keyword("number", "A/B-12"),
                keyword("medium", "1979-12-06T00:00:00Z"),
            ],
        )
    }]);
    bench
}

#[test]
fn words_phrases_and_beginnings() {
    let bench = sample();
    assert_eq!(bench.ids("teapot"), ["a", "b"]);
    assert_eq!(bench.ids("TEAPOT france"), ["b"]);
    assert_eq!(bench.ids("\"teapot with\""), ["a"]);
    assert_eq!(bench.ids("\"with teapot\""), [""; 0]);
    assert_eq!(bench.ids("tea*"), ["a", "b"]);
    assert_eq!(bench.ids("teapot -france"), ["a"]);
    assert_eq!(bench.ids("-teapot"), ["c"]);
    assert_eq!(bench.ids("theiere"), ["b"]);
    assert_eq!(bench.ids("angstrom"), ["c"]);
    assert_eq!(bench.ids(""), ["a", "b", "c"]);
    assert_eq!(bench.ids("\"???\" * : - \u{0}"), ["a", "b", "c"]);
}

#[test]
fn codes_are_found_whole_and_by_part() {
    let bench = sample();
    for text in [
        "79.66.115",
        "79.66",
        "115",
        "79.66.1*",
        "number:79.66.115",
        "number:\"79.66.115\"",
    ] {
        assert_eq!(bench.ids(text), ["a"], "{text}");
    }
    for text in ["A/B-12", "a/b", "12 height:7.5", "number:\"A/B-12\""] {
        assert_eq!(bench.ids(text), ["c"], "{text}");
    }
}

#[test]
fn fields_ranges_and_presence() {
    let bench = sample();
    assert_eq!(bench.ids("creator.name:anne"), ["c"]);
    assert_eq!(bench.ids("creator.name:\"Ångström, Änne\""), ["c"]);
    assert_eq!(bench.ids("creator.name:*"), ["c"]);
    assert_eq!(bench.ids("-creator.name:*"), ["a", "b"]);
    assert_eq!(bench.ids("height:>7.5"), ["b"]);
    assert_eq!(bench.ids("height:>=7.5"), ["b", "c"]);
    assert_eq!(bench.ids("height:<12"), ["c"]);
    assert_eq!(bench.ids("height:7..12"), ["b", "c"]);
    assert_eq!(bench.ids("height:..7"), [""; 0]);
    assert_eq!(bench.ids("made:1969"), ["b"]);
    assert_eq!(bench.ids("made:1969..1971"), ["b"]);
    assert_eq!(bench.ids("made:1970-01-21..1970-01-21"), ["b"]);
    assert_eq!(bench.ids("made:>1970-01-21"), [""; 0]);
    assert_eq!(bench.ids("made:<1970"), ["b"]);
    assert_eq!(bench.ids("nothing:here"), [""; 0]);
    let answer = bench.ask(&everything("nothing:here")).unwrap();
    assert_eq!(answer.hints.len(), 1);
}

#[test]
fn texts_that_look_like_dates_stay_texts() {
    let bench = sample();
    let mut query = everything("");
    query.facets = vec![facet("medium")];
    query.filters = vec![only("medium", Some("1979-12-06T00:00:00Z"))];
    let answer = bench.ask(&query).unwrap();
    assert_eq!(answer.total, 1);
    assert_eq!(
        counts(&answer.facets[0]),
        ["1979-12-06T00:00:00Z=1", "Porcelain=1", "-=1"]
    );
}

#[test]
fn filters_by_number_truth_and_absence() {
    let bench = sample();
    let total = |filter: Filter| {
        let mut query = everything("");
        query.filters = vec![filter];
        bench.ask(&query).unwrap().total
    };
    assert_eq!(total(only("height", Some("12"))), 1);
    assert_eq!(total(only("height", Some("7.5"))), 1);
    assert_eq!(total(only("height", Some("5..12"))), 2);
    assert_eq!(total(only("height", None)), 1);
    assert_eq!(total(only("whole", Some("false"))), 1);
    assert_eq!(total(only("whole", Some("true"))), 0);
    assert_eq!(total(only("made", Some("1969/70"))), 1);
    assert_eq!(
        total(Filter {
            field: "height".to_owned(),
            values: vec![None, Some("12".to_owned())]
        }),
        2
    );
}

#[test]
fn the_title_weighs_more_and_nothing_asked_is_newest_first() {
    let bench = sample();
    let order = |text: &str| -> Vec<String> {
        bench
            .ask(&everything(text))
            .unwrap()
            .hits
            .into_iter()
            .map(|h| h.id)
            .collect()
    };
    assert_eq!(order("teapot"), ["a", "b"]);
    assert_eq!(order(""), ["c", "b", "a"]);
}

#[test]
fn types_kinds_replacement_and_removal() {
    let mut bench = sample();
    let mut query = everything("");
    query.types = vec!["object".to_owned()];
    query.kind = Some("record".to_owned());
    assert_eq!(bench.ask(&query).unwrap().total, 3);
    query.types = vec!["person".to_owned()];
    assert_eq!(bench.ask(&query).unwrap().total, 0);
    bench.put(&[with("a", vec![keyword("number", "new")])]);
    assert_eq!(bench.ids("number:new"), ["a"]);
    assert_eq!(bench.ids("79.66.115"), [""; 0]);
    let store = bench.store.as_mut().unwrap();
    store.replace(&["a".to_owned()], &[]).unwrap();
    store
        .commit(&store::Payload::new("test", Position::default(), false))
        .unwrap();
    assert_eq!(bench.ids(""), ["b", "c"]);
}

#[test]
fn huge_and_odd_values_do_no_harm() {
    let mut bench = Bench::new();
    let huge = "x".repeat(200_000);
    let odd = "nul\u{0}and\u{1}one";
    bench.put(&[with(
        "a",
        vec![
            keyword("big", &huge),
            keyword("a.b\\c%\u{0}", odd),
            field(
                "number",
                vec![
                    Value::Real(f64::NAN),
                    Value::Real(f64::INFINITY),
                    Value::Integer(i64::MIN),
                    Value::Integer(i64::MAX),
                ],
            ),
        ],
    )]);
    let mut query = everything("");
    query.facets = vec![facet("big"), facet("a.b\\c%\u{0}"), facet("number")];
    query.filters = vec![only("big", Some(&huge)), only("a.b\\c%\u{0}", Some(odd))];
    let answer = bench.ask(&query).unwrap();
    assert_eq!(answer.total, 1);
    assert_eq!(answer.facets[1].values[0].value.as_deref(), Some(odd));
    assert_eq!(bench.ids(&format!("{}*", "x".repeat(50))), ["a"]);
}

#[test]
fn a_question_ends_in_time() {
    let mut bench = Bench::new();
    bench.put(&[with("1", vec![keyword("material", "clay")])]);
    let inner = bench.search.inner().unwrap();
    let error = inner
        .answer(&everything("clay"), &Types::default(), Instant::now())
        .unwrap_err();
    assert_eq!(error.code(), Code::Timeout);
}

#[test]
fn a_beginning_of_too_many_words_says_so() {
    let mut bench = Bench::new();
    let words = |from: u32| {
        (from..from + 10_500)
            .map(|n| format!("w{n}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let text = |id: &str, from: u32| with(id, vec![field("note", vec![Value::Text(words(from))])]);
    bench.put(&[text("1", 10_000), text("2", 30_000)]);
    let answer = bench.ask(&everything("w*")).unwrap();
    assert_eq!(answer.hints.len(), 1, "{:?}", answer.hints);
    assert!(bench.ask(&everything("w12*")).unwrap().hints.is_empty());
}
