//! Mappings: a foreign table comes in column by column, links find their records, what is in doubt is named; kept under a name
//! and used again; a field that is gone is refused before anything is written.

use vitrine::both;

use super::*;

both!(
    a_foreign_table_comes_in_by_a_mapping,
    dates_written_for_people_are_read_where_their_words_are_kept,
    a_mapping_that_does_not_fit_is_refused
);

const TABLE: &str = "Nr;Art;Rang;Ort;Jahr;Monat;Sammler;Gewicht;Stichworte;Sonst\n\
    1;Ursus fictus;species;Earth > Gotland;1931;2;A. Bergh;1,5;old | big;x\n\
    2;Ursus;species;Gotland;c. 18??;;B. Doe;;;y\n\
    3;Nemo;genus;Earth > Öland;1931;13;;abc;;z\n";

async fn types(place: &Place) {
    for definition in [
        json!({ "name": "spot", "title": "name", "key": "code", "parent": "above", "fields": [
            { "name": "code", "kind": "identifier", "unique": true }, { "name": "name", "kind": "text" },
            { "name": "above", "kind": "link", "target": "spot" }] }),
        json!({ "name": "kind", "title": "name", "key": "code", "fields": [
            { "name": "code", "kind": "identifier", "unique": true }, { "name": "name", "kind": "text" }, { "name": "rank", "kind": "term" }] }),
        json!({ "name": "find", "title": "number", "key": "number", "fields": [
            { "name": "number", "kind": "identifier", "unique": true }, { "name": "kind", "kind": "link", "target": "kind" },
            { "name": "kindText", "kind": "text" },
            { "name": "got", "kind": "group", "repeated": true, "fields": [
                { "name": "when", "kind": "date" }, { "name": "whenText", "kind": "text" },
                { "name": "where", "kind": "link", "target": "spot" }, { "name": "by", "kind": "text" }] },
            { "name": "weight", "kind": "number" }, { "name": "tags", "kind": "term", "repeated": true }, { "name": "state", "kind": "term" }] }),
    ] {
        let (status, view) = place.json("POST", "/api/types", definition.to_string()).await;
        assert!(status < 300, "{view}");
    }
    let spots = "code,name,above\ne,Earth,\ng,Gotland,e\ns,Sweden,e\ng2,Gotland,s\no,Öland,e\n";
    counts(
        &place.import(spots.as_bytes(), "type=spot&name=spots.csv").await,
        5,
        0,
        0,
        0,
    );
    let kinds =
        "code,name,rank\n1,Ursus fictus,species\n2,Ursus,genus\n3,Ursus,species\n4,Ursus,species\n5,Nemo,genus\n";
    counts(
        &place.import(kinds.as_bytes(), "type=kind&name=kinds.csv").await,
        5,
        0,
        0,
        0,
    );
}

fn mapping() -> Value {
    json!({ "type": "find", "decimal": ",", "date_order": "dmy", "fields": [
        { "to": "number", "from": ["Nr"] },
        { "to": "kind", "from": ["Art"], "verbatim": "kindText", "lookup": { "by": "name", "rank": "Rang" } },
        { "to": "got.where", "from": ["Ort"], "lookup": { "by": "path" } },
        { "to": "got.when", "from": ["Jahr", "Monat"], "join": "-", "verbatim": "got.whenText" },
        { "to": "got.by", "from": ["Sammler"], "values": { "A. Bergh": "Ada Bergh" }, "constant": "nobody" },
        { "to": "weight", "from": ["Gewicht"] },
        { "to": "tags", "from": ["Stichworte"], "split": "|" },
        { "to": "state", "constant": "new" },
    ] })
}

impl Place {
    async fn mapped(&self, name: &str, table: &str, mapping: &Value, dry_run: bool) -> Value {
        let (_, body) = self
            .ask("POST", &format!("/api/uploads?name={name}"), table.as_bytes().to_vec())
            .await;
        let draft: Value = serde_json::from_slice(&body).unwrap();
        let path = format!("/api/import-drafts/{}", draft["id"].as_str().unwrap());
        let (status, view) = self
            .json("PATCH", &path, json!({ "mapping": mapping }).to_string())
            .await;
        assert_eq!(status, 200, "{view}");
        let what = if dry_run { "preview" } else { "run" };
        let (status, begun) = self.json("POST", &format!("{path}/{what}"), "{}".to_owned()).await;
        if status >= 300 {
            return begun;
        }
        self.worker.drain().await.unwrap();
        self.look(begun["job"].as_str().unwrap()).await
    }
}

