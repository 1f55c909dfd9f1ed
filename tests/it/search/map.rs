//! Records on a map over HTTP: groups that can be taken apart, boxes of every form, and what is hidden moves nothing.

use bytes::Bytes;
use hyper::Method;
use scraper::{Html, Selector};
use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use super::{Answer, House, ask};

both!(
    groups_are_taken_apart_to_single_records,
    boxes_of_every_form_are_answered_or_refused,
    a_hidden_place_moves_nothing,
    cameras_of_a_file_are_on_the_map
);

const PLACES: [(&str, f64, f64, &str); 9] = [
    ("Oak", 59.33, 18.07, "1853"),
    ("Elm", 59.33, 18.07, "1855"),
    ("Ash", 59.35, 18.0, "1861-04-02"),
    ("Yew", 59.86, 17.64, "1861-12"),
    ("Fir", -17.7, 178.0, "1790"),
    ("Fig", -13.8, -172.0, "1920"),
    ("Gum", -33.87, 151.2, "1921"),
    ("Tea", 90.0, 0.0, "1860-05"),
    ("Box", -90.0, -180.0, ""),
];

/// A garden of trees, some of which stand somewhere.
pub(super) async fn garden(db: TestDb) -> House {
    let house = House::open(db).await;
    house
        .send(
            "/api/types",
            &json!({
                "name": "tree", "title": "name", "visibility": "public",
                "fields": [
                    {"name": "name", "kind": "text"},
                    {"name": "planted", "kind": "date"},
                    {"name": "place", "kind": "group", "fields": [
                        {"name": "latitude", "kind": "number"},
                        {"name": "longitude", "kind": "number"}
                    ]},
                    {"name": "precise", "kind": "group", "level": "members", "fields": [
                        {"name": "decimalLatitude", "kind": "number"},
                        {"name": "decimalLongitude", "kind": "number"}
                    ]}
                ]
            }),
        )
        .await;
    for (name, latitude, longitude, planted) in PLACES {
        let planted = Some(planted).filter(|text| !text.is_empty());
        let place = json!({"latitude": latitude, "longitude": longitude});
        plant(&house, json!({"name": name, "planted": planted, "place": place})).await;
    }
    plant(&house, json!({"name": "Nowhere", "planted": "1853"})).await;
    house.find("wait=true&limit=0").await;
    house
}

async fn plant(house: &House, document: Value) -> String {
    let body = json!({"type": "tree", "visibility": "public", "document": document});
    house.send("/api/records", &body).await
}

impl House {
    async fn map(&self, question: &str) -> Answer {
        ask(&self.anyone, "GET", &format!("/api/search/map?{question}"), None, None).await
    }

    async fn mapped(&self, question: &str) -> Value {
        let answer = self.map(question).await;
        assert_eq!(answer.status, 200, "{question} {}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/geo+json");
        answer.body
    }
}

fn features(map: &Value) -> &Vec<Value> {
    map["features"].as_array().unwrap()
}

fn records(map: &Value) -> u64 {
    let of = |feature: &Value| feature["properties"]["records"].as_u64().unwrap();
    features(map).iter().map(of).sum()
}

