//! Records go out as files and come in again without a change; large ones as jobs.

use vitrine::both;

use super::*;

both!(
    what_goes_out_comes_in_unchanged,
    an_export_is_a_job_and_a_file,
    everything_comes_as_one_archive_made_of_parts,
    sheets_say_what_they_cannot_hold
);

async fn what_goes_out_comes_in_unchanged(db: TestDb) {
    let place = Place::new(&db).await;
    counts(
        &place
            .import(museum(250).as_bytes(), "type=thing&infer=true&key=id")
            .await,
        250,
        0,
        0,
        0,
    );
    round(&place, "thing", 250).await;
    let table = String::from_utf8(place.export("type=thing&format=csv").await).unwrap();
    assert!(table.starts_with("vitrine:id,id,title,"), "{}", &table[..100]);
    let risky = table
        .split([',', '\n'])
        .find(|cell| cell.trim_matches('"').starts_with(['=', '@']));
    assert_eq!(risky, None, "no cell is a formula");
    // Without a key too: each row names its record.
    counts(
        &place
            .import(
                b"species,sex,\"=odd\"\nAdelie,male,'=1\nAdelie,,-5\n",
                "type=bird&infer=true",
            )
            .await,
        2,
        0,
        0,
        0,
    );
    round(&place, "bird", 2).await;
    place.close().await;
}

async fn an_export_is_a_job_and_a_file(db: TestDb) {
    let place = Place::new(&db).await;
    place
        .import(museum(300).as_bytes(), "type=thing&infer=true&key=id")
        .await;
    for format in ["csv", "json", "jsonl", "xlsx"] {
        let order = json!({ "type": "thing", "format": format }).to_string();
        let (status, begun) = place.json("POST", "/api/exports", order.clone()).await;
        assert_eq!((status, &begun["state"]), (202, &json!("waiting")), "{begun}");
        let path = format!("/api/exports/{}", begun["job"].as_str().unwrap());
        let (_, again) = place.json("POST", "/api/exports", order).await;
        assert_eq!(again["job"], begun["job"], "the same order joins");
        let (status, early) = place.ask("GET", &format!("{path}/file"), Vec::new()).await;
        assert_eq!(status, 409, "{}", String::from_utf8_lossy(&early));
        place.worker.drain().await.unwrap();
        let (_, done) = place.json("GET", &path, String::new()).await;
        assert_eq!(
            (&done["state"], &done["done"], &done["total"]),
            (&json!("done"), &json!(300), &json!(300)),
            "{done}"
        );
        let (status, file) = place.ask("GET", done["file"].as_str().unwrap(), Vec::new()).await;
        assert_eq!((status, file.len() as u64), (200, done["bytes"].as_u64().unwrap()));
        assert_eq!(
            file,
            place.export(&format!("type=thing&format={format}")).await,
            "{format}"
        );
        counts(&place.import(&file, "type=thing").await, 0, 0, 300, 0);
    }
    for (order, status) in [
        (json!({ "type": "thing", "format": "ods" }), 422),
        (json!({ "type": "nothing", "format": "csv" }), 404),
        (json!({ "type": "thing", "format": "csv", "colour": 1 }), 422),
    ] {
        let (got, problem) = place.json("POST", "/api/exports", order.to_string()).await;
        assert!(got == status || got == 400, "{problem}");
    }
    let (status, _) = place
        .json("GET", &format!("/api/exports/{}", "0".repeat(36)), String::new())
        .await;
    assert_eq!(status, 404);
    place.close().await;
}

async fn sheets_say_what_they_cannot_hold(db: TestDb) {
    let place = Place::new(&db).await;
    let long = format!("id,note\na,{}\n", "x".repeat(40_000));
    place.import(long.as_bytes(), "type=box&infer=true&key=id").await;
    let order = json!({ "type": "box", "format": "xlsx" }).to_string();
    let (_, begun) = place.json("POST", "/api/exports", order).await;
    place.worker.drain().await.unwrap();
    let path = format!("/api/exports/{}", begun["job"].as_str().unwrap());
    let (_, failed) = place.json("GET", &path, String::new()).await;
    assert_eq!(failed["state"], "failed", "{failed}");
    assert!(
        failed["error"]
            .as_str()
            .unwrap()
            .contains("Export as CSV or JSON lines"),
        "{failed}"
    );
    place.close().await;
}

