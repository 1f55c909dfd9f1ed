//! Files of every make come in as they were meant: packed, in old encodings, with decimal commas, as workbooks.

use vitrine::both;

use super::*;

both!(a_file_is_read_as_was_said, workbooks_come_in_and_say_what_they_did);

async fn kinds(place: &Place, type_name: &str) -> Vec<(String, String)> {
    let (_, found) = place
        .json("GET", &format!("/api/types/{type_name}"), String::new())
        .await;
    let fields = found["fields"]
        .as_array()
        .or_else(|| found["definition"]["fields"].as_array());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    fields
        .unwrap()
        .iter()
        .map(|f| (text(&f["name"]), text(&f["kind"])))
        .collect()
}

async fn a_file_is_read_as_was_said(db: TestDb) {
    let place = Place::new(&db).await;
    let table = "Report;;;\n;;;\nnr;title;height;made\nA-1;Sch\u{fc}ssel;1.234,50;3.4.1921\nA-2;Vase \u{e9}t\u{e9};0,5;31.12.1920\nA-3;Bowl;12;1.1.1900\n";
    let bytes: Vec<u8> = table.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    // As it stands, what is in doubt stays text.
    let view = place
        .import(&gzip(&bytes), "type=plain&infer=true&key=nr&name=a.csv.gz")
        .await;
    counts(&view, 3, 0, 0, 0);
    let notes = view["notes"].to_string();
    assert!(
        notes.contains("read as windows-1252") && notes.contains("Row 3 is taken"),
        "{notes}"
    );
    let kind = |kinds: &[(String, String)], name: &str| kinds.iter().find(|(n, _)| n == name).unwrap().1.clone();
    let found = kinds(&place, "plain").await;
    assert_ne!(
        (kind(&found, "height"), kind(&found, "made")),
        ("number".to_owned(), "date".to_owned())
    );
    let file = place.export("type=plain&format=jsonl").await;
    assert!(String::from_utf8_lossy(&file).contains("\"height\":\"1.234,50\",\"made\":\"3.4.1921\""));
    // Said, it is what it says.
    let said = "infer=true&key=nr&decimal=,&date_order=dmy&encoding=windows-1252&delimiter=;&header_row=3";
    counts(&place.import(&bytes, &format!("type=said&{said}")).await, 3, 0, 0, 0);
    let found = kinds(&place, "said").await;
    assert_eq!(
        (kind(&found, "height"), kind(&found, "made")),
        ("number".to_owned(), "date".to_owned())
    );
    let file = place.export("type=said&format=jsonl").await;
    let file = String::from_utf8_lossy(&file);
    assert!(
        file.contains("\"title\":\"Sch\u{fc}ssel\",\"height\":1234.5,\"made\":\"1921-04-03\""),
        "{file}"
    );
    counts(&place.import(&bytes, &format!("type=said&{said}")).await, 0, 0, 3, 0);
    round(&place, "said", 3).await;
    // A value that does not fit what was said is refused by its row.
    let bad = "nr;title;height;made\nA-4;x;1,5;13.13.1921\nA-5;y;2,5;1.2.1921\n";
    let view = place.import(bad.as_bytes(), "type=said&decimal=,&date_order=dmy").await;
    counts(&view, 1, 0, 0, 1);
    for wrong in ["decimal=x", "date_order=ydm", "encoding=klingon", "header_row=99"] {
        let (status, body) = place
            .ask("POST", &format!("/api/imports?type=said&{wrong}"), bytes.clone())
            .await;
        if status == 202 {
            place.worker.drain().await.unwrap();
            let begun: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(
                place.look(begun["job"].as_str().unwrap()).await["state"],
                "failed",
                "{wrong}"
            );
        } else {
            assert_eq!(status, 400, "{wrong}: {}", String::from_utf8_lossy(&body));
        }
    }
    place.close().await;
}

async fn workbooks_come_in_and_say_what_they_did(db: TestDb) {
    let place = Place::new(&db).await;
    place
        .import(museum(40).as_bytes(), "type=thing&infer=true&key=id")
        .await;
    let book = place.export("type=thing&format=xlsx").await;
    assert!(book.starts_with(b"PK"));
    // What one house writes another one reads, into a type of its own.
    let view = place.import(&book, "type=copy&infer=true&name=thing.xlsx").await;
    assert_eq!(view["state"], "done", "{view}");
    let cut = place.import(&book[..book.len() / 2], "type=thing").await;
    assert!(cut["error"].as_str().unwrap().contains("cut short"), "{cut}");
    let view = place.import(&book, "type=thing&sheet=Things").await;
    assert!(
        view["error"]
            .as_str()
            .unwrap()
            .contains("has no sheet \"Things\". It has: thing"),
        "{view}"
    );
    let left = std::fs::read_dir(place.house.app.kernel.data.root().join("spool"))
        .unwrap()
        .count();
    assert_eq!(left, 0, "nothing is left of files that were laid down");
    place.close().await;
}
