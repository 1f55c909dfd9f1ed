//! Files come in: once, whole, or refused row by row, and never by halves.

use vitrine::both;

use super::*;

both!(
    a_file_comes_in_once,
    bad_rows_are_named_and_the_rest_comes_in,
    bad_files_say_what_to_do,
    types_grow_and_keep_their_kinds,
    a_dry_run_writes_nothing,
    rows_that_are_gone_can_be_deleted,
    a_collection_without_a_key_gets_one,
);

async fn a_file_comes_in_once(db: TestDb) {
    let place = Place::new(&db).await;
    let lines = museum(120);
    let first = place
        .import(
            &gzip(lines.as_bytes()),
            "type=thing&infer=true&key=id&name=museum.jsonl.gz",
        )
        .await;
    counts(&first, 120, 0, 0, 0);
    assert_eq!(
        (&first["new_type"], &first["key"], &first["rows"]),
        (&json!(true), &json!("id"), &json!(120))
    );
    let again = place.import(&gzip(lines.as_bytes()), "type=thing&key=id").await;
    counts(&again, 0, 0, 120, 0);
    let array = format!("\u{feff}[{}]", lines.trim().replace('\n', ",\n"));
    counts(&place.import(array.as_bytes(), "type=thing").await, 0, 0, 120, 0);
    let changed = lines.replace("Teapot 5\"", "Teapot five\"");
    counts(
        &place.import(changed.as_bytes(), "type=thing&reason=spelling").await,
        0,
        1,
        119,
        0,
    );
    assert_eq!(place.records().await, 120);
    let (sets,): (i64,) = sql("SELECT COUNT(*) FROM change_set WHERE kind = 'import'")
        .one(&*db)
        .await
        .unwrap();
    assert_eq!(sets, 4, "each import is one change set");
    let job = place.begin(lines.as_bytes(), "type=thing").await;
    assert_eq!(
        place.begin(lines.as_bytes(), "type=thing&name=other").await,
        job,
        "the same import joins"
    );
    place.worker.drain().await.unwrap();
    // Without a key, rows are recognised by the file they are in.
    let table = b"species,sex\nAdelie,male\nAdelie,\nGentoo,NA\n";
    counts(
        &place.import(table, "type=bird&infer=true&missing=NA").await,
        3,
        0,
        0,
        0,
    );
    counts(&place.import(table, "type=bird&missing=NA").await, 0, 0, 3, 0);
    place.close().await;
}

async fn bad_rows_are_named_and_the_rest_comes_in(db: TestDb) {
    let place = Place::new(&db).await;
    let good: String = (0..20).map(|n| format!("a{n},{n}\n")).collect();
    counts(
        &place
            .import(format!("id,size\n{good}").as_bytes(), "type=box&infer=true&key=id")
            .await,
        20,
        0,
        0,
        0,
    );
    let bad = format!("id,size\nb1,1\nb2,large\nb3\nb1,5\n,7\nb4,\"2\"\n\"b\n5\",\n{good}=cmd(),x\n");
    let view = place.import(bad.as_bytes(), "type=box").await;
    counts(&view, 3, 0, 20, 5);
    let job = view["job"].as_str().unwrap();
    let (_, report) = place
        .ask("GET", &format!("/api/imports/{job}/report"), Vec::new())
        .await;
    let report = String::from_utf8(report).unwrap();
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines[0], "row,line,field,message,value");
    assert!(
        lines[1].starts_with("2,3,size,") && lines[1].ends_with(",large"),
        "{report}"
    );
    assert!(
        lines[2].starts_with("3,4,,") && lines[2].contains("1 cells, the header has 2"),
        "{report}"
    );
    assert!(
        lines[3].starts_with("4,5,id,") && lines[3].contains("stands already in row 1"),
        "{report}"
    );
    assert!(
        lines[4].starts_with("5,6,id,") && lines[5].starts_with("28,30,size,"),
        "{report}"
    );
    // The page of the change leads to it.
    let (_, job_view) = place.json("GET", &format!("/api/jobs/{job}"), String::new()).await;
    let set = job_view["result"]["set_id"].as_str().unwrap();
    let (_, page) = place.ask("GET", &format!("/changes/{set}"), Vec::new()).await;
    let page = String::from_utf8(page).unwrap();
    assert!(
        page.contains(&format!("/api/imports/{job}/report")) && page.contains("Refused rows: 5"),
        "{page}"
    );
    assert!(std::path::Path::new(view["report_path"].as_str().unwrap()).exists());
    assert_eq!(view["refusals"][0]["line"], 3);
    let deep = format!(
        "{{\"id\":\"d\",\"size\":{}1{}}}\n{{\"id\":\"e\",\"size\":5}}\n",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    counts(&place.import(deep.as_bytes(), "type=box").await, 1, 0, 0, 1);
    let (status, empty) = place
        .ask("GET", &format!("/api/imports/{}/report", "0".repeat(36)), Vec::new())
        .await;
    assert_eq!(status, 404, "{}", String::from_utf8_lossy(&empty));
    place.close().await;
}

