//! Records and fields that open at a date: hidden before from everybody without the right, and found from then on without
//! anybody touching them.

use std::time::Duration;

use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::clock::rfc3339;
use vitrine::kernel::testing::TestDb;

use super::House;

both!(what_is_closed_opens_at_its_date, who_may_say_when_something_opens);

const DAY: i64 = 86_400_000;

impl House {
    /// So many days from now.
    fn in_days(&self, days: i64) -> String {
        rfc3339(self.db.clock().now() + days * DAY)
    }

    async fn opens(&self, who: &str, object: &str, at: &str, to: &str) -> super::Answer {
        let body = json!({"object": object, "opens_at": at, "opens_to": to});
        self.send(who, "PUT", "/api/embargoes", Some(&body)).await
    }

    /// How many records nobody in particular finds by a word, once the index has followed.
    async fn found(&self, word: &str) -> Value {
        let answer = self
            .get("", &format!("/api/search?q={word}&wait=true"))
            .await
            .ok()
            .json();
        answer["total"].clone()
    }
}

async fn what_is_closed_opens_at_its_date(db: TestDb) {
    let house = House::open(db).await;
    let id = house
        .add_as("contributor", "restricted", json!({"title": "Zqembargo morel"}))
        .await;
    let open = house
        .add(
            "fungus",
            "public",
            json!({"title": "Zqopen truffle", "donor": "Zqdonor"}),
        )
        .await;
    let (record, field) = (format!("record:{id}"), "type:fungus#donor");
    house
        .opens("contributor", &record, &house.in_days(10), "public")
        .await
        .ok();
    // Said anew: later. What was said before holds no more.
    house
        .opens("contributor", &record, &house.in_days(30), "public")
        .await
        .ok();
    let jobs = house
        .operator("GET", "/api/jobs?kind=records.embargo&state=waiting", None)
        .await
        .ok()
        .json();
    let key = format!("unique/records.embargo/{record}");
    let times: Vec<&str> = jobs["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|job| job["ordering_key"] == json!(key))
        .map(|job| job["run_at"].as_str().unwrap())
        .collect();
    assert!(
        times.len() == 1 && times[0] > house.in_days(29).as_str(),
        "one job, which took the new time: {jobs}"
    );
    house.opens("curator", field, &house.in_days(20), "public").await.ok();
    let list = house.get("curator", "/api/embargoes").await.ok().json();
    let listed: Vec<&str> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["object"].as_str().unwrap())
        .collect();
    assert_eq!(listed, [field, &record], "the next first");
    let page = house.get("curator", &format!("/records/{id}")).await.ok().text;
    assert!(page.contains("Opens on"), "{page}");
    let page = house.get("curator", "/embargoes").await.ok().text;
    assert!(
        page.contains("Zqembargo morel") && page.contains("Fungus · Donor"),
        "{page}"
    );
    let page = house
        .get("contributor", &format!("/embargoes?object={record}"))
        .await
        .ok()
        .text;
    assert!(page.contains("Keep it closed"), "{page}");
    house.get("curator", "/embargoes?type=fungus").await.ok();
    let donor = async |who: &str| {
        let seen = house.get(who, &format!("/api/records/{open}")).await.ok().json();
        seen["document"]["donor"].clone()
    };
    // Ten days, twenty, thirty: each opens at its own.
    for (days, records, fields) in [(11, false, false), (10, false, true), (10, true, true)] {
        house.db.clock().advance(days * DAY);
        house.drain_jobs().await;
        let seen = house.get("", &format!("/api/records/{id}")).await.status;
        assert_eq!(seen == 200, records, "after {days} more days: {seen}");
        assert_eq!(house.found("zqembargo").await, json!(usize::from(records)));
        assert_eq!(donor("").await, if fields { json!("Zqdonor") } else { Value::Null });
        // A field that opens is looked up in every record again, beside everybody's work.
        let all = async {
            while house.found("zqdonor").await != json!(usize::from(fields)) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
        let listed = house.get("", "/api/records?type=fungus").await.ok().json();
        assert_eq!(listed["total"], json!(1 + usize::from(records)));
    }
    let list = house.get("curator", "/api/embargoes").await.ok().json();
    assert_eq!(list["items"], json!([]), "what is open opens no more");
    let history = house
        .get("curator", &format!("/api/records/{id}/history"))
        .await
        .ok()
        .json();
    assert_eq!(history["items"][0]["change"]["kind"], "embargo.open", "{history}");
    assert_eq!(history["items"][0]["change"]["actor"], "system");
    assert_eq!(history["items"][0]["visibility"], "public");
    house.running.stop().await;
}

async fn who_may_say_when_something_opens(db: TestDb) {
    let house = House::open(db).await;
    let id = house
        .add_as("contributor", "restricted", json!({"title": "A secret"}))
        .await;
    let plain = house.add_as("contributor", "public", json!({"title": "Open"})).await;
    let (record, later) = (format!("record:{id}"), house.in_days(3));
    for (who, object, at, to, status) in [
        ("", record.as_str(), later.as_str(), "public", 401),
        ("stranger", &record, &later, "public", 403),
        ("viewer", &record, &later, "public", 403),
        ("contributor", "type:fungus#donor", &later, "public", 403),
        ("contributor", &record, "2020-01-01", "public", 422),
        ("contributor", &record, "tomorrow", "public", 422),
        ("contributor", &record, &later, "restricted", 422),
        ("contributor", &record, &later, "everybody", 422),
        ("contributor", &format!("record:{plain}"), &later, "public", 422),
        ("contributor", "record:1", &later, "public", 422),
        ("contributor", "house", &later, "public", 422),
        ("curator", "type:fungus#none", &later, "public", 422),
        ("curator", "type:fungus#title", &later, "public", 422),
        ("curator", "type:bird#donor", &later, "public", 403),
        ("curator", "type:none#donor", &later, "public", 404),
        ("contributor", &record, &later, "members", 204),
    ] {
        let answer = house.opens(who, object, at, to).await;
        assert_eq!(answer.status, status, "{who} {object} {at} {to}: {}", answer.text);
    }
    // Others see neither it nor that it will open.
    let list = house.get("viewer", "/api/embargoes").await;
    assert_eq!(list.status, 403);
    house.give("viewer", "contributor", "type:bird").await;
    let list = house.get("viewer", "/api/embargoes").await.ok().json();
    assert_eq!(list["items"], json!([]));
    assert_eq!(house.get("stranger", &format!("/records/{id}")).await.status, 404);
    let gone = format!("/api/embargoes?object={record}");
    assert_eq!(house.send("viewer", "DELETE", &gone, None).await.status, 403);
    house.send("contributor", "DELETE", &gone, None).await.ok();
    assert_eq!(house.send("contributor", "DELETE", &gone, None).await.status, 404);
    house.db.clock().advance(4 * DAY);
    house.drain_jobs().await;
    assert_eq!(
        house.get("stranger", &format!("/api/records/{id}")).await.status,
        404,
        "it stays closed"
    );
    // To members, not to everybody; and a record that is deleted meanwhile opens nothing.
    let later = house.in_days(3);
    house.opens("editor", &record, &later, "members").await.ok();
    let deleted = house.add("fungus", "restricted", json!({"title": "Gone"})).await;
    house
        .opens("editor", &format!("record:{deleted}"), &later, "public")
        .await
        .ok();
    house.operator_delete(&deleted).await;
    house.db.clock().advance(4 * DAY);
    house.drain_jobs().await;
    assert_eq!(house.get("stranger", &format!("/api/records/{id}")).await.status, 200);
    assert_eq!(house.get("", &format!("/api/records/{id}")).await.status, 404);
    assert_eq!(house.get("", &format!("/api/records/{deleted}")).await.status, 404);
    let failed = house.operator("GET", "/api/jobs?state=failed", None).await.ok().json();
    assert_eq!(failed["items"], json!([]), "{failed}");
    house.running.stop().await;
}
