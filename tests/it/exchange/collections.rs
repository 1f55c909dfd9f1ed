//! Whole collections, where they are at hand, and the sample: in, out in every format, and in again.

use std::path::PathBuf;

use vitrine::both;
use vitrine::contract::exchange::Exchange;
use vitrine::kernel::access::Caller;

use super::*;

both!(
    the_sample_loads_once,
    the_sample_shows_its_rows_and_is_taken_away,
    carnegie_goes_out_and_in,
    collections_of_every_kind
);

async fn the_sample_loads_once(db: TestDb) {
    let place = Place::new(&db).await;
    let exchange = place.house.app.bus.port::<dyn Exchange>().unwrap();
    let jobs = exchange.load_samples().await.unwrap();
    assert_eq!(jobs.len(), 2);
    place.worker.drain().await.unwrap();
    for job in jobs {
        assert_eq!(place.look(&job).await["refused"], 0);
    }
    assert_eq!(place.records().await, 399 + 344);
    assert_eq!(exchange.load_samples().await.unwrap(), Vec::<String>::new());
    round(&place, "carnegie-object", 399).await;
    round(&place, "penguin", 344).await;
    place.close().await;
}

async fn the_sample_shows_its_rows_and_is_taken_away(db: TestDb) {
    let place = Place::new(&db).await;
    let exchange = place.house.app.bus.port::<dyn Exchange>().unwrap();
    exchange.load_samples().await.unwrap();
    place.worker.drain().await.unwrap();
    let page = |path: String| {
        let place = &place;
        async move {
            let (status, body) = place.ask("GET", &path, Vec::new()).await;
            assert_eq!(status, 200, "{path}");
            String::from_utf8(body).unwrap()
        }
    };
    // The row as it was brought: of a table, and of a file of objects.
    for (type_name, words) in [
        ("penguin", ["penguins.csv", "bill_length_mm"]),
        ("carnegie-object", ["carnegie-objects.jsonl", "full_name"]),
    ] {
        let (_, list) = place
            .json("GET", &format!("/api/records?type={type_name}&limit=1"), String::new())
            .await;
        let id = list["items"][0]["id"].as_str().unwrap();
        let source = page(format!("/records/{id}/source")).await;
        assert!(words.iter().all(|word| source.contains(word)), "{source}");
        assert!(
            page(format!("/records/{id}"))
                .await
                .contains(&format!("/records/{id}/source"))
        );
        let (status, row) = place
            .json("GET", &format!("/api/records/{id}/source"), String::new())
            .await;
        assert_eq!((status, &row["file"]), (200, &serde_json::json!(words[0])), "{row}");
        assert!(row["values"].to_string().contains(words[1]), "{row}");
    }
    let nobody = Caller::anonymous();
    assert!(!exchange.removable_samples(&nobody).await.unwrap());
    assert!(exchange.remove_samples(&nobody).await.is_err());
    assert_eq!(exchange.remove_samples(&Caller::operator()).await.unwrap().len(), 2);
    place.worker.drain().await.unwrap();
    assert_eq!(place.records().await, 0);
    assert!(!exchange.removable_samples(&Caller::operator()).await.unwrap());
    place.close().await;
}

/// A file of the collections at hand, or `None` where they are not.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by their runner where collections are"
)]
fn collection(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var("VITRINE_TEST_DATA").map_or_else(|_| PathBuf::from("../shared/data"), PathBuf::from);
    let found = std::fs::read(folder.join(name)).ok();
    if found.is_none() {
        println!("skipped: {name} is not at hand");
    }
    found
}

async fn carnegie_goes_out_and_in(db: TestDb) {
    let Some(file) = collection("museum/cmoa-objects.jsonl.gz") else {
        return;
    };
    let place = Place::new(&db).await;
    counts(
        &place.import(&file, "type=object&infer=true&key=id").await,
        28_258,
        0,
        0,
        0,
    );
    counts(&place.import(&file, "type=object&key=id").await, 0, 0, 28_258, 0);
    round(&place, "object", 28_258).await;
    place.close().await;
}

async fn collections_of_every_kind(db: TestDb) {
    let place = Place::new(&db).await;
    let files = [
        ("museum/wcma-exhibitions.json.gz", "exhibition", 1_852),
        ("museum/nga-objects_historical_data.csv.gz", "history", 6_134),
        ("museum/nga-locations.csv.gz", "location", 1_160),
        ("herbarium/aafc-occurrence.csv", "occurrence", 1_303),
        ("herbarium/aafc-specimens-insights.jsonl.gz", "insight", 1_303),
        ("food/openfoodfacts-products-1000.jsonl.gz", "product", 1_000),
        ("small/penguins_raw.csv", "penguin-raw", 344),
        ("camtrap/observations.csv", "observation", 549),
        ("quality/bdq-test-validation.csv", "validation", 577),
    ];
    for (name, type_name, rows) in files {
        let Some(file) = collection(name) else { continue };
        let view = place
            .import(&file, &format!("type={type_name}&infer=true&name={name}"))
            .await;
        assert_eq!(
            (&view["state"], &view["created"], &view["refused"]),
            (&json!("done"), &json!(rows), &json!(0)),
            "{name}: {view}"
        );
        round(&place, type_name, rows).await;
    }
    place.close().await;
}
