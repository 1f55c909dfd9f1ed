//! Partial dates: through the API, a file, many at once and a form; searched, sorted, counted and brought out.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{exported, found, import, make};

both!(
    dates_are_stored_in_one_form,
    dates_are_found_and_sorted,
    dates_come_from_files_and_many_at_once,
    what_a_date_is_read_as_can_be_asked,
);

async fn with_type(db: &TestDb) -> TestApp {
    let app = TestApp::start(db).await;
    let find = json!({"name": "find", "title": "title", "key": "title", "visibility": "public", "fields": [
        {"name": "title", "kind": "text", "column": true},
        {"name": "made", "kind": "date", "column": true},
        {"name": "made_verbatim", "kind": "text"},
        {"name": "seen", "kind": "date", "repeated": true},
    ]});
    app.post("/api/types", &find).await.ok();
    app
}

async fn dates_are_stored_in_one_form(db: TestDb) {
    let app = with_type(&db).await;
    let written = json!({"title": "a", "made": "c. 1850", "seen": ["Dec 1979", "1890s", "1979-12-06"]});
    let record = make(&app, "find", written).await.ok().json();
    assert_eq!(
        record["document"],
        json!({"title": "a", "made": "1850~", "seen": ["1979-12", "189X", "1979-12-06"], "made_verbatim": "c. 1850"})
    );
    // The same once more changes nothing, and what stands verbatim stays.
    let path = format!("/api/records/{}", record["id"].as_str().unwrap());
    let request = app
        .signed(Method::PATCH, &path)
        .header("content-type", "application/merge-patch+json")
        .header("if-match", "\"1\"");
    let changed = app
        .send(
            request,
            Bytes::from(json!({"document": {"made": "19th century"}}).to_string()),
        )
        .await;
    let changed = changed.ok().json();
    assert_eq!(changed["document"]["made"], "18XX", "{changed}");
    assert_eq!(changed["document"]["made_verbatim"], "c. 1850", "{changed}");
    let page = app.page(path.trim_start_matches("/api")).await.ok().text();
    for words in ["19th century", "December 1979", "1890s", "6 December 1979"] {
        assert!(page.contains(words), "{words}");
    }
    for (wrong, cause) in [
        ("31 February 1921", "February 1921 has 28 days"),
        ("1921-02-31", "February 1921 has 28 days"),
        ("0000", "year 0"),
        ("c. 18??", "185X for ten"),
        ("1900/1850", "ends before it begins"),
        ("3.4.1921", "day or with the month first"),
        ("soon", "is not a date"),
        (&"9".repeat(10_000), "is not a date"),
    ] {
        for document in [
            json!({"title": "b", "made": wrong}),
            json!({"title": "b", "seen": [wrong]}),
        ] {
            let answer = make(&app, "find", document.clone()).await;
            assert_eq!(answer.status, 422, "{document}");
            assert!(answer.text().contains(cause), "{wrong}: {}", answer.text());
        }
    }
    app.stop().await;
}

async fn dates_are_found_and_sorted(db: TestDb) {
    let app = with_type(&db).await;
    for (title, made) in [
        ("year", "1850"),
        ("day", "1850-01-01"),
        ("about", "c. 1853"),
        ("decade", "1890s"),
        ("century", "19th century"),
        ("span", "1860-1895"),
        ("before", "before 1800"),
        ("after", "after 1900"),
        ("none", ""),
    ] {
        make(&app, "find", json!({"title": title, "made": made})).await.ok();
    }
    let sorted =
        async |question: &str, sort: &str| found(&app, &[("type", "find"), ("q", question), ("sort", sort)]).await;
    // By the first day it may be, what ends sooner first.
    assert_eq!(
        sorted("", "made").await,
        [
            "before", "century", "about", "day", "year", "span", "decade", "after", "none"
        ]
    );
    let titles = async |question: &str| {
        let mut titles = sorted(question, "made").await;
        titles.sort();
        titles
    };
    for (question, want) in [
        ("made:1893", vec!["century", "decade", "span"]),
        ("made:1890s", vec!["century", "decade", "span"]),
        ("made:c.1850", vec!["about", "century", "day", "year"]),
        ("made:1850~", vec!["about", "century", "day", "year"]),
        (
            "made:\"19th century\"",
            vec!["about", "before", "century", "day", "decade", "span", "year"],
        ),
        ("made:\"before 1700\"", vec!["before"]),
        ("made:1750", vec!["before"]),
        ("made:2020", vec!["after"]),
        ("made:1896..1899", vec!["century", "decade"]),
        ("made<1800", vec!["before"]),
    ] {
        assert_eq!(titles(question).await, want, "{question}");
    }
    let line = app.get("/api/search/timeline?type=find&field=made").await.ok().text();
    assert!(!line.contains("752"), "what is open makes no timeline longer: {line}");
    app.stop().await;
}

