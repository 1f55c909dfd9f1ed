//! The language of the search box over the sample collection: each question with the records it must find, worked out from
//! the files themselves by other means: another reading of the language, without an index. And what is written in the manual, which must find something and be understood.

mod bad;

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use vitrine::both;
use vitrine::kernel::ledger;
use vitrine::kernel::testing::{TestApp, TestDb};

both!(every_question_finds_what_it_says, conditions_within_conditions);

/// An index that is not there by then never will be.
const PATIENCE: Duration = Duration::from_secs(60);

enum Found {
    /// The accession numbers.
    Ids(&'static [&'static str]),
    /// How many, and the digest of what each is: of an object its accession number, of a penguin what was measured.
    Many(u64, &'static str),
}
use Found::{Ids, Many};

const QUESTIONS: &[(&str, Found)] = &[
    ("tea caddy", Ids(&["69.49.2.A-B", "71.14.4"])),
    ("TEA CADDY", Ids(&["69.49.2.A-B", "71.14.4"])),
    ("\"tea caddy\"", Ids(&["69.49.2.A-B", "71.14.4"])),
    ("\"caddy tea\"", Ids(&[])),
    ("candlestick", Many(6, "253dfb02")),
    ("candlesticks", Many(6, "253dfb02")),
    ("candlest*", Many(6, "253dfb02")),
    ("*stick*", Many(9, "dee24e80")),
    ("*stick", Many(8, "e24cc13e")),
    ("c*stick", Many(6, "253dfb02")),
    ("title:*stick*", Many(9, "dee24e80")),
    ("vase -blue", Many(7, "e5ae9578")),
    ("vase NOT blue", Many(7, "e5ae9578")),
    ("vase -(blue | white)", Many(7, "e5ae9578")),
    ("vase | bowl", Many(15, "cce804c8")),
    ("vase|bowl", Many(15, "cce804c8")),
    ("vase OR bowl", Many(15, "cce804c8")),
    ("(vase | bowl) glass", Ids(&[])),
    ("vase glass OR bowl silver", Ids(&["74.47.1"])),
    ("title:(vase | bowl)", Many(14, "a4fc76b6")),
    ("title:vase,bowl", Many(14, "a4fc76b6")),
    ("title:vase title:blue", Ids(&[])),
    ("title: vase", Many(7, "e5ae9578")),
    ("\"pâte de cristal\"", Ids(&["74.47.1"])),
    ("pate cristal", Ids(&["74.47.1"])),
    ("kandler", Ids(&["70.7.42"])),
    ("KÄNDLER", Ids(&["70.7.42"])),
    ("durer", Ids(&["74.7.99"])),
    ("Dürer", Ids(&["74.7.99"])),
    ("koshiro", Ids(&["16.29.3", "89.28.721.6"])),
    ("funèbre", Ids(&["2004.55"])),
    ("79.66.115", Ids(&["79.66.115"])),
    ("79.66", Ids(&["79.66.115", "79.66.139", "79.66.140", "79.66.78"])),
    ("79.66.1*", Ids(&["79.66.115", "79.66.139", "79.66.140"])),
    ("89.28.5*", Ids(&["89.28.523", "89.28.525.3", "89.28.564"])),
    ("accession_number:79.66.115", Ids(&["79.66.115"])),
    ("accession_number:\"79.66.115\"", Ids(&["79.66.115"])),
    ("\"Accession number\":79.66.115", Ids(&["79.66.115"])),
    ("accession_number:89.28", Many(32, "fa46b10d")),
    ("1998.24.14.G", Ids(&["1998.24.14.G"])),
    ("date_acquired:1979-12-06", Many(7, "fde1381c")),
    ("date_acquired:1979-12", Many(7, "fde1381c")),
    ("date_acquired:1979", Many(9, "054255b8")),
    ("date_acquired:1970s", Many(61, "33c84321")),
    ("date_acquired:197x", Many(61, "33c84321")),
    ("Acquired:1979-12", Many(7, "fde1381c")),
    ("creation_date_earliest:1850..1859", Many(13, "514f5cce")),
    ("creation_date_earliest:1850s", Many(13, "514f5cce")),
    ("creation_date_earliest:..1700", Many(38, "2abb9be4")),
    ("creation_date_earliest:1990..", Many(28, "eb543e46")),
    ("creation_date_earliest:>1990", Many(27, "3665b15f")),
    ("creation_date_earliest>1990", Many(27, "3665b15f")),
    ("creation_date_earliest:>=1990", Many(28, "eb543e46")),
    ("creation_date_earliest:<1700", Many(33, "596b2d8b")),
    ("creation_date_earliest:<=1700", Many(38, "2abb9be4")),
    ("creation_date_earliest:c.1850", Many(16, "e06cc979")),
    ("creation_date_earliest:1800s", Many(93, "259590cf")),
    ("creation_date_earliest:18xx", Many(93, "259590cf")),
    ("\"Earliest date\":1850s", Many(13, "514f5cce")),
    ("-creation_date_earliest:*", Many(352, "8719e771")),
    ("-date_acquired:* type:carnegie-object", Many(7, "04135a33")),
    ("date_acquired:*", Many(392, "b1006459")),
    ("type:carnegie-object -date_acquired:*", Many(7, "04135a33")),
    ("type:penguin", Many(344, "9f203857")),
    ("type:\"Art object\" vase", Many(7, "e5ae9578")),
    ("type:penguin vase", Ids(&[])),
    ("creator.nationality:Japanese", Many(40, "9aaa13ac")),
    ("creator.nationality:Japanese,French", Many(68, "e7f59264")),
    ("Nationality:Dutch", Many(15, "817d7a49")),
    ("nationality:dutch,italian -prints", Many(12, "f7989bdf")),
    ("classification:=prints", Many(139, "dc8aa8ad")),
    ("classification:\"prints\"", Many(139, "dc8aa8ad")),
    ("classification:Ceramics department:\"Fine Arts\"", Ids(&[])),
    ("classification:ceramics | classification:metals", Many(43, "d90d6e3b")),
    (
        "-classification:prints -classification:photographs type:carnegie-object -classification:\"drawings and watercolors\"",
        Many(128, "ba8a3643"),
    ),
    ("creator.full_name:goya", Ids(&["61.10.4"])),
    ("\"oil on canvas\"", Many(14, "aa99b4c4")),
    ("\"canvas oil\"", Ids(&[])),
    ("\"color lithograph\"", Ids(&["18.5", "1997.19.1", "56.21.9"])),
    ("medium:\"gelatin silver print\"", Many(49, "746f0883")),
    ("medium:\"oil on canvas\"", Many(14, "aa99b4c4")),
    ("medium:woodc*", Many(17, "13ba10a9")),
    ("medium:*graph", Many(23, "c34d79a0")),
    ("portrait etching", Ids(&[])),
    ("house -pittsburgh", Many(10, "ed9904fc")),
    ("provenance_text:austin date_acquired:1989", Many(32, "fa46b10d")),
    ("credit_line:\"Anonymous Gift\"", Many(8, "01b4eb6d")),
    ("item_height:>60", Many(11, "9b139159")),
    ("item_height>60", Many(11, "9b139159")),
    ("item_height:>=60", Many(11, "9b139159")),
    ("item_height:13", Ids(&["79.66.115"])),
    ("item_height:2m..", Many(7, "52573860")),
    ("item_height:>150cm", Many(11, "9b139159")),
    ("item_width:1..2 type:carnegie-object", Many(7, "108dcd46")),
    ("\"Height, inches\":>60", Many(11, "9b139159")),
    ("body_mass_g:>6000", Many(2, "02418135")),
    ("body_mass_g:>6kg", Many(2, "02418135")),
    ("body_mass_g:<2.8kg", Many(1, "22c90cf3")),
    ("bill_length_mm:>5.5cm", Many(5, "4fcf4761")),
    ("species:Gentoo year:2007 sex:female", Many(16, "843e45cd")),
    ("species:Adelie island:Biscoe", Many(44, "48d08798")),
    ("species:Adelie,Chinstrap island:Dream year:2008", Many(34, "37cde01f")),
    ("Gentoo -sex:*", Many(5, "3131a344")),
    ("species:gent*", Many(124, "6e5ca9cd")),
    ("year:2007..2008 species:chinstrap", Many(44, "1cb3bd10")),
    ("year:<2008 island:Torgersen", Many(20, "a13a5508")),
    ("flipper_length_mm:230,231", Many(8, "269b76a3")),
    (
        "(species:gentoo body_mass_g:>6000) | (species:adelie body_mass_g:<2900)",
        Many(4, "bd63e1a9"),
    ),
    (
        "-species:gentoo -species:adelie -species:chinstrap (tea caddy)",
        Ids(&["69.49.2.A-B", "71.14.4"]),
    ),
    ("NOT (species:* | classification:*)", Ids(&[])),
    ("untitled photogra*", Ids(&["2015.40.10", "2015.47.7"])),
    ("pittsburgh bridge", Ids(&["42.7.7", "69.48.250"])),
    ("the three maries", Ids(&["2016.4.97"])),
    ("\"three maries\"", Ids(&["2016.4.97"])),
    ("tres mariae | \"hidden idol\"", Ids(&["2016.4.97", "82.34"])),
    ("((vase))", Many(7, "e5ae9578")),
    ("vase AND glass", Ids(&[])),
    ("vase && glass", Ids(&[])),
    ("+vase +glass", Ids(&[])),
    ("etchings", Many(23, "ec4193df")),
    ("paint*", Many(20, "6b9c12ca")),
    ("sculptures bronze", Ids(&["2016.18.9", "70.32.2604"])),
    ("created>today-1d tea caddy", Ids(&["69.49.2.A-B", "71.14.4"])),
    ("created<today-1d", Ids(&[])),
    ("updated:today tea caddy", Ids(&["69.49.2.A-B", "71.14.4"])),
    ("created:2001", Ids(&[])),
    ("zzzzqqqq", Ids(&[])),
    (
        "-vase type:carnegie-object creation_date_earliest:1920s",
        Many(27, "3c2da22e"),
    ),
    ("title:=Bowl", Ids(&["70.32.570.A-B", "74.47.1"])),
    ("==BOWL", Ids(&["70.32.570.A-B", "74.47.1"])),
    ("=candlesticks", Ids(&[])),
    ("\"*l on canv*\"", Many(14, "aa99b4c4")),
    ("title:\"*ee mar*\"", Ids(&["2016.4.97"])),
    ("title:\"bowl\" classification:glass", Ids(&[])),
];