/// The content of the first member of an archive.
fn first_of(archive: &[u8]) -> (String, Vec<u8>) {
    use std::io::Read as _;
    let length = usize::from(u16::from_le_bytes([archive[26], archive[27]]));
    let name = String::from_utf8(archive[30..30 + length].to_vec()).unwrap();
    let mut content = Vec::new();
    let mut packed = flate2::read::DeflateDecoder::new(&archive[30 + length..]);
    packed.read_to_end(&mut content).unwrap();
    (name, content)
}

async fn everything_comes_as_one_archive_made_of_parts(db: TestDb) {
    let place = Place::new(&db).await;
    place
        .import(museum(40).as_bytes(), "type=thing&infer=true&key=id")
        .await;
    place
        .import(b"species,sex\nAdelie,male\nGentoo,female\n", "type=bird&infer=true")
        .await;
    let order = json!({ "format": "jsonl" }).to_string();
    let (status, begun) = place.json("POST", "/api/exports", order.clone()).await;
    assert_eq!(status, 202, "{begun}");
    let parts = |ended: i64| json!({"total": 2, "ended": ended, "failed": 0, "percent": ended * 50});
    assert_eq!(begun["parts"], parts(0), "{begun}");
    let job = begun["job"].as_str().unwrap();
    let (_, again) = place.json("POST", "/api/exports", order).await;
    assert_eq!(again["job"], job, "the same order joins, and makes no parts of its own");
    let (_, view) = place.json("GET", &format!("/api/jobs/{job}"), String::new()).await;
    assert_eq!(view["wait"], json!({"reason": "parts", "ended": 0, "of": 2}), "{view}");
    place.worker.drain().await.unwrap();
    let path = format!("/api/exports/{job}");
    let (_, done) = place.json("GET", &path, String::new()).await;
    assert_eq!((&done["state"], &done["parts"]), (&json!("done"), &parts(2)), "{done}");
    let (status, archive) = place.ask("GET", done["file"].as_str().unwrap(), Vec::new()).await;
    assert_eq!((status, archive.len() as u64), (200, done["bytes"].as_u64().unwrap()));
    let (name, content) = first_of(&archive);
    assert_eq!(name, "bird.jsonl");
    assert_eq!(content, place.export("type=bird&format=jsonl").await);
    // The parts leave nothing behind: one file is kept, and stands on the page.
    let (kept,): (i64,) = sql("SELECT COUNT(*) FROM export_file WHERE blob IS NOT NULL")
        .one(&place.house.app.kernel.db)
        .await
        .unwrap();
    assert_eq!(kept, 1);
    let (status, page) = place.ask("GET", "/exports", Vec::new()).await;
    let page = String::from_utf8(page).unwrap();
    assert!(status == 200 && page.contains(&format!("{path}/file")), "{page}");
    assert_eq!(page.matches("<tr>").count(), 2, "a head and one export: {page}");
    // Part of it cannot be written: nothing is taken for the whole.
    let long = format!("id,note\na,{}\n", "x".repeat(40_000));
    place.import(long.as_bytes(), "type=box&infer=true&key=id").await;
    let (_, begun) = place
        .json("POST", "/api/exports", json!({ "format": "xlsx" }).to_string())
        .await;
    place.worker.drain().await.unwrap();
    let path = format!("/api/exports/{}", begun["job"].as_str().unwrap());
    let (_, failed) = place.json("GET", &path, String::new()).await;
    let error = failed["error"].as_str().unwrap();
    assert!(
        failed["state"] == "failed" && error.contains("The export of box ended as failed"),
        "{failed}"
    );
    for (order, status) in [
        (json!({ "format": "jsonl", "q": "teapot" }), 422),
        (json!({ "format": "dwca" }), 422),
    ] {
        let (got, problem) = place.json("POST", "/api/exports", order.to_string()).await;
        assert_eq!(got, status, "{problem}");
    }
    place.close().await;
}
