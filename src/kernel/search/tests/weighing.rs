//! Fields whose words weigh more, and orders by fields that are no column.

use super::language::text;
use super::*;

fn lexicon(weight: f32, level: Level) -> Arc<Lexicon> {
    let maker = |weight| NamedField {
        path: "maker".to_owned(),
        level,
        called: vec!["maker".to_owned()],
        unit: None,
        weight,
    };
    let of = |name: &str, weight| NamedType {
        name: name.to_owned(),
        fields: vec![maker(weight)],
        ..NamedType::default()
    };
    Arc::new(Lexicon {
        types: vec![of("object", weight), of("other", 0.0)],
    })
}

fn order(bench: &Bench, query: &Query) -> Vec<String> {
    bench.ask(query).unwrap().hits.into_iter().map(|hit| hit.id).collect()
}

#[test]
fn a_word_in_a_heavy_field_comes_first() {
    let mut bench = Bench::new();
    bench.put(&[
        with("often", vec![text("note", "silver silver silver smith", None)]),
        with("maker", vec![text("maker", "Silver Smith", None)]),
        Document {
            type_name: "other".to_owned(),
            ..with("elsewhere", vec![text("maker", "Silver Smith", None)])
        },
    ]);
    bench.lexicon = lexicon(0.0, Level::Public);
    assert_eq!(order(&bench, &everything("silver"))[0], "often");
    bench.lexicon = lexicon(5.0, Level::Public);
    for question in ["silver", "silv*", "silver smith", "\"silver smith\"", "silver | gold"] {
        let found = order(&bench, &everything(question));
        assert_eq!(found[0], "maker", "{question}");
        assert_eq!(found.len(), 3, "a weight hides nothing: {question}");
    }
    // Of the other type nobody said so.
    assert_eq!(order(&bench, &everything("silver"))[2], "elsewhere");
    let other = Query {
        types: vec!["other".to_owned()],
        ..everything("silver")
    };
    assert_eq!(order(&bench, &other), ["elsewhere"]);
    // What is not asked for weighs nothing, and an order by a field stays what it is.
    assert_eq!(order(&bench, &everything("smith -silver")), Vec::<String>::new());
    assert_eq!(order(&bench, &everything("silver sort:note"))[0], "often");
    let many = "silver OR ".repeat(200);
    assert_eq!(order(&bench, &everything(&many)).len(), 3);
}

#[test]
fn a_heavy_field_that_is_hidden_moves_nothing() {
    let mut bench = Bench::new();
    let mut donor = text("maker", "silver", None);
    donor.level = Level::Restricted;
    let own = |id: &str, note: &str| with(id, vec![text("note", note, None)]);
    let mut hidden = own("a", "silver spoon");
    hidden.fields.push(donor);
    bench.put(&[own("b", "silver silver spoon"), hidden]);
    bench.lexicon = lexicon(5.0, Level::Restricted);
    let public = Visibility {
        public: Terms::Any(vec!["public".to_owned()]),
        members: Terms::Any(vec![]),
        restricted: Terms::Any(vec![]),
    };
    assert_eq!(order(&bench, &everything("silver"))[0], "a");
    assert_eq!(order(&bench, &question("silver", public))[0], "b");
}

#[test]
fn texts_that_are_no_column_have_an_order() {
    let mut bench = Bench::new();
    let notes = ["Box 10", "The Apple", "box 2", "\"An Orange\"", "Ärmel", "7 cups"];
    for (n, note) in notes.iter().enumerate() {
        bench.put(&[with(&n.to_string(), vec![text("note", note, Some(Tongue::English))])]);
    }
    bench.put(&[with("none", vec![])]);
    let up = ["5", "1", "4", "2", "0", "3", "none"];
    assert_eq!(order(&bench, &everything("sort:note")), up);
    let down = ["3", "0", "2", "4", "1", "5", "none"];
    assert_eq!(order(&bench, &everything("sort:-note")), down);
    assert!(bench.ask(&everything("sort:note")).unwrap().hints.is_empty());
    // Page by page it is the same.
    let mut query = Query {
        limit: 2,
        ..everything("sort:note")
    };
    let mut walked = Vec::new();
    loop {
        let answer = bench.ask(&query).unwrap();
        walked.extend(answer.hits.into_iter().map(|hit| hit.id));
        match answer.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(walked, up);
    // A link is put in order by what it leads to, never by the id it holds.
    let link = |id: &str, title: &str| IndexedField {
        searchable: false,
        column: true,
        ..keyword("kept", &format!("{id}{title}"))
    };
    let mut bench = Bench::new();
    bench.put(&[
        with("1", vec![link("a", "z"), text("kept", "Zinc room", None)]),
        with("2", vec![link("b", "a"), text("kept", "Attic", None)]),
    ]);
    assert_eq!(order(&bench, &everything("sort:kept")), ["2", "1"]);
    let own = with(
        "3",
        vec![field(
            "where",
            vec![Value::Place {
                latitude: 1.0,
                longitude: 2.0,
            }],
        )],
    );
    bench.put(&[own]);
    let hints = bench.ask(&everything("sort:where")).unwrap().hints;
    assert!(hints[0].contains("cannot be put in order by \"where\""), "{hints:?}");
}

/// Of two words the rarer one weighs more. How rare a word is among what is hidden tells nothing.
#[test]
fn what_is_hidden_moves_no_order_by_relevance() {
    let own = |id: &str, note: &str| with(id, vec![text("note", note, None)]);
    let public = || Visibility {
        public: Terms::Any(vec!["public".to_owned()]),
        members: Terms::Any(vec![]),
        restricted: Terms::Any(vec![]),
    };
    let mut bench = Bench::new();
    bench.put(&[own("a", "ludovica"), own("b", "rosamund"), own("c", "rosamund")]);
    let ask = |bench: &Bench| order(bench, &question("ludovica | rosamund", public()));
    assert_eq!(ask(&bench), ["a", "b", "c"]);
    let hidden: Vec<Document> = (0..50)
        .map(|n| Document {
            visible: [vec![], vec!["members".to_owned()], vec![]],
            ..own(&format!("hidden{n}"), "ludovica")
        })
        .collect();
    bench.put(&hidden);
    assert_eq!(
        ask(&bench),
        ["a", "b", "c"],
        "fifty hidden ones make the word no less rare"
    );
    let all = order(&bench, &everything("ludovica | rosamund"));
    assert_eq!(all[..2], ["b", "c"], "to who sees them, they do");
}