async fn with_samples(db: &TestDb) -> TestApp {
    let app = TestApp::start(db).await;
    let exchange = app.bus().port::<dyn vitrine::contract::exchange::Exchange>().unwrap();
    exchange.load_samples().await.unwrap();
    app.drain_jobs().await;
    // An answer waits for two seconds only; a busy machine may need longer for all of it.
    let head = ledger::head(db).await.unwrap();
    assert!(app.kernel().search.wait_for(head, PATIENCE).await.unwrap());
    let all = app.get_anonymous("/api/search?limit=0").await.ok().json();
    assert_eq!(all["total"], 743);
    app
}

fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    format!("{path}?{}", serde_html_form::to_string(pairs).unwrap())
}

fn numbers(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().unwrap().iter();
    let number = |item: &Value| item["fields"]["accession_number"].as_str().unwrap_or("-").to_owned();
    let mut numbers: Vec<String> = items.map(number).collect();
    numbers.sort();
    numbers
}

/// What a record is known by, whoever numbers it.
fn name_of(item: &Value) -> String {
    let fields = &item["fields"];
    if let Some(number) = fields["accession_number"].as_str() {
        return number.to_owned();
    }
    let word = |name: &str| fields[name].as_str().unwrap_or("-").to_owned();
    let measure = |name: &str| {
        let number = fields[name]
            .as_f64()
            .map(|number| ((number * 10.0).round() as i64).to_string());
        number.unwrap_or_else(|| "-".to_owned())
    };
    [
        word("species"),
        word("island"),
        measure("bill_length_mm"),
        measure("bill_depth_mm"),
        measure("flipper_length_mm"),
        measure("body_mass_g"),
        word("sex"),
        measure("year"),
    ]
    .join("/")
}