async fn groups_are_taken_apart_to_single_records(db: TestDb) {
    let house = garden(db).await;
    let world = house.mapped("type=tree").await;
    assert_eq!((&world["total"], &world["placed"]), (&json!(10), &json!(9)));
    assert_eq!(records(&world), 9);
    let largest = &features(&world)[0];
    assert_eq!(largest["properties"]["records"], 4, "{world}");
    assert_eq!(largest["type"], "Feature");
    // Each group leads to a box in which it falls apart, down to single records and single places.
    let mut boxes = vec![largest["properties"]["box"].as_str().unwrap().to_owned()];
    let (mut single, mut together) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let Some(area) = boxes.pop() else { break };
        let near = house.mapped(&format!("box={area}")).await;
        for feature in features(&near) {
            let properties = &feature["properties"];
            match properties["title"].as_str() {
                Some(title) => single.push(title.to_owned()),
                None if properties["box"] == "59.33,18.07,59.33,18.07" => together.push(properties["records"].clone()),
                None => boxes.push(properties["box"].as_str().unwrap().to_owned()),
            }
        }
    }
    single.sort();
    assert_eq!(
        (single, together),
        (vec!["Ash".to_owned(), "Yew".to_owned()], vec![json!(2)])
    );
    // The box of a place finds what stands there, in words, as JSON and on the page.
    let there = house.find("q=within:59.33,18.07,59.33,18.07").await;
    assert_eq!(super::titles(&there), ["Elm", "Oak"]);
    assert_eq!(there["understood"]["within"]["south"], 59.33);
    let body = json!({"where": {"and": [{"within": {"south": 59.0, "west": 17.9, "north": 60.0, "east": 19.0}}, {"not": {"word": {"text": "oak"}}}]}});
    let posted = ask(&house.anyone, "POST", "/api/search", None, Some(&body)).await;
    assert_eq!(super::titles(&posted.body), ["Ash", "Elm"]);
    let (status, page) = house.page("/search?type=tree&view=map").await;
    assert_eq!(status, 200);
    let html = Html::parse_document(&page);
    let select = |text: &str| html.select(&Selector::parse(text).unwrap()).count();
    assert!(select(".spot.s1 text") > 0 && select(".spot.s0") > 0 && select(".map-list li") > 1);
    assert!(page.contains("1 record without a place") && !page.contains("style=\""));
    let lead = html.select(&Selector::parse(".spot.s1").unwrap()).next().unwrap();
    let (status, nearer) = house.page(lead.attr("href").unwrap()).await;
    assert_eq!(status, 200);
    assert!(
        nearer.contains("4 records on the map") && nearer.contains("° N"),
        "{nearer}"
    );
    let (_, without) = house
        .page("/search?q=-within%3A-90%2C-180%2C90%2C180&type=tree&view=cards")
        .await;
    assert!(without.contains("Nowhere") && !without.contains("Yew"));
    house.close().await;
}

async fn boxes_of_every_form_are_answered_or_refused(db: TestDb) {
    let house = garden(db).await;
    for (area, wanted) in [
        ("-20,170,-10,-170", vec!["Fig", "Fir"]),
        ("-20,170,-10,190", vec!["Fig", "Fir"]),
        (
            "-90,-180,90,180",
            vec!["Ash", "Box", "Elm", "Fig", "Fir", "Gum", "Oak", "Tea", "Yew"],
        ),
        ("90,-180,90,180", vec!["Tea"]),
        ("-90,180,-90,180", vec!["Box"]),
        ("0,0,0,0", vec![]),
        ("59.86,17.64,59.86,17.64", vec!["Yew"]),
    ] {
        let map = house.mapped(&format!("type=tree&box={area}")).await;
        assert_eq!(map["total"], wanted.len(), "{area} {map}");
        assert_eq!(map["placed"], wanted.len(), "{area}");
        assert_eq!(records(&map), wanted.len() as u64, "{area}");
        let found = house.find(&format!("type=tree&q=within:{area}")).await;
        assert_eq!(super::titles(&found), wanted, "{area}");
        for view in ["map", "cards", "table", "timeline"] {
            let (status, page) = house.page(&format!("/search?type=tree&view={view}&box={area}")).await;
            assert_eq!(status, 200, "{view} {area}");
            assert!(!page.contains("NaN") && !page.contains("inf,"), "{view} {area}");
        }
    }
    let bad = [
        "NaN,0,1,1",
        "inf,0,1,1",
        "2,0,1,1",
        "0,0,1e9,1",
        "0,1e9,1,2",
        "1,2,3",
        "1,2,3,4,5",
        "x",
        ",,,",
        "0;0;1;1",
        "1e400,0,1,1",
    ];
    for area in bad {
        let refused = house.map(&format!("box={area}")).await;
        assert_eq!(refused.status, 422, "{area} {}", refused.body);
        assert!(
            refused.body.to_string().contains("SOUTH,WEST,NORTH,EAST"),
            "{}",
            refused.body
        );
        let (status, page) = house.page(&format!("/search?type=tree&view=map&box={area}")).await;
        assert_eq!(status, 200, "{area}");
        assert!(page.contains("could not be read"), "{area}");
        let words = house.find(&format!("q=within:{area}")).await;
        assert!(words["hints"].to_string().contains("SOUTH,WEST"), "{area} {words}");
    }
    for body in [
        json!({"where": {"within": {"south": 2, "west": 0, "north": 1, "east": 1}}}),
        json!({"where": {"within": {"south": 0, "west": 0, "north": 1e300, "east": 1}}}),
        json!({"where": {"within": {"south": 0}}}),
        json!({"where": {"within": "0,0,1,1"}}),
    ] {
        let answer = ask(&house.anyone, "POST", "/api/search", None, Some(&body)).await;
        assert_eq!(answer.status, 422, "{body} {}", answer.body);
    }
    for question in [
        "columns=0",
        "columns=1000000000",
        "type=nothing",
        "filter=nothing:1",
        "q=((",
        "view=map",
    ] {
        let status = house.map(question).await.status;
        assert!([200, 400, 404, 422].contains(&status), "{question} {status}");
    }
    house.close().await;
}

