//! Planted secrets: records and fields whose words may be seen by some and by nobody else, looked for in everything that answers;
//! and rights that were taken away before a secret came.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::{TestDb, rounds};

use super::House;

both!(
    planted_words_are_never_seen,
    what_comes_after_a_right_is_gone_is_never_seen
);

/// Of each kind and collection; there are six, so the long form plants more than a thousand records.
fn each() -> usize {
    rounds(3, 170)
}

/// A word that stands nowhere else.
fn word(kind: &str, n: usize) -> String {
    format!("zq{kind}{n}qz")
}

/// Those words in a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("zq").filter_map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let kind = rest.get(2..end)?.strip_suffix("qz")?;
        kind.ends_with(|c: char| c.is_ascii_digit()).then_some(&rest[..end])
    })
}

/// The path of a route with something of the house in its places.
fn concrete(path: &str, id: &str) -> String {
    let piece = |piece: &str| match piece {
        "{id}" => id.to_owned(),
        "{name}" => "bird".to_owned(),
        other if other.starts_with('{') => "1".to_owned(),
        other => other.to_owned(),
    };
    path.split('/').map(piece).collect::<Vec<_>>().join("/")
}

/// What a stream of events tells at first.
async fn beginning(house: &House, who: &str, path: &str) -> String {
    let mut request = axum::http::Request::builder().uri(path).header("host", "localhost");
    if !who.is_empty() {
        request = request.header("authorization", format!("Bearer {who}"));
    }
    let request = request.body(axum::body::Body::empty()).unwrap();
    let answer = tower::ServiceExt::oneshot(house.anyone.clone(), request).await.unwrap();
    let mut body = answer.into_body();
    let mut told = Vec::new();
    while let Ok(Some(Ok(frame))) =
        tokio::time::timeout(Duration::from_millis(200), http_body_util::BodyExt::frame(&mut body)).await
    {
        told.extend(frame.into_data().unwrap_or_default());
    }
    String::from_utf8_lossy(&told).into_owned()
}

