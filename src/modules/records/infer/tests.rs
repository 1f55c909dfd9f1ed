//! What files become. Each rule has its smallest example; whole collections follow where they are at hand.

use serde_json::{Map, Value, json};

use super::infer;
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::modules::records::model::{definition, validate};

fn of(rows: &[Value], key: Option<&str>, cells: bool) -> RecordType {
    let mut inference = infer("thing", key, cells);
    for row in rows {
        inference.observe(row.as_object().unwrap());
    }
    let inferred = inference.finish();
    assert_eq!(
        definition::check(&inferred),
        vec![],
        "an inferred type is always a sound one"
    );
    inferred
}

fn field<'a>(inferred: &'a RecordType, name: &str) -> &'a Field {
    inferred.fields.iter().find(|f| f.name == name).unwrap()
}

#[track_caller]
fn column(cells: &[&str], want: FieldKind) {
    let rows: Vec<Value> = cells.iter().map(|c| json!({ "size": c })).collect();
    assert_eq!(field(&of(&rows, None, true), "size").kind, want, "{cells:?}");
}

#[test]
fn a_kind_prints_back_or_is_text() {
    column(&["1", "2", "-30"], FieldKind::Integer);
    column(&["1", "007"], FieldKind::Text);
    column(&["1", "+1"], FieldKind::Text);
    column(&["1", "1.5", "1.0", "-0.25"], FieldKind::Number);
    column(&["1.50"], FieldKind::Text);
    column(&["1e3"], FieldKind::Text);
    column(&["9223372036854775808", "1"], FieldKind::Text);
    column(&["0.1234567890123456789"], FieldKind::Text);
    column(&["true", "false"], FieldKind::Boolean);
    column(&["True", "False"], FieldKind::Text);
    column(&["1979", "1979-12", "1979-12-06"], FieldKind::Date);
    column(&["1979-13", "1979"], FieldKind::Text);
    column(
        &["2020-05-30T04:57:37+02:00", "2020-06-01T11:41:41+02:00"],
        FieldKind::Date,
    );
    column(&["-2995-01-25", "1200-12-24"], FieldKind::Date);
    column(&["http://a.example/1", "https://b.example/2"], FieldKind::Url);
    column(&["39.1", "NA"], FieldKind::Text);
    column(&["NaN", "inf"], FieldKind::Text);
}

#[test]
fn a_vocabulary_is_few_values_among_many() {
    let rows: Vec<Value> = (0..60)
        .map(|n| json!({ "kind": (["bowl", "vase", "chair"][n % 3]), "note": format!("note {n} of a bowl") }))
        .collect();
    let inferred = of(&rows, None, true);
    assert_eq!(
        (field(&inferred, "kind").kind, field(&inferred, "kind").facet),
        (FieldKind::Term, true)
    );
    assert_eq!(
        (field(&inferred, "note").kind, field(&inferred, "note").facet),
        (FieldKind::Text, false)
    );
    assert_eq!(inferred.key, None, "sentences are no identifiers");
}

#[test]
fn identifiers_are_text_and_the_key_is_found_or_given() {
    let rows: Vec<Value> = (0..40)
        .map(|n| json!({ "ObjectID": n, "accession_number": format!("79.{n}"), "year": 1900 + n }))
        .collect();
    let inferred = of(&rows, None, false);
    assert_eq!(field(&inferred, "ObjectID").kind, FieldKind::Identifier);
    assert_eq!(inferred.key.as_deref(), Some("ObjectID"));
    assert!(field(&inferred, "ObjectID").unique && field(&inferred, "ObjectID").required);
    assert_eq!(field(&inferred, "year").kind, FieldKind::Integer);
    let given = of(&rows, Some("accession_number"), false);
    assert_eq!(given.key.as_deref(), Some("accession_number"));
    assert_eq!(field(&given, "accession_number").kind, FieldKind::Identifier);
    let mut twice = rows;
    twice.push(json!({ "ObjectID": 3, "accession_number": "79.900" }));
    assert_eq!(
        of(&twice, None, false).key.as_deref(),
        Some("accession_number"),
        "a value that repeats is no key"
    );
}

