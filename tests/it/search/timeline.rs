//! Records in time over HTTP: each column of a timeline finds what it counts, and the date shown is the record's own.

use std::collections::BTreeMap;

use scraper::{Html, Selector};
use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::TestDb;

use super::map::garden;
use super::{House, ask};

both!(
    every_column_of_a_timeline_finds_what_it_counts,
    a_timeline_shows_when_records_were_not_their_makers
);

async fn every_column_of_a_timeline_finds_what_it_counts(db: TestDb) {
    let house = garden(db).await;
    let mut seen = BTreeMap::new();
    for narrowed in [
        "",
        "&filter=planted:1800..1899",
        "&filter=planted:1860..1869",
        "&filter=planted:1861",
    ] {
        let (status, page) = house.page(&format!("/search?type=tree&view=timeline{narrowed}")).await;
        assert_eq!(status, 200);
        let html = Html::parse_document(&page);
        let rows = Selector::parse(".timeline .plot-table tbody tr").unwrap();
        let (link, count) = (Selector::parse("a").unwrap(), Selector::parse(".num").unwrap());
        for row in html.select(&rows) {
            let counted: u64 = row
                .select(&count)
                .next()
                .unwrap()
                .text()
                .collect::<String>()
                .parse()
                .unwrap();
            let Some(link) = row.select(&link).next() else {
                assert_eq!(counted, 0);
                continue;
            };
            let label: String = link.text().collect();
            let (_, found) = house.page(link.attr("href").unwrap()).await;
            // What is in use leads back to everything.
            if link.attr("href").unwrap().contains("filter=") {
                let told = format!("<strong class=\"num\">{counted} record");
                assert!(found.contains(&told), "{narrowed} {label}: {counted}");
            }
            seen.insert(label, counted);
        }
    }
    // By decade, then by year.
    assert_eq!(
        (seen.get("1850 – 1859"), seen.get("1860 – 1869")),
        (Some(&3), Some(&3)),
        "{seen:?}"
    );
    assert_eq!((seen.get("1861"), seen.get("1860")), (Some(&2), Some(&1)), "{seen:?}");
    // The same for programs.
    let line = async |question: &str| {
        let path = format!("/api/search/timeline?{question}");
        ask(&house.anyone, "GET", &path, None, None).await
    };
    let decades = line("field=planted&type=tree").await.body;
    assert_eq!(decades["missing"], 1);
    let told: Vec<_> = decades["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["value"].clone())
        .collect();
    assert!(told.contains(&json!("1850..1859")) && told.len() == 14, "{decades}");
    let years = line("field=planted&from=1860&to=1869&q=yew").await.body;
    assert_eq!(
        years["values"][1],
        json!({"value": "1861..1861", "count": 1}),
        "{years}"
    );
    for bad in [
        "field=nothing",
        "field=planted&from=1",
        "field=planted&from=2&to=1",
        "field=planted&columns=1",
    ] {
        assert_eq!(line(bad).await.status, 422, "{bad}");
    }
    assert_eq!(line("field=name").await.body["values"], json!([]), "words have no time");
    let (_, all) = house.page("/search?type=tree&view=timeline").await;
    assert!(all.contains("1 record without a date"));
    for bad in [
        "time=nothing",
        "filter=planted:9..1",
        "filter=planted:-999999999999..999999999999",
        "filter=planted:..",
    ] {
        assert_eq!(
            house.page(&format!("/search?type=tree&view=timeline&{bad}")).await.0,
            200,
            "{bad}"
        );
    }
    let (_, added) = house.page("/search?type=tree&facet=place.latitude&facet=nothing").await;
    assert!(added.contains("Put this filter away") && added.contains("name=\"span\" value=\"place.latitude\""));
    let (_, none) = house.page("/search?view=timeline&q=nothingatall").await;
    assert!(none.contains("Nothing was found") && none.contains("None of these records has a date"));
    house.close().await;
}

async fn a_timeline_shows_when_records_were_not_their_makers(db: TestDb) {
    let house = House::open(db).await;
    house
        .send(
            "/api/types",
            &json!({
                "name": "pot", "title": "name", "visibility": "public",
                "fields": [
                    {"name": "name", "kind": "text"},
                    {"name": "maker", "kind": "group", "repeated": true, "fields": [
                        {"name": "born", "kind": "date"}
                    ]},
                    {"name": "found", "kind": "date"},
                    {"name": "made", "kind": "date"}
                ]
            }),
        )
        .await;
    for n in 0..10 {
        let found = (n == 0).then_some("1990");
        let document = json!({
            "name": format!("Pot {n}"), "found": found, "made": format!("18{n}0"),
            "maker": [{"born": "1801"}, {"born": "1802"}]
        });
        let body = json!({"type": "pot", "visibility": "public", "document": document});
        house.send("/api/records", &body).await;
    }
    house.find("wait=true&limit=0").await;
    let title = async |narrowed: &str| {
        let (status, page) = house.page(&format!("/search?type=pot&view=timeline{narrowed}")).await;
        assert_eq!(status, 200);
        let html = Html::parse_document(&page);
        let shown = Selector::parse(".timeline .chips [aria-current]").unwrap();
        let shown = html.select(&shown).map(|chip| chip.text().collect::<String>());
        shown.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(title("").await, "Made", "most records fill it, and it is their own");
    assert_eq!(
        title("&filter=found:1990..1999").await,
        "Found",
        "what is narrowed is shown"
    );
    assert_eq!(
        title("&time=maker.born").await,
        "Maker › Born",
        "what is asked for is shown"
    );
    assert_eq!(title("&time=nothing").await, "Made");
    assert_eq!(title("&q=nothingatall").await, "Found", "of nothing the first");
    // Beside the results stands the record's own date, too.
    let (_, page) = house.page("/search?type=pot").await;
    assert!(page.contains("name=\"span\" value=\"found\"") && !page.contains("name=\"span\" value=\"maker.born\""));
    house.close().await;
}
