//! What is worth another look and keeps nobody from saving: told on the page of a record, beside its form, and while it is
//! written; compared with others only as far as its writer sees them.

use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

both!(
    what_is_doubtful_is_told_and_saved_all_the_same,
    a_date_outside_of_a_life_is_told,
    a_place_far_from_its_land_is_told
);

async fn make(app: &TestApp, type_name: &str, document: Value) -> String {
    let body = json!({ "type": type_name, "document": document });
    app.post("/api/records", &body).await.ok().json()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// What is told of a form: paths and reasons.
async fn doubts(app: &TestApp, path: &str, pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let sent: Vec<(&str, &str)> = pairs.iter().copied().chain([("whole", "1")]).collect();
    let told = app.send_form(path, &sent).await.ok().json();
    let one = |doubt: &Value| {
        let text = |name: &str| doubt[name].as_str().unwrap().to_owned();
        (text("path"), text("message"))
    };
    told.as_array().unwrap().iter().map(one).collect()
}

async fn found(app: &TestApp, type_name: &str, count: u64) {
    let path = format!("/api/search?type={type_name}&wait=true&limit=1");
    let answer = app.get(&path).await.ok().json();
    assert_eq!(answer["total"], count, "{answer}");
}

async fn what_is_doubtful_is_told_and_saved_all_the_same(db: TestDb) {
    let app = TestApp::start(&db).await;
    let person = json!({ "name": "person", "title": "name", "visibility": "public", "fields": [
        { "name": "code", "kind": "identifier", "unique": true },
        { "name": "name", "kind": "text" },
        { "name": "born", "kind": "date" },
        { "name": "died", "kind": "date" },
        { "name": "tags", "kind": "term", "repeated": true } ] });
    app.post("/api/types", &person).await.ok();
    for n in 100..125 {
        make(
            &app,
            "person",
            json!({ "code": format!("P{n}"), "name": format!("Person {n}") }),
        )
        .await;
    }
    make(&app, "person", json!({ "code": "P200", "name": "Smith, Jane" })).await;
    found(&app, "person", 26).await;

    let odd = [
        ("doc/code", "P12"),
        ("doc/name", "Jane Smith"),
        ("doc/born", "1901"),
        ("doc/died", "1832"),
        ("doc/tags/#0", "a"),
        ("doc/tags/#1", "a"),
    ];
    let told = doubts(&app, "/types/person/doubts", &odd).await;
    let paths: Vec<&str> = told.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["died", "tags.1", "name", "code"], "{told:?}");
    assert!(
        told[2].1.contains("“Smith, Jane”") && told[3].1.contains("P999"),
        "{told:?}"
    );

    // It is saved all the same, and says so on its page and in its form.
    let saving: Vec<(&str, &str)> = odd.into_iter().chain([("do", "save"), ("whole", "1")]).collect();
    let saved = app.send_form("/types/person/new", &saving).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let place = saved.header("location").unwrap();
    for page in [place.clone(), format!("{place}/edit")] {
        let shown = app.page(&page).await.ok().text();
        assert!(shown.contains("when it begins"), "{page}: {shown}");
    }
    // A record is no double of itself.
    let id = place.trim_start_matches("/records/");
    let own = format!("/types/person/doubts?id={id}");
    let fine = [
        ("doc/code", "P120"),
        ("doc/name", "Jane Smith the elder"),
        ("doc/born", "1832"),
        ("doc/died", "1901"),
    ];
    assert_eq!(doubts(&app, &own, &fine).await, Vec::new());
    assert_eq!(
        app.send_form("/types/nothing/doubts", &[("whole", "1")]).await.status,
        404
    );
    app.stop().await;
}

