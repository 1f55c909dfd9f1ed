//! The language of the search box over the sample collection: each question with what it must find, worked out from the
//! files themselves by other means. And what is written in the manual, which must find something and be understood.

mod bad;

use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

both!(every_question_finds_what_it_says, conditions_within_conditions);

enum Found {
    /// The accession numbers.
    Ids(&'static [&'static str]),
    Many(u64),
}
use Found::{Ids, Many};

const QUESTIONS: &[(&str, Found)] = &[
    ("tea caddy", Ids(&["69.49.2.A-B", "71.14.4"])),
    ("TEA CADDY", Ids(&["69.49.2.A-B", "71.14.4"])),
    ("\"tea caddy\"", Ids(&["69.49.2.A-B", "71.14.4"])),
    ("\"caddy tea\"", Ids(&[])),
    ("candlestick", Many(6)),
    ("candlesticks", Many(6)),
    ("candlest*", Many(6)),
    ("*stick*", Many(9)),
    ("*stick", Many(8)),
    ("c*stick", Many(6)),
    ("title:*stick*", Many(9)),
    ("vase -blue", Many(7)),
    ("vase NOT blue", Many(7)),
    ("vase -(blue | white)", Many(7)),
    ("vase | bowl", Many(15)),
    ("vase|bowl", Many(15)),
    ("vase OR bowl", Many(15)),
    ("(vase | bowl) glass", Ids(&[])),
    ("vase glass OR bowl silver", Ids(&["74.47.1"])),
    ("title:(vase | bowl)", Many(14)),
    ("title:vase,bowl", Many(14)),
    ("title:vase title:blue", Ids(&[])),
    ("title: vase", Many(7)),
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
    ("accession_number:89.28", Many(32)),
    ("1998.24.14.G", Ids(&["1998.24.14.G"])),
    ("date_acquired:1979-12-06", Many(7)),
    ("date_acquired:1979-12", Many(7)),
    ("date_acquired:1979", Many(9)),
    ("date_acquired:1970s", Many(61)),
    ("date_acquired:197x", Many(61)),
    ("Acquired:1979-12", Many(7)),
    ("creation_date_earliest:1850..1859", Many(13)),
    ("creation_date_earliest:1850s", Many(13)),
    ("creation_date_earliest:..1700", Many(38)),
    ("creation_date_earliest:1990..", Many(28)),
    ("creation_date_earliest:>1990", Many(27)),
    ("creation_date_earliest>1990", Many(27)),
    ("creation_date_earliest:>=1990", Many(28)),
    ("creation_date_earliest:<1700", Many(33)),
    ("creation_date_earliest:<=1700", Many(38)),
    ("creation_date_earliest:c.1850", Many(16)),
    ("creation_date_earliest:1800s", Many(93)),
    ("creation_date_earliest:18xx", Many(93)),
    ("\"Earliest date\":1850s", Many(13)),
    ("-creation_date_earliest:*", Many(352)),
    ("-date_acquired:* type:carnegie-object", Many(7)),
    ("date_acquired:*", Many(392)),
    ("type:carnegie-object -date_acquired:*", Many(7)),
    ("type:penguin", Many(344)),
    ("type:\"Art object\" vase", Many(7)),
    ("type:penguin vase", Ids(&[])),
    ("creator.nationality:Japanese", Many(40)),
    ("creator.nationality:Japanese,French", Many(68)),
    ("Nationality:Dutch", Many(15)),
    ("nationality:dutch,italian -prints", Many(12)),
    ("classification:=prints", Many(139)),
    ("classification:\"prints\"", Many(139)),
    ("classification:Ceramics department:\"Fine Arts\"", Ids(&[])),
    ("classification:ceramics | classification:metals", Many(43)),
    (
        "-classification:prints -classification:photographs type:carnegie-object -classification:\"drawings and watercolors\"",
        Many(128),
    ),
    ("creator.full_name:goya", Ids(&["61.10.4"])),
    ("\"oil on canvas\"", Many(14)),
    ("\"canvas oil\"", Ids(&[])),
    ("\"color lithograph\"", Ids(&["18.5", "1997.19.1", "56.21.9"])),
    ("medium:\"gelatin silver print\"", Many(49)),
    ("medium:\"oil on canvas\"", Many(14)),
    ("medium:woodc*", Many(17)),
    ("medium:*graph", Many(23)),
    ("portrait etching", Ids(&[])),
    ("house -pittsburgh", Many(10)),
    ("provenance_text:austin date_acquired:1989", Many(32)),
    ("credit_line:\"Anonymous Gift\"", Many(8)),
    ("item_height:>60", Many(11)),
    ("item_height>60", Many(11)),
    ("item_height:>=60", Many(11)),
    ("item_height:13", Ids(&["79.66.115"])),
    ("item_height:2m..", Many(7)),
    ("item_height:>150cm", Many(11)),
    ("item_width:1..2 type:carnegie-object", Many(7)),
    ("\"Height, inches\":>60", Many(11)),
    ("body_mass_g:>6000", Many(2)),
    ("body_mass_g:>6kg", Many(2)),
    ("body_mass_g:<2.8kg", Many(1)),
    ("bill_length_mm:>5.5cm", Many(5)),
    ("species:Gentoo year:2007 sex:female", Many(16)),
    ("species:Adelie island:Biscoe", Many(44)),
    ("species:Adelie,Chinstrap island:Dream year:2008", Many(34)),
    ("Gentoo -sex:*", Many(5)),
    ("species:gent*", Many(124)),
    ("year:2007..2008 species:chinstrap", Many(44)),
    ("year:<2008 island:Torgersen", Many(20)),
    ("flipper_length_mm:230,231", Many(8)),
    (
        "(species:gentoo body_mass_g:>6000) | (species:adelie body_mass_g:<2900)",
        Many(4),
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
    ("((vase))", Many(7)),
    ("vase AND glass", Ids(&[])),
    ("vase && glass", Ids(&[])),
    ("+vase +glass", Ids(&[])),
    ("etchings", Many(23)),
    ("paint*", Many(20)),
    ("sculptures bronze", Ids(&["2016.18.9", "70.32.2604"])),
    ("created>today-1d tea caddy", Ids(&["69.49.2.A-B", "71.14.4"])),
    ("created<today-1d", Ids(&[])),
    ("updated:today tea caddy", Ids(&["69.49.2.A-B", "71.14.4"])),
    ("created:2001", Ids(&[])),
    ("zzzzqqqq", Ids(&[])),
    ("-vase type:carnegie-object creation_date_earliest:1920s", Many(27)),
    ("title:=Bowl", Ids(&["70.32.570.A-B", "74.47.1"])),
    ("title:\"bowl\" classification:glass", Ids(&[])),
];

async fn with_samples(db: &TestDb) -> TestApp {
    let app = TestApp::start(db).await;
    let exchange = app.bus().port::<dyn vitrine::contract::exchange::Exchange>().unwrap();
    exchange.load_samples().await.unwrap();
    app.drain_jobs().await;
    let all = app.get_anonymous("/api/search?wait=true&limit=0").await.ok().json();
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

async fn every_question_finds_what_it_says(db: TestDb) {
    let app = with_samples(&db).await;
    let mut wrong = Vec::new();
    assert!(QUESTIONS.len() >= 120);
    for (question, want) in QUESTIONS {
        let path = address("/api/search", &[("q", question), ("limit", "200")]);
        let answer = app.get_anonymous(&path).await.ok().json();
        let got = match want {
            Ids(ids) if numbers(&answer) != **ids => format!("{:?} instead of {ids:?}", numbers(&answer)),
            Many(count) if answer["total"] != *count => format!("{} instead of {count}", answer["total"]),
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
    let (_, chapter) = manual.iter().find(|(path, _)| path.ends_with("30-search.md")).unwrap();
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