#[test]
fn groups_lists_and_what_fields_cannot_hold() {
    let rows = [
        json!({ "maker": [{ "name": "A", "born": null }], "tags": ["x"], "mixed": 5, "deep": [[1]], "holes": [null, "a"], "none": null, "empty": [] }),
        json!({ "maker": [{ "name": "B", "born": "1850" }, { "name": "C" }], "tags": "y", "mixed": "five", "deep": [], "holes": [], "bag": {} }),
    ];
    let inferred = of(&rows, None, false);
    let maker = field(&inferred, "maker");
    assert_eq!(
        (maker.kind, maker.repeated, maker.fields.len()),
        (FieldKind::Group, true, 2)
    );
    assert!(
        field(&inferred, "tags").repeated,
        "one value and a list of them are a list"
    );
    for name in ["mixed", "deep", "holes", "none", "bag"] {
        assert_eq!(
            (field(&inferred, name).kind, field(&inferred, name).repeated),
            (FieldKind::Text, false),
            "{name}"
        );
    }
    assert_eq!(
        (field(&inferred, "empty").kind, field(&inferred, "empty").repeated),
        (FieldKind::Text, true)
    );
}

#[test]
fn a_map_of_thousands_is_data_and_not_fields() {
    let many: Map<String, Value> = (0..3_000).map(|n| (format!("image-{n}"), json!({ "w": n }))).collect();
    let inferred = of(
        &[
            json!({ "images": many, "title": "A" }),
            json!({ "images": { "1": {} }, "a.b": 1, "a": { "b": 2 } }),
        ],
        None,
        false,
    );
    assert_eq!(field(&inferred, "images").kind, FieldKind::Text);
    assert_eq!(
        field(&inferred, "a").kind,
        FieldKind::Text,
        "its path would be that of another field"
    );
}

#[test]
fn titles_and_columns_make_a_table() {
    let rows: Vec<Value> = (0..30)
        .map(|n| json!({ "id": format!("c:{n}"), "medium": format!("oil {n}"), "title": format!("View {n}"), "date": "c. 1880", "department": (["A", "B"][n % 2]) }))
        .collect();
    let inferred = of(&rows, Some("id"), false);
    assert_eq!(inferred.title.as_deref(), Some("title"));
    for name in ["title", "date", "department"] {
        assert!(field(&inferred, name).column, "{name}");
    }
}