async fn a_foreign_table_comes_in_by_a_mapping(db: TestDb) {
    let place = Place::new(&db).await;
    types(&place).await;
    for dry_run in [true, false] {
        let view = place.mapped("foreign.csv", TABLE, &mapping(), dry_run).await;
        // The second row's place has two answers, the third one's weight is no number.
        counts(&view, 1, 0, 0, 2);
        let refused = view["refusals"].as_array().unwrap();
        assert!(
            refused.iter().any(|r| r["row"] == 2
                && r["field"] == "got.where"
                && r["message"].as_str().unwrap().contains("several answers")),
            "{view}"
        );
        assert!(
            refused.iter().any(|r| r["row"] == 3 && r["field"] == "weight"),
            "{view}"
        );
    }
    let mended = TABLE
        .replace("abc", "2")
        .replace(";Gotland;c.", ";Earth > Sweden > Gotland;c.");
    let view = place.mapped("mended.csv", &mended, &mapping(), false).await;
    counts(&view, 2, 0, 1, 0);
    let notes = view["notes"].to_string();
    assert!(
        notes.contains("Row 2, kind: \\\"Ursus\\\" has several answers"),
        "{notes}"
    );
    assert!(notes.contains("got.when"), "{notes}");
    let export = String::from_utf8(place.export("type=find&format=jsonl").await).unwrap();
    let records: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |number: &str| records.iter().find(|record| record["number"] == number).unwrap();
    let one = of("1");
    assert!(one["kind"].is_string() && one["got"][0]["where"].is_string(), "{one}");
    assert_eq!(one["got"][0]["when"], "1931-02");
    assert_eq!(
        (&one["got"][0]["by"], &one["weight"], &one["state"]),
        (&json!("Ada Bergh"), &json!(1.5), &json!("new"))
    );
    assert_eq!(
        (&one["tags"], &one["kindText"]),
        (&json!(["old", "big"]), &json!("Ursus fictus"))
    );
    let two = of("2");
    assert!(two["kind"].is_null() && two["got"][0]["when"].is_null(), "{two}");
    assert_eq!(
        (&two["got"][0]["whenText"], &two["kindText"]),
        (&json!("c. 18??"), &json!("Ursus"))
    );
    assert_eq!(
        (&of("3")["got"][0]["by"], &of("3")["got"][0]["whenText"]),
        (&json!("nobody"), &json!("1931-13"))
    );
    // The same file again, the same mapping: nothing changes.
    counts(
        &place.mapped("mended.csv", &mended, &mapping(), false).await,
        0,
        0,
        3,
        0,
    );
    // The row as it was brought is still there.
    let (_, list) = place.json("GET", "/api/records?type=find&limit=1", String::new()).await;
    let id = list["items"][0]["id"].as_str().unwrap();
    let (_, source) = place
        .json("GET", &format!("/api/records/{id}/source"), String::new())
        .await;
    assert_eq!(source["values"]["Sonst"], "x", "{source}");
    place.close().await;
}

async fn dates_written_for_people_are_read_where_their_words_are_kept(db: TestDb) {
    let place = Place::new(&db).await;
    types(&place).await;
    let mapping = json!({ "type": "find", "fields": [
        { "to": "number", "from": ["Nr"] },
        { "to": "got.when", "from": ["Wann"], "verbatim": "got.whenText" },
    ] });
    let view = place
        .mapped("words.csv", "Nr;Wann\n7;c. 1930\n8;c. 18??\n", &mapping, false)
        .await;
    counts(&view, 2, 0, 0, 0);
    let export = String::from_utf8(place.export("type=find&format=jsonl").await).unwrap();
    let records: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |number: &str| &records.iter().find(|record| record["number"] == number).unwrap()["got"][0];
    assert_eq!(
        (&of("7")["when"], &of("7")["whenText"]),
        (&json!("1930~"), &json!("c. 1930"))
    );
    assert_eq!(
        (&of("8")["when"], &of("8")["whenText"]),
        (&Value::Null, &json!("c. 18??"))
    );
    place.close().await;
}

