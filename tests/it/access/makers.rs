//! A contributor changes what they made and nothing else, by every way that leads to a change; who made it is what the ledger says.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use tower::ServiceExt;
use vitrine::both;
use vitrine::kernel::testing::TestDb;

use super::House;

both!(
    a_contributor_changes_what_they_made,
    a_file_changes_only_what_its_sender_may
);

impl House {
    /// Makes a record as somebody and answers its id.
    pub async fn add_as(&self, who: &str, visibility: &str, document: Value) -> String {
        let body = json!({"type": "fungus", "visibility": visibility, "document": document});
        let made = self.send(who, "POST", "/api/records", Some(&body)).await.ok().json();
        made["id"].as_str().unwrap().to_owned()
    }

    /// Sends a body with a header as somebody; answers the status and what was said.
    async fn request(&self, who: &str, method: &str, path: &str, named: (&str, &str), body: String) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {who}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(named.0, named.1)
            .body(Body::from(body));
        let response = self.anyone.clone().oneshot(request.unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn put_place(&self, who: &str, id: &str, place: &str) -> (u16, Value) {
        let seen = self.get("root", &format!("/api/records/{id}")).await.ok().json();
        let stand = format!("\"{}\"", seen["version"]);
        let body = json!({"document": {"place": place}}).to_string();
        let path = format!("/api/records/{id}");
        self.request(who, "PATCH", &path, ("if-match", &stand), body).await
    }

    async fn place_of(&self, id: &str) -> Value {
        self.get("root", &format!("/api/records/{id}")).await.ok().json()["document"]["place"].clone()
    }
}

async fn a_contributor_changes_what_they_made(db: TestDb) {
    let house = House::open(db).await;
    let own = house
        .add_as("contributor", "restricted", json!({"title": "Zqown", "place": "Bern"}))
        .await;
    let other = house
        .add_as("editor", "restricted", json!({"title": "Zqother", "place": "Bern"}))
        .await;
    assert_eq!(house.put_place("contributor", &own, "Basel").await.0, 200);
    let (status, refusal) = house.put_place("contributor", &other, "Basel").await;
    assert_eq!(status, 403, "{refusal}");
    assert!(
        refusal["detail"].as_str().unwrap().contains("for this record"),
        "{refusal}"
    );
    assert_eq!(
        house.put_place("editor", &own, "Chur").await.0,
        200,
        "an editor changes all"
    );
    assert_eq!(house.put_place("viewer", &own, "Chur").await.0, 403);
    // Who made it stays who made it, whoever changed it since.
    assert_eq!(house.put_place("contributor", &own, "Genf").await.0, 200);
    // Pages offer what can be done.
    for (id, may) in [(&own, true), (&other, false)] {
        let page = house.get("contributor", &format!("/records/{id}")).await.ok().text;
        assert_eq!(page.contains(&format!("/records/{id}/edit")), may, "{page}");
        let form = house.get("contributor", &format!("/records/{id}/edit")).await.status;
        assert_eq!(form, if may { 200 } else { 403 });
    }
    let embargo = json!({"object": format!("record:{other}"), "opens_at": "2999-01-01", "opens_to": "public"});
    let refused = house.send("contributor", "PUT", "/api/embargoes", Some(&embargo)).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    // Many at once: theirs change, the others are named.
    house.get("root", "/api/search?wait=true").await.ok();
    let order = json!({
        "select": {"type": "fungus", "ids": [own, other]},
        "action": {"do": "set", "field": "place", "value": "Zug"}
    });
    let drawn = house
        .send("contributor", "POST", "/api/batches", Some(&order))
        .await
        .ok()
        .json();
    assert_eq!(
        (&drawn["preview"]["changed"], &drawn["preview"]["refused"]),
        (&json!(1), &json!(1)),
        "{drawn}"
    );
    let run = format!("/api/batches/{}/run", drawn["id"].as_str().unwrap());
    house.send("contributor", "POST", &run, Some(&json!({}))).await.ok();
    house.drain_jobs().await;
    assert_eq!(house.place_of(&own).await, "Zug");
    assert_eq!(house.place_of(&other).await, "Bern");
    // The table writes only into rows that are theirs.
    let table = house.get("contributor", "/types/fungus/table").await.ok().text;
    let row = |id: &str| {
        let row = table
            .split("<tr ")
            .find(|row| row.contains(&format!("data-id=\"{id}\"")));
        let row = row.unwrap_or_else(|| panic!("{id} is not in {table}"));
        row.split("</tr>").next().unwrap_or_default().to_owned()
    };
    let cells =
        |row: &str| row.matches("<td").count() + row.matches("<th").count() - row.matches("class=\"tick\"").count();
    assert_eq!(row(&other).matches("data-fixed").count(), cells(&row(&other)));
    assert!(row(&own).matches("data-fixed").count() < cells(&row(&own)));
    // It can be told why, and the table says it.
    let why = async |who: &str, id: &str| {
        let path = format!("/api/access/why?object=record:{id}&permission=records.write&subject=account:{who}");
        house.get("curator", &path).await.ok().json()
    };
    let told = why("contributor", &own).await;
    assert_eq!(told["allowed"], true, "{told}");
    let way = told["way"].as_array().unwrap();
    assert!(
        way.iter()
            .any(|step| step["relation"] == "maker" && step["holder"]["name"] == "The contributor"),
        "{told}"
    );
    assert_eq!(why("contributor", &other).await["allowed"], false);
    assert_eq!(why("editor", &own).await["allowed"], true);
    let page = format!("/access/why?object=record:{own}&subject=account:contributor");
    let page = house.get("curator", &page).await.ok().text;
    assert!(page.contains("The contributor made the record."), "{page}");
    let table = house.get("", "/api/permissions").await.ok().json();
    let rows = table["items"].as_array().unwrap();
    let write = rows.iter().find(|row| row["permission"] == "records.write").unwrap();
    assert_eq!(write["own"], json!(["contributor"]));
    // Without the role it is nothing to have made it.
    house.take("contributor", "contributor", "type:fungus").await;
    house.give("contributor", "viewer", "type:fungus").await;
    assert_eq!(house.put_place("contributor", &own, "Basel").await.0, 403);
    house.running.stop().await;
}

async fn a_file_changes_only_what_its_sender_may(db: TestDb) {
    let house = House::open(db).await;
    let moss = json!({"name": "moss", "title": "title", "key": "number", "fields": [
        {"name": "number", "kind": "identifier", "unique": true},
        {"name": "title", "kind": "text"}
    ]});
    house.operator("POST", "/api/types", Some(&moss)).await.ok();
    for who in ["contributor", "editor"] {
        house.give(who, who, "type:moss").await;
    }
    let begin = async |who: &str, file: &str| {
        let path = "/api/imports?type=moss&key=number&name=moss.csv&format=csv";
        let accept = ("accept", "application/json");
        let (status, begun) = house.request(who, "POST", path, accept, file.to_owned()).await;
        assert_eq!(status, 202, "{begun}");
        house.drain_jobs().await;
        begun["job"].as_str().unwrap().to_owned()
    };
    let send = async |who: &str, file: &str, counts: [i64; 4]| {
        let job = begin(who, file).await;
        let view = house.get(who, &format!("/api/imports/{job}")).await.ok().json();
        let got = ["created", "updated", "unchanged", "refused"].map(|name| view[name].as_i64().unwrap_or(-1));
        assert_eq!(got, counts, "{view}");
        house.get(who, &format!("/api/imports/{job}/report")).await.ok().text
    };
    send("editor", "number,title\na1,Peat\na2,Hair\n", [2, 0, 0, 0]).await;
    // What says the same is no change, what is new is theirs, what another made stays.
    let mixed = "number,title\na1,Peat\na2,Hair moss\nb1,Fork\n";
    let report = send("contributor", mixed, [1, 0, 1, 1]).await;
    assert!(report.contains("somebody else made"), "{report}");
    send("contributor", "number,title\nb1,Fork moss\n", [0, 1, 0, 0]).await;
    send("editor", "number,title\nb1,Forked moss\n", [0, 1, 0, 0]).await;
    // Who may not delete does not by leaving rows out of a file.
    let path = "/api/imports?type=moss&key=number&name=moss.csv&format=csv&delete_missing=true";
    let file = "number,title\nb1,Forked moss\n".to_owned();
    let accept = ("accept", "application/json");
    let (status, refusal) = house.request("contributor", "POST", path, accept, file).await;
    assert_eq!(status, 403, "{refusal}");
    assert!(
        refusal["detail"].as_str().unwrap().contains("records.delete"),
        "{refusal}"
    );
    assert_eq!(
        house.get("root", "/api/records?type=moss").await.ok().json()["total"],
        3
    );
    // What was deleted comes back for who may bring it back.
    let listed = house.get("root", "/api/records?type=moss").await.ok().json();
    for item in listed["items"].as_array().unwrap() {
        if item["document"]["number"] == "a2" {
            house.operator_delete(item["id"].as_str().unwrap()).await;
        }
    }
    send("contributor", "number,title\na2,Hair again\n", [0, 0, 0, 1]).await;
    send("editor", "number,title\na2,Hair again\n", [0, 1, 0, 0]).await;
    house.running.stop().await;
}