async fn bad_files_say_what_to_do(db: TestDb) {
    let place = Place::new(&db).await;
    counts(
        &place.import(b"id,size\na,1\nb,2\n", "type=box&infer=true&key=id").await,
        2,
        0,
        0,
        0,
    );
    let zeros = gzip(&[&b"id,size\n"[..], &vec![b'0'; 64 << 20]].concat());
    let cases: [(&[u8], &str, &str); 12] = [
        (b"", "type=box", "is empty"),
        (b"id,size\n", "type=box", "has no rows"),
        (b"id,size,size\na,1,2\n", "type=box", "no field \"size (2)\""),
        (b"id,siz\na,1\n", "type=box", "\"siz\" (did you mean \"size\"?)"),
        (b"{\"id\":\"a\",\"colour\":1}\n", "type=box", "no field \"colour\""),
        (b"id,size\na,1\n", "type=bok", "Did you mean \"box\"?"),
        (b"id,size\na,1\n", "type=other&infer=true&key=nr", "a field \"nr\""),
        (b"id,size\na,1\n", "type=box&key=size", "not unique in it"),
        (
            b"a,b\n1,1\n1,1\n",
            "type=pair&infer=true&delete_missing=true",
            "needs a key",
        ),
        (b"PK\x03\x04xxxx", "type=box", "cut short"),
        (b"[{\"id\":\"a\",\"size\":1}", "type=box", "its end is missing"),
        (&zeros, "type=box&infer=true", "times its size"),
    ];
    for (file, query, says) in cases {
        let view = place.import(file, query).await;
        assert_eq!(view["state"], "failed", "{view}");
        assert!(view["error"].as_str().unwrap().contains(says), "{says}: {view}");
    }
    let (status, body) = place.ask("POST", "/api/imports?type=box&infr=true", Vec::new()).await;
    assert!(
        status == 400 && String::from_utf8_lossy(&body).contains("infer"),
        "{}",
        String::from_utf8_lossy(&body)
    );
    assert_eq!(place.records().await, 2, "nothing was lost or half done");
    place.close().await;
}

async fn types_grow_and_keep_their_kinds(db: TestDb) {
    let place = Place::new(&db).await;
    place.import(b"id,size\na,1\nb,2\n", "type=box&infer=true&key=id").await;
    let view = place
        .import(b"id,size,colour\na,1,red\nc,wide,blue\n", "type=box&infer=true")
        .await;
    counts(&view, 0, 1, 0, 1);
    assert_eq!(view["new_fields"], json!(["colour"]));
    assert!(
        view["refusals"][0]["message"]
            .as_str()
            .unwrap()
            .contains("whole number"),
        "{view}"
    );
    let view = place
        .import(b"id,size\nz,1\n", "type=box&infer=true&visibility=public")
        .await;
    assert_eq!(
        view["state"], "failed",
        "an import does not open what is closed: {view}"
    );
    place.close().await;
}