async fn a_date_outside_of_a_life_is_told(db: TestDb) {
    let app = TestApp::start(&db).await;
    let person = json!({ "name": "person", "title": "name", "visibility": "public", "fields": [
        { "name": "name", "kind": "text" }, { "name": "born", "kind": "date" }, { "name": "died", "kind": "date" } ] });
    let find = json!({ "name": "find", "title": "title", "visibility": "public", "fields": [
        { "name": "title", "kind": "text" },
        { "name": "collecting", "kind": "group", "repeated": true, "fields": [
            { "name": "by", "kind": "link", "target": "person" }, { "name": "date", "kind": "date" } ] } ] });
    for body in [person, find] {
        app.post("/api/types", &body).await.ok();
    }
    let jane = make(
        &app,
        "person",
        json!({ "name": "Jane Smith", "born": "1888", "died": "1951" }),
    )
    .await;
    let on = |first: &'static str, second: &'static str| {
        [
            ("doc/collecting/#0/by", jane.as_str()),
            ("doc/collecting/#0/date", first),
            ("doc/collecting/#1/by", jane.as_str()),
            ("doc/collecting/#1/date", second),
        ]
    };
    let told = doubts(&app, "/types/find/doubts", &on("1887", "1952-01")).await;
    let paths: Vec<&str> = told.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["collecting.0.date", "collecting.1.date"], "{told:?}");
    assert!(told[0].1.contains("“Jane Smith” was born, 1888"), "{told:?}");
    assert!(told[1].1.contains("“Jane Smith” had died, 1951"), "{told:?}");
    assert_eq!(
        doubts(&app, "/types/find/doubts", &on("1888", "1951-12-31")).await,
        Vec::new()
    );
    app.stop().await;
}

async fn a_place_far_from_its_land_is_told(db: TestDb) {
    let app = TestApp::start(&db).await;
    let land = json!({ "name": "land", "title": "name", "parent": "above", "visibility": "public", "fields": [
        { "name": "name", "kind": "text" }, { "name": "above", "kind": "link", "target": "land" },
        { "name": "latitude", "kind": "number" }, { "name": "longitude", "kind": "number" } ] });
    let find = json!({ "name": "find", "title": "title", "visibility": "public", "fields": [
        { "name": "title", "kind": "text" }, { "name": "land", "kind": "link", "target": "land" },
        { "name": "country", "kind": "term" },
        { "name": "latitude", "kind": "number" }, { "name": "longitude", "kind": "number" } ] });
    for body in [land, find] {
        app.post("/api/types", &body).await.ok();
    }
    let sweden = make(&app, "land", json!({ "name": "Sweden" })).await;
    let skara = make(
        &app,
        "land",
        json!({ "name": "Skara", "above": sweden, "latitude": 58.39, "longitude": 13.44 }),
    )
    .await;
    for n in 0..6 {
        let at = f64::from(n);
        let document = json!({ "title": format!("Find {n}"), "land": sweden, "country": "Sweden", "latitude": 56.0 + at, "longitude": 13.0 + at / 2.0 });
        make(&app, "find", document).await;
    }
    found(&app, "find", 6).await;

    let at =
        |latitude: &'static str, longitude: &'static str| [("doc/latitude", latitude), ("doc/longitude", longitude)];
    let path = "/types/find/doubts";
    let with = |name: &'static str, value: &str, place: [(&'static str, &'static str); 2]| {
        let mut pairs = vec![(name.to_owned(), value.to_owned())];
        pairs.extend(place.map(|(name, value)| (name.to_owned(), value.to_owned())));
        pairs
    };
    let cases = [
        (with("doc/land", &sweden, at("58.1", "14.2")), ""),
        (
            with("doc/land", &sweden, at("-33.9", "151.2")),
            "where “Sweden” lies in other records",
        ),
        (
            with("doc/land", &sweden, at("14.2", "58.1")),
            "latitude and longitude exchanged",
        ),
        (
            with("doc/country", "Sweden", at("-33.9", "151.2")),
            "where “Sweden” lies in other records",
        ),
        (with("doc/country", "Norway", at("-33.9", "151.2")), ""),
        (with("doc/land", &skara, at("58.4", "13.5")), ""),
        (with("doc/land", &skara, at("55.6", "13.0")), "km from “Skara” itself"),
    ];
    for (pairs, wanted) in cases {
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let told = doubts(&app, path, &pairs).await;
        match wanted {
            "" => assert_eq!(told, Vec::new(), "{pairs:?}"),
            _ => {
                assert_eq!(told.len(), 1, "{pairs:?}: {told:?}");
                assert_eq!(told[0].0, "latitude");
                assert!(told[0].1.contains(wanted), "{told:?}");
            }
        }
    }
    app.stop().await;
}