/// Everything a question finds, page by page, as one number.
async fn digest(app: &TestApp, question: &str) -> String {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let pairs = [
            ("q", question),
            ("limit", "200"),
            ("sort", "created"),
            ("cursor", cursor.as_str()),
        ];
        let page = app.get_anonymous(&address("/api/search", &pairs)).await.ok().json();
        names.extend(page["items"].as_array().unwrap().iter().map(name_of));
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    names.sort();
    let digest = Sha256::digest(names.join("\n"));
    hex::encode(&digest[..4])
}

async fn every_question_finds_what_it_says(db: TestDb) {
    let app = with_samples(&db).await;
    let mut wrong = Vec::new();
    assert!(QUESTIONS.len() >= 120);
    for (question, want) in QUESTIONS {
        let path = address("/api/search", &[("q", question), ("limit", "200")]);
        let answer = app.get_anonymous(&path).await.ok().json();
        let got = match want {
            Ids(ids) if numbers(&answer) != **ids => format!("{:?} instead of {ids:?}", numbers(&answer)),
            Many(count, _) if answer["total"] != *count => format!("{} instead of {count}", answer["total"]),
            Many(_, sum) if digest(&app, question).await != *sum => "as many, but others".to_owned(),
            _ => continue,
        };
        wrong.push(format!(
            "{question}: {got} ({} {})",
            answer["understood"], answer["hints"]
        ));
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        QUESTIONS.len(),
        wrong.join("\n")
    );
    // What is shown on the page is what the interface finds.
    let page = app
        .get_anonymous(&address("/search", &[("q", "vase -(blue | white)")]))
        .await
        .ok()
        .text();
    assert!(page.contains("7 records") && page.contains("without"), "{page}");
    every_sample_of_the_manual_is_true(&app).await;
}

