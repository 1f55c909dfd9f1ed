//! Words in their forms, codes, scripts without spaces, what means the same, what is written otherwise, places and units:
//! a table of questions over documents of several languages.

use super::super::stem::Stems;
use super::*;

pub(super) fn text(name: &str, value: &str, tongue: Option<Tongue>) -> IndexedField {
    IndexedField {
        column: false,
        tongue,
        ..field(name, vec![Value::Text(value.to_owned())])
    }
}

pub(super) fn titled(id: &str, title: &str, tongue: Tongue, mut fields: Vec<IndexedField>) -> Document {
    fields.push(text("title", title, Some(tongue)));
    Document {
        title: title.to_owned(),
        ..with(id, fields)
    }
}

fn place(latitude: f64, longitude: f64, level: Level) -> IndexedField {
    IndexedField {
        level,
        ..field("where", vec![Value::Place { latitude, longitude }])
    }
}

fn house() -> Bench {
    let mut bench = Bench::new();
    bench.put(&[
        titled(
            "en",
            "Paintings of two houses",
            Tongue::English,
            vec![
                keyword("number", "A/B-12"),
                field("weight_kg", vec![Value::Real(2.5)]),
                place(59.33, 18.07, Level::Public),
            ],
        ),
        titled(
            "fr",
            "Assiettes et théières",
            Tongue::French,
            vec![keyword("number", "1979-12-06")],
        ),
        titled(
            "de",
            "Häuser am großen Fluß",
            Tongue::German,
            vec![keyword("number", "79.66.115")],
        ),
        titled(
            "sv",
            "Målningar från Skåne",
            Tongue::Swedish,
            vec![place(55.6, 13.0, Level::Public)],
        ),
    ]);
    bench.put(&[
        titled(
            "es",
            "Canciones y pinturas",
            Tongue::Spanish,
            vec![keyword("number", "79.66.1150")],
        ),
        titled(
            "it",
            "Quadri antichi",
            Tongue::Italian,
            vec![place(59.86, 17.64, Level::Restricted)],
        ),
        titled(
            "nl",
            "Schilderijen van œuvres",
            Tongue::Dutch,
            vec![keyword("sofa", "A settee of oak")],
        ),
        titled("ja", "東京の茶碗", Tongue::English, vec![keyword("number", "12-B")]),
        titled(
            "plain",
            "The sofa",
            Tongue::English,
            vec![field("weight_kg", vec![Value::Integer(40)])],
        ),
        Document {
            type_name: "other".to_owned(),
            ..titled("other", "A couch", Tongue::English, vec![])
        },
    ]);
    let named = |path: &str, called: &[&str], unit: Option<&str>| NamedField {
        path: path.to_owned(),
        level: Level::Public,
        called: called.iter().map(|name| (*name).to_owned()).collect(),
        unit: unit.and_then(Unit::find),
        weight: 0.0,
    };
    bench.lexicon = Arc::new(Lexicon {
        types: vec![
            NamedType {
                name: "object".to_owned(),
                called: vec!["object".to_owned(), "thing".to_owned()],
                fields: vec![
                    named("weight_kg", &["weight_kg", "weight"], Some("kg")),
                    named("number", &["number", "nummer"], None),
                ],
                tree: None,
                synonyms: Synonyms::new([vec!["sofa", "couch", "settee"]]),
            },
            NamedType {
                name: "other".to_owned(),
                ..NamedType::default()
            },
        ],
    });
    bench
}