/// Everything that answers with contents, for lists, records, searches and pages.
async fn everything(house: &House, who: &str, ids: &[String]) -> Vec<(String, String)> {
    let mut paths: Vec<String> = [
        "/api/records?limit=200",
        "/api/records?type=fungus&limit=200",
        "/api/records?type=bird&limit=200",
        "/api/records?state=deleted",
        "/api/search?type=fungus&limit=100&facet=place&facet=donor&facet=keeper",
        "/api/search?type=bird&limit=100&facet=place&facet=donor",
        "/api/search?limit=100",
        "/api/search?q=zq*",
        "/api/search?type=bird&sort=donor",
        "/api/suggest?q=zq",
        "/api/suggest?q=zq&type=fungus",
        "/api/export?type=fungus&format=jsonl",
        "/api/export?type=bird&format=csv",
        "/api/changes?limit=100",
        "/api/types",
        "/api/types/fungus",
        "/api/grants",
        "/api/groups",
        "/",
        "/search",
        "/search?type=fungus",
        "/search?type=bird",
        "/search?q=zq*",
        "/types",
        "/types/fungus",
        "/types/bird",
        "/changes",
        "/access",
        "/access/why?object=type:bird",
        "/sitemap.xml",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    for id in ids {
        paths.push(format!("/api/records/{id}"));
        paths.push(format!("/api/records/{id}/history"));
        paths.push(format!("/api/records/{id}/versions/1"));
        paths.push(format!("/records/{id}"));
        paths.push(format!("/records/{id}/history"));
        paths.push(format!("/records/{id}/edit"));
        paths.push(format!("/access/why?object=record:{id}"));
        paths.push(format!("/api/access/why?object=record:{id}"));
        for form in ["json", "jsonld", "csv", "bib", "ris"] {
            paths.push(format!("/records/{id}.{form}"));
        }
    }
    // The changes that made them, and what undoing those would do.
    let sets = house
        .get("root", "/api/changes?limit=20&cause=record.create")
        .await
        .ok()
        .json();
    for set in ids_of(&sets) {
        paths.push(format!("/api/changes/{set}"));
        paths.push(format!("/api/changes/{set}/undo"));
        paths.push(format!("/changes/{set}"));
        paths.push(format!("/changes/{set}/undo"));
    }
    // Everything that can be asked for, of the API and of the pages, about one that is restricted.
    let secret = ids.last().map(String::as_str).unwrap_or_default();
    let mut found = Vec::new();
    for fact in house.table.iter().filter(|fact| fact.method == axum::http::Method::GET) {
        let path = concrete(&fact.path, secret);
        if !path.ends_with("/events") {
            paths.push(path);
        } else if rounds(0, 1) == 1 {
            found.push((path.clone(), beginning(house, who, &path).await));
        }
    }
    for path in paths {
        let answer = house.get(who, &path).await;
        assert!(
            answer.status < 500 || answer.status == 503,
            "{path} for \"{who}\": {} {}",
            answer.status,
            answer.text
        );
        found.push((path, answer.text));
    }
    found
}

async fn planted_words_are_never_seen(db: TestDb) {
    let house = House::open(db).await;
    let mut ids = Vec::new();
    for name in ["fungus", "bird"] {
        for n in 0..each() {
            let kept = |kind: &str| word(&format!("{name}{kind}"), n);
            let whole =
                json!({"title": kept("open"), "place": "Basel", "keeper": kept("keeper"), "donor": kept("donor")});
            ids.push(house.add(name, "public", whole).await);
            ids.push(
                house
                    .add(
                        name,
                        "members",
                        json!({"title": kept("members"), "place": kept("inside")}),
                    )
                    .await,
            );
            ids.push(
                house
                    .add(
                        name,
                        "restricted",
                        json!({"title": kept("secret"), "place": kept("closed")}),
                    )
                    .await,
            );
        }
    }
    house.get("root", "/api/search?wait=true").await.ok();
    // Who may see which words of which collection; the words of the others are never seen.
    let member = ["open", "keeper", "members", "inside"];
    let all = ["open", "keeper", "members", "inside", "donor", "secret", "closed"];
    let mut looked = 0;
    for (who, fungus, bird) in [
        ("", &["open"][..], &["open"][..]),
        ("disabled", &["open"], &["open"]),
        ("stranger", &member, &member),
        ("operator", &member, &member),
        ("narrow", &member, &member),
        ("viewer", &all, &member),
        ("contributor", &all, &member),
        ("editor", &all, &member),
        ("curator", &all, &member),
        ("administrator", &all, &all),
    ] {
        let answers = everything(&house, who, &ids).await;
        // Each word, with where it is seen first.
        let mut seen_at: HashMap<&str, &str> = HashMap::new();
        for (path, text) in &answers {
            words(text).for_each(|word| {
                seen_at.entry(word).or_insert(path);
            });
        }
        for (name, seen) in [("fungus", fungus), ("bird", bird)] {
            for kind in all {
                let wanted = seen.contains(&kind);
                for n in 0..each() {
                    let word = word(&format!("{name}{kind}"), n);
                    let at = seen_at.get(word.as_str());
                    assert!(wanted || at.is_none(), "\"{who}\" sees {word} at {at:?}");
                    assert!(!wanted || at.is_some(), "\"{who}\" does not see {word}");
                    looked += 1;
                }
            }
            let counted = house.get(who, &format!("/api/search?type={name}")).await.ok().json();
            let kinds = ["open", "members", "secret"]
                .iter()
                .filter(|kind| seen.contains(kind))
                .count();
            assert_eq!(
                counted["total"],
                json!(kinds * each()),
                "\"{who}\" counts {name}: {counted}"
            );
            let listed = house.get(who, &format!("/api/records?type={name}")).await.ok().json();
            assert_eq!(listed["total"], json!(kinds * each()), "\"{who}\" lists {name}");
        }
    }
    println!(
        "{} records planted, {looked} words looked for, 0 seen by who may not",
        ids.len()
    );
    assert!(looked > 400, "{looked}");
    house.running.stop().await;
}

fn ids_of(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().cloned().unwrap_or_default();
    items
        .iter()
        .filter_map(|item| Some(item["id"].as_str()?.to_owned()))
        .collect()
}

/// A person loses a role, then a secret is added, while that person keeps asking.
async fn what_comes_after_a_right_is_gone_is_never_seen(db: TestDb) {
    const ROUNDS: usize = 12;
    let house = House::open(db).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let mut asking = Vec::new();
    for path in [
        "/api/records?type=fungus&sort=-id&limit=50",
        "/api/search?type=fungus&limit=50",
    ] {
        let (router, stop) = (house.anyone.clone(), stop.clone());
        asking.push(tokio::spawn(async move {
            let mut seen = std::collections::BTreeSet::new();
            let mut rounds = 0;
            while !stop.is_cancelled() {
                let answer = super::ask(&router, "GET", path, Some("stranger"), None).await;
                // While the index is being opened nothing is answered, and nothing told.
                if answer.status == 503 {
                    tokio::task::yield_now().await;
                    continue;
                }
                seen.extend(ids_of(&answer.ok().json()));
                rounds += 1;
            }
            (seen, rounds)
        }));
    }
    let mut never = Vec::new();
    let mut allowed = Vec::new();
    for n in 0..ROUNDS {
        house.give("stranger", "viewer", "type:fungus").await;
        let shown = house
            .add("fungus", "restricted", json!({"title": format!("shown {n}")}))
            .await;
        assert_eq!(
            house.get("stranger", &format!("/api/records/{shown}")).await.status,
            200,
            "their own right at once"
        );
        allowed.push(shown);
        house.take("stranger", "viewer", "type:fungus").await;
        let secret = house
            .add("fungus", "restricted", json!({"title": format!("secret {n}")}))
            .await;
        house.get("root", "/api/search?wait=true").await.ok();
        assert_eq!(
            house.get("stranger", &format!("/api/records/{secret}")).await.status,
            404
        );
        for path in [
            "/api/records?type=fungus&limit=200",
            "/api/search?type=fungus&limit=100",
        ] {
            let listed = house.get("stranger", path).await.ok().json();
            assert!(ids_of(&listed).is_empty(), "{path}: {listed}");
        }
        house.operator_delete(&secret).await;
        never.push(secret);
    }
    stop.cancel();
    for task in asking {
        let (seen, rounds) = tokio::time::timeout(Duration::from_secs(60), task)
            .await
            .unwrap()
            .unwrap();
        assert!(rounds > 0);
        let leaked: Vec<_> = never.iter().filter(|id| seen.contains(*id)).collect();
        assert!(leaked.is_empty(), "{leaked:?} of {rounds} answers");
    }
    house.running.stop().await;
}

impl House {
    pub async fn operator_delete(&self, id: &str) {
        let body = json!({});
        let answer = self
            .operator("GET", &format!("/api/records/{id}"), Some(&body))
            .await
            .ok()
            .json();
        let version = answer["version"].as_i64().unwrap();
        let request = axum::http::Request::builder()
            .method("DELETE")
            .uri(format!("/api/records/{id}"))
            .header("host", "localhost")
            .header("if-match", format!("\"{version}\""))
            .body(axum::body::Body::empty())
            .unwrap();
        let answer = tower::ServiceExt::oneshot(self.operator.clone(), request)
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}