async fn dates_come_from_files_and_many_at_once(db: TestDb) {
    let app = with_type(&db).await;
    let file =
        "title,made,made_verbatim\na,c. 1850,\nb,1979-12-06,\nc,before 1900,long ago\nd,31 February 1900,\ne,,\n";
    let view = import(&app, "type=find&name=finds.csv", file).await;
    assert_eq!((&view["created"], &view["refused"]), (&json!(4), &json!(1)), "{view}");
    assert!(
        view["refusals"].to_string().contains("February 1900 has 28 days"),
        "{view}"
    );
    let text = exported(&app, "find").await;
    for line in ["a,1850~,c. 1850", "b,1979-12-06,", "c,../1900,long ago"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // What was brought is the same once more, and so is what was brought out.
    let again = import(&app, "type=find&name=finds.csv", file).await;
    assert_eq!(
        (&again["unchanged"], &again["updated"]),
        (&json!(4), &json!(0)),
        "{again}"
    );
    let back = import(&app, "type=find&name=back.csv", &text).await;
    assert_eq!((&back["unchanged"], &back["refused"]), (&json!(4), &json!(0)), "{back}");

    let body = json!({"select": {"type": "find", "all": true}, "action": {"do": "set", "field": "made", "value": "Dec. 1979"}});
    let batch = app.post("/api/batches", &body).await.ok().json();
    assert_eq!(batch["preview"]["changed"], 4, "{batch}");
    let path = format!("/api/batches/{}", batch["id"].as_str().unwrap());
    app.post(&format!("{path}/run"), &json!({})).await.ok();
    app.drain_jobs().await;
    let list: Value = app.get("/api/records?type=find").await.ok().json();
    let all = list["items"].as_array().unwrap();
    assert!(all.iter().all(|one| one["document"]["made"] == "1979-12"), "{list}");
    let wrong =
        json!({"select": {"type": "find", "all": true}, "action": {"do": "set", "field": "made", "value": "1979-13"}});
    let refused = app.post("/api/batches", &wrong).await;
    assert!(
        refused.status == 422 && refused.text().contains("month 13"),
        "{}",
        refused.text()
    );

    // A new collection: EDTF is a date, and a number with a stroke is none.
    let file = "id,when made,mark,year\n1,1850~,1920/1931,185X\n2,1860-05,1921/4,1850/1900\n3,../1900,7/8,1850\n";
    import(&app, "type=thing&infer=true&key=id&name=things.csv", file).await;
    let fields = app.get("/api/types/thing").await.ok().json()["fields"].to_string();
    for kind in [r#""name":"when made""#, r#""name":"year""#] {
        let at = fields.find(kind).unwrap();
        assert!(
            fields[at..].split('}').next().unwrap().contains(r#""kind":"date""#),
            "{fields}"
        );
    }
    assert!(
        !fields[fields.find(r#""mark""#).unwrap()..]
            .split('}')
            .next()
            .unwrap()
            .contains("date"),
        "{fields}"
    );
    app.stop().await;
}

async fn what_a_date_is_read_as_can_be_asked(db: TestDb) {
    let app = TestApp::start(&db).await;
    for (text, want) in [
        (
            "c.%201850",
            json!({"stored": "1850~", "words": "about 1850", "first": "1845-01-01", "last": "1855-12-31", "why": null}),
        ),
        (
            "before%201900",
            json!({"stored": "../1900", "words": "before 1900", "first": null, "last": "1900-12-31", "why": null}),
        ),
        (
            "206%20BC",
            json!({"stored": "-0206", "words": "206 BC", "first": "-0206-01-01", "last": "-0206-12-31", "why": null}),
        ),
    ] {
        let said = app.get_anonymous(&format!("/api/dates?text={text}")).await.ok().json();
        assert_eq!(said, want);
    }
    assert_eq!(app.get("/api/dates?text=%00").await.status, 400);
    for text in ["", "18%3F%3F", "%F0%9F%95%B0", "1850-1850-1850"] {
        let refused = app.get(&format!("/api/dates?text={text}")).await;
        assert_eq!(refused.status, 200, "{text}");
        let refused = refused.json();
        assert!(refused["stored"].is_null() && refused["why"].is_string(), "{refused}");
    }
    app.stop().await;
}