async fn a_dry_run_writes_nothing(db: TestDb) {
    let place = Place::new(&db).await;
    let view = place
        .import(b"id,size\na,1\nb,2\na,3\n", "type=box&infer=true&key=id&dry_run=true")
        .await;
    counts(&view, 2, 0, 0, 1);
    assert_eq!((&view["dry_run"], &view["set_id"]), (&json!(true), &Value::Null));
    let (sets, types): (i64, i64) = sql("SELECT (SELECT COUNT(*) FROM change_set), (SELECT COUNT(*) FROM record_type)")
        .one(&*db)
        .await
        .unwrap();
    assert_eq!((sets, types, place.records().await), (0, 0, 0));
    counts(
        &place.import(b"id,size\na,1\nb,2\n", "type=box&infer=true&key=id").await,
        2,
        0,
        0,
        0,
    );
    let view = place
        .import(b"id,size\na,9\nc,2\n", "type=box&dry_run=true&delete_missing=true")
        .await;
    counts(&view, 1, 1, 0, 0);
    assert_eq!(view["deleted"], 1);
    assert_eq!(place.records().await, 2);
    place.close().await;
}

async fn rows_that_are_gone_can_be_deleted(db: TestDb) {
    let place = Place::new(&db).await;
    place
        .import(b"id,size\na,1\nb,2\nc,3\n", "type=box&infer=true&key=id")
        .await;
    let view = place
        .import(b"id,size\nb,2\nd,4\n", "type=box&delete_missing=true")
        .await;
    counts(&view, 1, 0, 1, 0);
    assert_eq!((&view["deleted"], place.records().await), (&json!(2), 2));
    let view = place
        .import(b"id,size\nb,2\nragged\n", "type=box&delete_missing=true")
        .await;
    counts(&view, 0, 0, 1, 1);
    assert_eq!(
        (&view["deleted"], place.records().await),
        (&json!(0), 2),
        "an unreadable row could be any record"
    );
    // What comes back is the record it was.
    counts(&place.import(b"id,size\na,1\n", "type=box").await, 0, 1, 0, 0);
    place.close().await;
}

/// The second file names the key that the first import did without: by it the records are found again.
async fn a_collection_without_a_key_gets_one(db: TestDb) {
    let place = Place::new(&db).await;
    let rows = |count: usize, twice: usize| -> String {
        let number = |n: usize| if n == twice { 0 } else { n };
        let row = |n: usize| format!("plate {},Plate {n}\n", number(n));
        format!("label,title\n{}", (0..count).map(row).collect::<String>())
    };
    let first = place.import(rows(400, 0).as_bytes(), "type=plate&infer=true").await;
    counts(&first, 400, 0, 0, 0);
    assert_eq!(first["key"], Value::Null);
    let tried = place
        .import(rows(401, 0).as_bytes(), "type=plate&key=label&dry_run=true")
        .await;
    counts(&tried, 1, 0, 400, 0);
    let second = place.import(rows(401, 0).as_bytes(), "type=plate&key=label").await;
    counts(&second, 1, 0, 400, 0);
    assert_eq!(second["key"], "label");
    counts(&place.import(rows(402, 0).as_bytes(), "type=plate").await, 1, 0, 401, 0);
    // Where two records have the same, it is said and nothing is written.
    place.import(rows(400, 399).as_bytes(), "type=dish&infer=true").await;
    let failed = place.import(rows(401, 399).as_bytes(), "type=dish&key=label").await;
    let why = failed["error"].to_string();
    for word in ["plate 0", "Plate 399", "change one of them"] {
        assert!(why.contains(word), "{word}: {why}");
    }
    assert_eq!(place.records().await, 802);
}