/// `(name of the column, what stands in row n)`
type Column = (&'static str, fn(usize) -> String);

const NAMES: [&str; 5] = [
    "Schale mit Fuß",
    "Teller, blau",
    "Große Vase",
    "Kanne",
    "Deckeldose mit Vögeln",
];

fn called(n: usize) -> String {
    format!("{} von Blatt {n}", NAMES[n % 5])
}
fn plain(n: usize) -> String {
    n.to_string()
}
fn material(n: usize) -> String {
    ["Ton", "Holz", "Glas"][n % 3].to_owned()
}

/// Tables as houses of several languages keep them: which column becomes the key, and which the title.
const HOUSES: [(&[Column], Option<&str>, Option<&str>); 12] = [
    (
        &[
            ("Inventar", |n| format!("K {}-{n}", 1900 + n)),
            ("Bezeichnung", called),
            ("Material", material),
        ],
        Some("Inventar"),
        Some("Bezeichnung"),
    ),
    (
        &[
            ("Inv.-Nr.", |n| format!("{}/{n:03} a", 1950 + n % 9)),
            ("Titel", called),
        ],
        Some("Inv.-Nr."),
        Some("Titel"),
    ),
    (
        &[
            ("N\u{b0} d'inventaire", |n| format!("2001.{n}.1")),
            ("Titre de l'\u{153}uvre", called),
        ],
        Some("N\u{b0} d'inventaire"),
        Some("Titre de l'\u{153}uvre"),
    ),
    (
        &[
            ("N\u{fa}mero de inventario", |n| format!("CE{n:05}")),
            ("Autor", called),
            ("Nombre del objeto", material),
        ],
        Some("N\u{fa}mero de inventario"),
        Some("Nombre del objeto"),
    ),
    (
        &[
            ("artist_id", |n| format!("a{n}")),
            ("accession number", |n| format!("79.{n}")),
            ("Title", called),
        ],
        Some("accession number"),
        Some("Title"),
    ),
    (
        &[
            ("ObjectID", plain),
            ("AccessionNumber", |n| format!("79.{n}")),
            ("ObjectName", called),
        ],
        Some("ObjectID"),
        Some("ObjectName"),
    ),
    // Nothing is named like a title: words that differ from row to row are one, times and names of files are none.
    (
        &[
            ("mediaID", |n| format!("x{n}")),
            ("taken", |n| format!("2020-05-30T04:57:{n:02}+02:00")),
            ("file", |n| format!("2020-RCNX{n}.JPG")),
        ],
        Some("mediaID"),
        Some("mediaID"),
    ),
    (&[("Lfd", plain), ("Was", called), ("Wo", material)], None, Some("Was")),
    (
        &[("Vorname", called), ("Nachname", called), ("Beruf", material)],
        None,
        Some("Vorname"),
    ),
    // A value that repeats, or is missing, is no key.
    (
        &[("Inventar", |n| format!("K {}", n % 39)), ("Bezeichnung", called)],
        None,
        Some("Bezeichnung"),
    ),
    (
        &[
            ("Inventar", |n| if n == 7 { String::new() } else { format!("K {n}") }),
            ("Bezeichnung", called),
        ],
        None,
        Some("Bezeichnung"),
    ),
    (
        &[("Anzahl", plain), ("Nummer der Kiste", |n| format!("{}", n % 4))],
        None,
        None,
    ),
];

#[test]
fn key_and_title_are_found_in_tables_of_many_houses() {
    for (columns, key, title) in HOUSES {
        let mut inference = infer("objects", None, true);
        for n in 0..40 {
            let row: Map<String, Value> = columns
                .iter()
                .map(|(name, of)| ((*name).to_owned(), json!(of(n))))
                .collect();
            inference.observe(&row);
        }
        // Every file ends with the names of its columns, which are no row.
        inference.name(&columns.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
        let inferred = inference.finish();
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            (inferred.key.as_deref(), inferred.title.as_deref()),
            (key, title),
            "{names:?}"
        );
    }
}

/// Every document of a collection is what the type inferred from it says.
#[test]
fn a_carnegie_object_fits_its_type() {
    let object = |n: usize| {
        json!({
            "title": (!n.is_multiple_of(50)).then(|| format!("Teapot {n}")), "creation_date": "c. 1860", "creation_date_latest": "-0500-01-01",
            "accession_number": format!("79.66.{n}"), "id": format!("cmoa:things/{n}"), "department": (["Fine Arts", "Photography"][n % 2]),
            "item_width": n as f64 + 0.5, "item_depth": 0.0, "web_url": format!("http://collection.example/?item={n}"),
            "classification": (["Textiles", "containers", "prints"][n % 3]), "images": if n.is_multiple_of(7) { json!(null) } else { json!([]) },
            "creator": [{ "artist_id": format!("cmoa:parties/{}", n % 40), "nationality": (["Austrian", "French"][n % 2]), "role": null, "birth_date": "1840-01-01" }],
        })
    };
    let rows: Vec<Value> = (1..=200).map(object).collect();
    let inferred = of(&rows, Some("id"), false);
    for row in &rows {
        assert_eq!(validate::validate(&inferred, row.as_object().unwrap()), vec![]);
    }
    let creator = field(&inferred, "creator");
    let facets: Vec<&str> = inferred
        .fields
        .iter()
        .chain(&creator.fields)
        .filter(|f| f.facet)
        .map(|f| f.name.as_str())
        .collect();
    assert_eq!(facets, ["department", "classification", "nationality"]);
    assert_eq!(creator.fields[0].kind, FieldKind::Identifier);
    assert_eq!(field(&inferred, "creation_date_latest").kind, FieldKind::Date);
    assert_eq!(field(&inferred, "item_width").kind, FieldKind::Number);
    assert_eq!(field(&inferred, "web_url").kind, FieldKind::Url);
    assert_eq!(inferred.title.as_deref(), Some("title"));
}
