//! Order and pages.

use super::*;

/// 1,000 documents in several segments, with ties, gaps and two kinds of number.
fn thousand() -> (Bench, Vec<Document>) {
    let mut bench = Bench::new();
    let docs: Vec<Document> = (0..1_000_i64)
        .map(|n| {
            let mut fields = vec![];
            if n % 7 != 0 {
                fields.push(keyword(
                    "name",
                    ["Zebra", "apfel", "Äpfel", "birne", "Apfel"][(n % 5) as usize],
                ));
            }
            if n % 11 != 0 {
                let number = if n % 2 == 0 {
                    Value::Integer(n % 13)
                } else {
                    Value::Real((n % 13) as f64 + 0.5)
                };
                fields.push(field("size", vec![number]));
            }
            fields.push(field(
                "both",
                vec![Value::Integer(n % 10), Value::Integer(100 - n % 10)],
            ));
            Document {
                created_at: n / 10,
                title: format!("word {}", n % 3),
                ..with(&format!("id{:04}", n * 37 % 1_000), fields)
            }
        })
        .collect();
    // Segments with only whole numbers, only others, and both.
    for part in docs.chunks(211) {
        bench.put(part);
    }
    (bench, docs)
}

fn walk(bench: &Bench, mut query: Query) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let answer = bench.ask(&query).unwrap();
        assert_eq!(answer.total, 1_000);
        ids.extend(answer.hits.into_iter().map(|hit| hit.id));
        match answer.next {
            Some(next) => query.cursor = Some(next),
            None => return ids,
        }
    }
}

#[test]
fn pages_of_every_sort_are_exact() {
    let (bench, docs) = thousand();
    let by = |field: &str, descending| Sort::Field {
        field: field.to_owned(),
        descending,
    };
    for descending in [false, true] {
        for sort in [
            by("name", descending),
            by("size", descending),
            by("both", descending),
            by("absent", descending),
            Sort::Created { descending },
            Sort::Updated { descending },
            Sort::Relevance,
        ] {
            let mut query = everything(if sort == Sort::Relevance { "word" } else { "" });
            query.sort = sort.clone();
            query.limit = 200;
            let whole: Vec<String> = (0..5)
                .flat_map(|page| {
                    let mut query = query.clone();
                    query.offset = page * 200;
                    bench
                        .ask(&query)
                        .unwrap()
                        .hits
                        .into_iter()
                        .map(|hit| hit.id)
                        .collect::<Vec<_>>()
                })
                .collect();
            query.limit = 37;
            let walked = walk(&bench, query);
            assert_eq!(walked, whole, "{sort:?}");
            let mut distinct = walked.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), docs.len(), "{sort:?}");
        }
    }
}

#[test]
fn order_is_by_value_then_id_with_missing_last() {
    let (bench, docs) = thousand();
    let mut query = everything("");
    query.sort = Sort::Field {
        field: "size".to_owned(),
        descending: true,
    };
    query.limit = 200;
    let walked = walk(&bench, query);
    let size = |doc: &Document| {
        doc.fields.iter().find(|f| f.name == "size").map(|f| match f.values[0] {
            Value::Integer(n) => n as f64,
            Value::Real(n) => n,
            _ => unreachable!(),
        })
    };
    let mut want: Vec<(Option<f64>, &str)> = docs.iter().map(|d| (size(d), d.id.as_str())).collect();
    want.sort_by(|a, b| match (a.0, b.0) {
        (Some(x), Some(y)) => y.total_cmp(&x).then(a.1.cmp(b.1)),
        (x, y) => y.is_some().cmp(&x.is_some()).then(a.1.cmp(b.1)),
    });
    assert_eq!(walked, want.iter().map(|(_, id)| *id).collect::<Vec<_>>());

    let mut query = everything("");
    query.sort = Sort::Field {
        field: "name".to_owned(),
        descending: false,
    };
    let first = bench.ask(&query).unwrap().hits.remove(0).id;
    let name = &docs.iter().find(|d| d.id == first).unwrap().fields[0].values[0];
    assert_eq!(
        *name,
        Value::Keyword("apfel".to_owned()),
        "small letters before large ones"
    );
}

#[test]
fn a_page_by_value_goes_on_although_something_is_written() {
    let (mut bench, _) = thousand();
    let mut query = everything("");
    query.sort = Sort::Field {
        field: "name".to_owned(),
        descending: false,
    };
    let first = bench.ask(&query).unwrap();
    bench.put(&[with("id0000x", vec![keyword("name", "AAA first")])]);
    query.cursor = first.next;
    let second = bench.ask(&query).unwrap();
    assert!(
        second
            .hits
            .iter()
            .all(|hit| hit.id != "id0000x" && !first.hits.contains(hit))
    );
}

#[test]
fn relevance_pages_stand_still_for_a_minute() {
    let (mut bench, _) = thousand();
    let mut query = everything("word");
    query.limit = 10;
    let first = bench.ask(&query).unwrap();
    query.cursor = first.next;
    let before: Vec<_> = bench.ask(&query).unwrap().hits.into_iter().map(|h| h.id).collect();
    bench.put(&[Document {
        title: "word word word".to_owned(),
        ..document("new")
    }]);
    let after: Vec<_> = bench.ask(&query).unwrap().hits.into_iter().map(|h| h.id).collect();
    assert_eq!(before, after);
    bench.clock.advance(59_000);
    assert!(bench.ask(&query).is_ok());
    bench.clock.advance(61_000);
    assert_eq!(bench.ask(&query).unwrap_err().code(), Code::CursorExpired);
}

#[test]
fn markers_are_bound_to_their_question() {
    let (bench, _) = thousand();
    let mut query = everything("");
    query.sort = Sort::Created { descending: false };
    let next = bench.ask(&query).unwrap().next.unwrap();
    let refused = |query: &Query| assert_eq!(bench.ask(query).unwrap_err().code(), Code::BadRequest);
    for bad in [
        "",
        "x",
        "00",
        "ÿ",
        &next[2..],
        &format!("{next}00"),
        &next.replace('7', "8"),
        &"0".repeat(100_000),
    ] {
        query.cursor = Some(bad.to_owned());
        refused(&query);
    }
    query.cursor = Some(next.clone());
    assert!(bench.ask(&query).is_ok());
    query.text = "other".to_owned();
    refused(&query);
    query.text.clear();
    query.visibility.restricted = Terms::Any(vec![]);
    refused(&query);
}

#[test]
fn limits_hold() {
    let bench = Bench::new();
    let invalid = |change: &dyn Fn(&mut Query)| {
        let mut query = everything("");
        change(&mut query);
        assert_eq!(bench.ask(&query).unwrap_err().code(), Code::Invalid);
    };
    invalid(&|q| q.limit = 201);
    invalid(&|q| q.offset = 10_001);
    invalid(&|q| q.facets = vec![facet("a"); 33]);
    invalid(&|q| {
        q.facets = vec![FacetRequest {
            field: "a".to_owned(),
            limit: 5_000,
        }]
    });
    invalid(&|q| q.filters = (0..65).map(|n| only(&n.to_string(), None)).collect());
    let mut query = everything("x");
    query.limit = 0;
    assert_eq!(bench.ask(&query).unwrap().hits, []);
}