async fn a_mapping_that_does_not_fit_is_refused(db: TestDb) {
    let place = Place::new(&db).await;
    types(&place).await;
    let path = "/api/import-mappings/Old%20herbarium";
    let (status, kept) = place.json("PUT", path, mapping().to_string()).await;
    assert_eq!(status, 200, "{kept}");
    let (_, again) = place.json("GET", path, String::new()).await;
    assert_eq!(again["mapping"], kept["mapping"]);
    assert!(again["text"].as_str().unwrap().contains("[[fields]]"), "{again}");
    let (_, list) = place.json("GET", "/api/import-mappings", String::new()).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let wrong = json!({ "type": "find", "fields": [{ "to": "wieght", "from": ["Gewicht"] }] });
    let (status, problem) = place.json("PUT", path, wrong.to_string()).await;
    assert!(status == 422 || status == 400, "{problem}");
    let said = problem.to_string();
    assert!(
        said.contains("Gewicht") && said.contains("wieght") && said.contains("weight"),
        "{said}"
    );
    // The field goes after the mapping was made.
    let (_, find) = place.json("GET", "/api/types/find", String::new()).await;
    let mut definition = if find["definition"].is_object() {
        find["definition"].clone()
    } else {
        find
    };
    for name in ["version", "id"] {
        definition.as_object_mut().unwrap().remove(name);
    }
    definition["fields"]
        .as_array_mut()
        .unwrap()
        .retain(|field| field["name"] != "weight");
    definition["fields"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "name": "mass", "kind": "number" }));
    let other = json!({ "name": "find2", "fields": definition["fields"], "key": "number", "title": "number" });
    let (status, view) = place.json("POST", "/api/types", other.to_string()).await;
    assert!(status < 300, "{view}");
    let mut moved = mapping();
    moved["type"] = json!("find2");
    let view = place.mapped("foreign.csv", TABLE, &moved, false).await;
    assert!(view.to_string().contains("does not have, or not any more"), "{view}");
    moved["type"] = json!("nowhere");
    let view = place.mapped("foreign.csv", TABLE, &moved, false).await;
    assert!(view.to_string().contains("nowhere"), "{view}");
    // A file without a column of the mapping.
    let view = place.mapped("other.csv", "Nr;Art\n9;Nemo\n", &mapping(), false).await;
    assert!(
        view["error"].as_str().unwrap().contains("which the file does not have"),
        "{view}"
    );
    // The page: the form with its preview, without scripts.
    let (_, body) = place
        .ask("POST", "/api/uploads?name=page.csv", TABLE.as_bytes().to_vec())
        .await;
    let draft: Value = serde_json::from_slice(&body).unwrap();
    let id = draft["id"].as_str().unwrap();
    let (status, _) = place
        .json("GET", &format!("/api/import-drafts/{id}"), String::new())
        .await;
    assert_eq!(status, 200);
    place.worker.drain().await.unwrap();
    let (status, page) = place.ask("GET", &format!("/import/{id}/mapping"), Vec::new()).await;
    let page = String::from_utf8(page).unwrap();
    assert_eq!(status, 200, "{page}");
    assert!(
        page.contains("Old herbarium") && page.contains("got.where") && page.contains("Ada Bergh"),
        "{page}"
    );
    let (status, text) = place
        .ask("GET", &format!("/import/{id}/mapping.toml"), Vec::new())
        .await;
    assert!(status == 200 && String::from_utf8_lossy(&text).contains("to = \"got.where\""));
    let (status, _) = place.ask("DELETE", path, Vec::new()).await;
    assert_eq!(status, 204);
    assert_eq!(place.ask("GET", path, Vec::new()).await.0, 404);
    assert_eq!(place.records().await, 10, "nothing half done");
    place.close().await;
}