async fn a_hidden_place_moves_nothing(db: TestDb) {
    let house = garden(db).await;
    let questions = [
        "type=tree",
        "box=50,10,70,30",
        "q=oak",
        "box=59.3,18,59.4,18.1&columns=60",
    ];
    let mut before = Vec::new();
    for question in questions {
        before.push(house.mapped(question).await);
    }
    // Where it stands exactly is for members; the tree itself is for everybody.
    let precise = json!({"decimalLatitude": 59.34, "decimalLongitude": 18.05});
    let hidden = plant(&house, json!({"name": "Hidden oak", "precise": precise})).await;
    house.find(&format!("limit=0&after={hidden}")).await;
    for (question, before) in questions.iter().zip(before) {
        let mut now = house.mapped(question).await;
        let found = now["total"].take().as_u64().unwrap() - before["total"].as_u64().unwrap();
        // It is found by its name, and by no place.
        assert_eq!(found, u64::from(!question.contains("box")), "{question}");
        now["total"] = before["total"].clone();
        assert_eq!(now, before, "{question}");
    }
    for text in ["within:59,18,60,19", "-within:59,18,60,19", "near:59.34,18.05~1km"] {
        let found = house.find(&format!("type=tree&limit=100&q={text}")).await;
        let named = super::titles(&found).contains(&"Hidden oak");
        assert_eq!(named, text.starts_with('-'), "{text}");
    }
    let seen = ask(
        &house.anyone,
        "GET",
        "/api/search/map?type=tree",
        Some(&house.token),
        None,
    )
    .await;
    assert_eq!(seen.body["placed"], 10);
    let (_, page) = house.page("/search?type=tree&view=map").await;
    assert!(page.contains("9 records on the map") && page.contains("2 records without a place"));
    house.close().await;
}

/// A file of the real collections.
#[expect(clippy::disallowed_methods, reason = "tests have no configuration")]
fn data(path: &str) -> std::path::PathBuf {
    let folder = std::env::var("VITRINE_TEST_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    std::path::Path::new(&folder).join(path)
}

/// The same columns as the real file, for machines without it.
const CAMERAS: &str = "deploymentID,locationName,latitude,longitude,deploymentStart\n\
    a1,Brook,51.5,4.77,2020-05-30\na2,Pond,51.18,5.66,2020-07-29\na3,Oak,51.18,5.66,2020-06-19\n";

async fn cameras_of_a_file_are_on_the_map(db: TestDb) {
    let app = TestApp::start(&db).await;
    let real = std::fs::read(data("camtrap/deployments.csv")).ok();
    if real.is_none() {
        println!("skipped: the real file is not there; its invented twin stands for it");
    }
    for (name, file) in [("invented", Some(CAMERAS.as_bytes().to_vec())), ("real", real)] {
        let Some(file) = file else { continue };
        let path = format!("/api/imports?type={name}&name=cameras.csv&infer=true&key=deploymentID");
        let request = app.signed(Method::POST, &path).header("content-type", "text/csv");
        app.send(request, Bytes::from(file)).await.ok();
        app.drain_jobs().await;
        app.get("/api/search?wait=true&limit=0").await.ok();
        let map = app.get(&format!("/api/search/map?type={name}")).await.ok().json();
        let total = map["total"].as_u64().unwrap();
        assert!(total >= 3, "{map}");
        assert_eq!(map["placed"], total, "{name}");
        assert!(
            map["bbox"][1].as_f64().unwrap() > 45.0 && map["bbox"][3].as_f64().unwrap() < 57.0,
            "{map}"
        );
        let page = app.get(&format!("/search?type={name}&view=map")).await.ok().text();
        assert!(page.contains(&format!("{total} records on the map")), "{name}");
    }
}