/// The first column of the manual's tables, between backticks.
async fn every_sample_of_the_manual_is_true(app: &TestApp) {
    let manual = crate::guards::sources::files("assets/docs", &[".md"]);
    let (_, chapter) = manual
        .iter()
        .find(|(path, _)| path == "assets/docs/30-search.md")
        .unwrap();
    let rows = chapter.lines().filter_map(|line| line.strip_prefix("| `"));
    let samples: Vec<String> = rows
        .filter_map(|row| row.split_once("` |"))
        .map(|(sample, _)| sample.replace("\\|", "|"))
        .collect();
    assert!(samples.len() >= 30, "{samples:?}");
    for sample in samples {
        let answer = app
            .get_anonymous(&address("/api/search", &[("q", &sample)]))
            .await
            .ok()
            .json();
        assert!(answer["total"].as_u64().unwrap() > 0, "{sample} {answer}");
        // A word that stands nowhere is what that sample is about.
        assert!(
            answer.get("hints").is_none() || sample == "candelstick",
            "{sample} {answer}"
        );
    }
}

async fn conditions_within_conditions(db: TestDb) {
    let app = with_samples(&db).await;
    let ask = async |body: Value| app.post("/api/search", &body).await;
    let found = ask(json!({
        "type": "carnegie-object",
        "where": { "and": [
            { "or": [{ "word": { "text": "vase" } }, { "word": { "text": "bowl", "field": "title" } }] },
            { "not": { "phrase": { "text": "oil on canvas" } } },
            { "not": { "word": { "text": "blu", "how": "begin" } } }
        ] },
        "facets": ["classification"],
        "sort": "title",
        "limit": 3
    }))
    .await
    .ok()
    .json();
    let same = app
        .get_anonymous(&address(
            "/api/search",
            &[
                ("q", "(vase | title:bowl) -\"oil on canvas\" -blu*"),
                ("type", "carnegie-object"),
            ],
        ))
        .await
        .ok()
        .json();
    assert_eq!(found["total"], same["total"]);
    assert!(found["total"].as_u64().unwrap() > 3);
    assert_eq!(found["understood"], same["understood"]);
    assert!(found["facets"]["classification"][0]["count"].as_u64().unwrap() > 0);
    // What was understood can be asked again.
    let again = ask(json!({ "type": "carnegie-object", "where": same["understood"] }))
        .await
        .ok()
        .json();
    assert_eq!(again["total"], same["total"]);
    let mixed = ask(json!({
        "q": "vase",
        "where": { "text": "-blue" },
        "filters": { "classification": ["Ceramics", null] }
    }));
    let mixed = mixed.await.ok().json();
    let plain = app
        .get_anonymous("/api/search?q=vase+-blue&filter=classification:Ceramics&filter=classification")
        .await;
    assert_eq!(mixed["total"], plain.ok().json()["total"]);
    for (body, status) in [
        (json!({ "where": { "word": { "text": "a", "field": "nothing" } } }), 422),
        (json!({ "where": { "xor": [] } }), 422),
        (json!({ "where": { "word": { "text": "a", "colour": 1 } } }), 422),
        (json!({ "filters": { "nothing": ["a"] } }), 422),
        (json!({ "limit": 1_000_000_000 }), 422),
        (json!({ "where": { "and": [] } }), 200),
        (json!({ "where": { "not": { "word": { "text": "???" } } } }), 200),
        (
            json!({ "where": { "near": { "latitude": 1e300, "longitude": -1e300, "km": -1 } } }),
            200,
        ),
    ] {
        let answer = ask(body.clone()).await;
        assert_eq!(answer.status, status, "{body} {}", answer.text());
    }
    let values = app
        .get_anonymous("/api/search/facet?field=medium&q=SILVER&type=carnegie-object")
        .await;
    let values = values.ok().json();
    let list = values["values"].as_array().unwrap();
    assert_eq!(list.len() as u64, values["distinct"].as_u64().unwrap().min(25));
    assert!(
        list.iter()
            .all(|v| v["value"].as_str().unwrap().to_lowercase().contains("silver")),
        "{values}"
    );
    assert_eq!(list[0]["value"], "gelatin silver print");
}