#[test]
fn a_table_of_questions() {
    let bench = house();
    for (question, want) in [
        // Forms of words, each by its language.
        ("painting", "en"),
        ("house", "en"),
        ("houses painting", "en"),
        ("assiette", "fr"),
        ("THÉIÈRE", "fr"),
        ("theieres", "fr"),
        ("haus", "de"),
        ("häusern", "de"),
        ("fluss", "de"),
        ("grosse", "de"),
        ("målning", "sv"),
        ("malningar", "sv"),
        ("canción", "es"),
        ("pintura", "es"),
        ("quadro", "it"),
        ("antico", "it"),
        ("schilderij", "nl"),
        ("oeuvres", "nl"),
        ("œuvres", "nl"),
        // A phrase is as it is written.
        ("\"two houses\"", "en"),
        ("\"two house\"", ""),
        ("\"paintings houses\"~2", "en"),
        ("\"paintings houses\"~1", ""),
        ("paint*", "en"),
        ("\"two hou*\"", "en"),
        ("*ning*", "sv"),
        ("title:*houses", "en"),
        // Codes, whole and by part.
        ("A/B-12", "en"),
        ("a/b", "en"),
        ("B-12", "en"),
        ("12-B", "ja"),
        ("1979-12-06", "fr"),
        ("1979-12", "fr"),
        ("79.66.115", "de"),
        ("79.66", "de es"),
        ("79.66.115*", "de es"),
        ("number:\"79.66.115\"", "de"),
        ("number:=79.66.115", "de"),
        ("number:=79.66", ""),
        ("nummer:79.66", "de es"),
        // Scripts without spaces, by one character and by several.
        ("東京", "ja"),
        ("茶", "ja"),
        ("東茶", ""),
        ("京の", "ja"),
        ("東京の", "ja"),
        ("東京の茶碗", "ja"),
        ("\"東京\"", "ja"),
        ("\"東京の茶\"", "ja"),
        ("東京 茶碗", "ja"),
        ("東の", ""),
        ("京茶", ""),
        ("東京都", ""),
        ("東京*", "ja"),
        ("*茶*", "ja"),
        ("title:茶碗", "ja"),
        // What means the same, in documents of that type only.
        ("sofa", "nl plain"),
        ("couch", "nl other plain"),
        ("settee -oak", "plain"),
        // Another spelling, where nothing is written so.
        ("paintigns", "en"),
        ("schildrijen", "nl"),
        ("paintings~", "en"),
        ("hauser~", "de"),
        ("zzzz", ""),
        ("-paintigns", "de en es fr it ja nl other plain sv"),
        // Units and places.
        ("weight:>3000g", "plain"),
        ("weight:<3000g", "en"),
        ("weight_kg:2.5", "en"),
        ("weight:2500g", "en"),
        ("weight:1..50", "en plain"),
        ("near:59.3,18.0~10km", "en"),
        ("near:59.3,18.0~100km", "en it"),
        ("near:59.3,18.0~700km -near:59.3,18.0~100km", "sv"),
        // Fields by their other names, types, what is given.
        ("type:thing -title:*", ""),
        ("type:other", "other"),
        ("Weight:*", "en plain"),
        ("number:* -weight:*", "de es fr ja"),
        ("id:ja", "ja"),
        ("created:1970", "de en es fr it ja nl other plain sv"),
        ("created>1970", ""),
        ("(quadri | canciones) -pinturas", "it"),
    ] {
        assert_eq!(bench.ids(question).join(" "), want, "{question}");
    }
}

#[test]
fn what_is_written_otherwise_is_told_and_ranks_below() {
    let bench = house();
    let answer = bench.ask(&everything("paintigns of")).unwrap();
    assert!(answer.hints[0].contains("paintings"), "{:?}", answer.hints);
    assert_eq!(answer.instead.as_deref(), Some("paintings of"));
    assert_eq!(bench.ask(&everything("paintings")).unwrap().instead, None);
    let mut bench = Bench::new();
    bench.put(&[
        titled("alike", "Teapat", Tongue::English, vec![]),
        titled("form", "Teapots", Tongue::English, vec![]),
        titled("note", "Cup", Tongue::English, vec![text("note", "a teapot", None)]),
        titled("same", "Teapot", Tongue::English, vec![]),
        titled("more", "Teapot teapot teapot of teapots", Tongue::English, vec![]),
    ]);
    let order = |question: &str| -> Vec<String> {
        let hits = bench.ask(&everything(question)).unwrap().hits;
        hits.into_iter().map(|hit| hit.id).collect()
    };
    assert_eq!(order("teapot")[0], "same", "what is called so comes first");
    assert_eq!(order("teapot").len(), 4);
    let fuzzy = order("teapot~");
    assert_eq!(fuzzy.last().map(String::as_str), Some("alike"), "{fuzzy:?}");
    let typing = Query {
        typing: true,
        ..everything("cup teap")
    };
    assert_eq!(bench.ask(&typing).unwrap().total, 1);
    assert_eq!(
        bench
            .ask(&everything("cup teap"))
            .unwrap()
            .understood
            .unwrap()
            .to_string(),
        "cup AND teap"
    );
}

#[test]
fn hidden_words_and_places_are_neither_found_nor_told() {
    let bench = house();
    let public = Visibility::up_to(Level::Public);
    let ask = |question_text: &str| bench.ask(&question(question_text, public.clone())).unwrap();
    assert_eq!(ask("near:59.86,17.64~5km").total, 0);
    assert_eq!(ask("-near:59.86,17.64~5km").total, 10);
    let mut bench = Bench::new();
    let mut hidden = titled("hidden", "Rosamund", Tongue::English, vec![]);
    hidden.visible = [vec![], vec!["members".to_owned()], vec![]];
    let mut restricted = text("donor", "Ludovica", None);
    restricted.level = Level::Restricted;
    bench.put(&[hidden, with("open", vec![restricted, keyword("name", "cup")])]);
    let public = Visibility {
        restricted: Terms::Any(vec![]),
        members: Terms::Any(vec![]),
        public: Terms::Any(vec!["public".to_owned()]),
    };
    for typed in [
        "Rosamund",
        "Rosamond",
        "Ludovica",
        "Ludovika",
        "Ludovica~",
        "donor:Ludovika",
        "*udov*",
        "ludo*",
    ] {
        let answer = bench.ask(&question(typed, public.clone())).unwrap();
        assert_eq!((answer.total, answer.instead), (0, None), "{typed}");
        let hints = answer.hints.join(" ").to_lowercase();
        assert!(
            !hints.contains("rosamund") && !hints.contains("ludovica:") && !hints.contains(": ludovica"),
            "{hints}"
        );
    }
    let all = bench.ask(&everything("Ludovika")).unwrap();
    assert_eq!((all.total, all.instead.as_deref()), (1, Some("ludovica")));
    // A field that is hidden is not there, also by its other names, and orders nothing.
    bench.lexicon = Arc::new(Lexicon {
        types: vec![NamedType {
            name: "object".to_owned(),
            fields: vec![NamedField {
                path: "donor".to_owned(),
                level: Level::Restricted,
                called: vec!["donor".to_owned(), "giver".to_owned()],
                unit: None,
                weight: 0.0,
            }],
            ..NamedType::default()
        }],
    });
    for typed in ["giver:*", "-giver:zzz", "sort:giver", "donor:*", "giver:>1"] {
        let answer = bench.ask(&question(typed, public.clone())).unwrap();
        assert!(answer.hints[0].contains("no field"), "{typed} {:?}", answer.hints);
    }
    assert!(bench.ask(&everything("giver:*")).unwrap().hints.is_empty());
}

#[test]
fn texts_are_ordered_as_people_expect() {
    let mut bench = Bench::new();
    let titles = ["Box 10", "The Apple", "box 2", "\"An Orange\"", "Ärmel", "7 cups"];
    for (n, title) in titles.iter().enumerate() {
        let mut field = field("title", vec![Value::Text((*title).to_owned())]);
        field.tongue = Some(Tongue::English);
        bench.put(&[with(&format!("{n}"), vec![field])]);
    }
    let order = |question: &str| -> Vec<String> {
        let mut query = everything(question);
        query.limit = 2;
        let mut ids = Vec::new();
        loop {
            let answer = bench.ask(&query).unwrap();
            ids.extend(answer.hits.into_iter().map(|hit| hit.id));
            match answer.next {
                Some(next) => query.cursor = Some(next),
                None => return ids,
            }
        }
    };
    let up = ["5", "1", "4", "2", "0", "3"];
    assert_eq!(order("sort:title"), up);
    let mut down = up;
    down.reverse();
    assert_eq!(order("sort:-title"), down);
    assert_eq!(order("sort:title box"), ["2", "0"]);
    let hints = |question: &str| bench.ask(&everything(question)).unwrap().hints;
    assert!(hints("sort:title").is_empty() && hints("sort:-created").is_empty());
    // Each alphabet has its letters where it has them.
    let mut bench = Bench::new();
    for name in ["Ölund", "Zorn", "Åberg", "Adam", "Äng"] {
        let mut field = field("name", vec![Value::Text(name.to_owned())]);
        field.tongue = Some(Tongue::Swedish);
        bench.put(&[with(name, vec![field])]);
    }
    let hits = bench.ask(&everything("sort:name")).unwrap().hits;
    let ids: Vec<&str> = hits.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!(ids, ["Adam", "Zorn", "Åberg", "Äng", "Ölund"]);
}

#[test]
fn the_values_of_a_facet_are_looked_through() {
    let mut bench = Bench::new();
    let docs: Vec<Document> = (0..3_000)
        .map(|n| {
            with(
                &format!("{n:04}"),
                vec![keyword("k", &format!("Wert Nr. {n} {}", "x".repeat(60)))],
            )
        })
        .collect();
    let (first, second) = docs.split_at(1_700);
    bench.put(first);
    bench.put(second);
    bench.put(&[with("z", vec![keyword("k", &format!("{} Ä-Ende", "y".repeat(80)))])]);
    let mut query = everything("");
    let values = |request: FacetRequest, query: &mut Query| {
        query.facets = vec![request];
        bench.ask(query).unwrap().facets.remove(0)
    };
    let found = values(FacetRequest::holding("k", "NR. 299", 5), &mut query);
    assert_eq!((found.field.as_str(), found.values.len(), found.distinct), ("k", 5, 11));
    let found = values(FacetRequest::holding("k", "a-ende", 5), &mut query);
    assert_eq!((found.values.len(), found.distinct), (1, 1));
    assert_eq!(values(FacetRequest::holding("k", "", 5), &mut query).distinct, 3_001);
    query.filters = vec![only("k", found.values[0].value.as_deref())];
    assert_eq!(values(FacetRequest::holding("k", "nr. 7", 5), &mut query).distinct, 111);
}

#[test]
fn stems_are_the_same_for_texts_and_questions() {
    let mut stems = Stems::new(Tongue::English);
    assert_eq!(stems.stem("paintings"), stems.stem("painted"));
}
