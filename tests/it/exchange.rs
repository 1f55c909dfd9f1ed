//! Imports and exports on the composed app: every shape of file, every kind of bad one, killed and gone on, out and in
//! again without a change; whole collections where they are at hand.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

use std::io::Write as _;
use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;
use vitrine::both;
use vitrine::contract::exchange::Exchange;
use vitrine::kernel::db::sql;
use vitrine::kernel::http::local;
use vitrine::kernel::jobs::{Worker, WorkerOptions};
use vitrine::kernel::testing::TestDb;

use crate::house::House;

both!(
    a_file_comes_in_once,
    bad_rows_are_named_and_the_rest_comes_in,
    bad_files_say_what_to_do,
    types_grow_and_keep_their_kinds,
    a_dry_run_writes_nothing,
    rows_that_are_gone_can_be_deleted,
    what_goes_out_comes_in_unchanged,
    a_killed_import_goes_on,
    the_sample_loads_once,
    carnegie_goes_out_and_in,
    collections_of_every_kind,
);

struct Place {
    house: House,
    router: Router,
    worker: Worker,
}

impl Place {
    async fn new(db: &TestDb) -> Self {
        let house = House::new(db).await;
        let router = local(house.web().router);
        let kernel = &house.app.kernel;
        let options = WorkerOptions::from_config(&kernel.config);
        let worker = Worker::new(&kernel.db, &kernel.process, house.app.handlers(), options).unwrap();
        Self { house, router, worker }
    }

    async fn ask(&self, method: &str, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let status = response.status().as_u16();
        (
            status,
            axum::body::to_bytes(response.into_body(), usize::MAX)
                .await
                .unwrap()
                .to_vec(),
        )
    }

    async fn begin(&self, file: &[u8], query: &str) -> String {
        let (status, body) = self.ask("POST", &format!("/api/imports?{query}"), file.to_vec()).await;
        let begun: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 202, "{begun}");
        begun["job"].as_str().unwrap().to_owned()
    }

    async fn look(&self, job: &str) -> Value {
        let (status, body) = self.ask("GET", &format!("/api/imports/{job}"), Vec::new()).await;
        let view = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 200, "{view}");
        view
    }

    async fn import(&self, file: &[u8], query: &str) -> Value {
        let job = self.begin(file, query).await;
        self.worker.drain().await.unwrap();
        self.look(&job).await
    }

    async fn export(&self, query: &str) -> Vec<u8> {
        let (status, body) = self.ask("GET", &format!("/api/export?{query}"), Vec::new()).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        body
    }

    async fn records(&self) -> i64 {
        let (count,): (i64,) = sql("SELECT COUNT(*) FROM record WHERE state = 'live'")
            .one(&self.house.app.kernel.db)
            .await
            .unwrap();
        count
    }

    async fn close(self) {
        self.house.app.close().await;
    }
}

#[track_caller]
fn counts(view: &Value, created: i64, updated: i64, unchanged: i64, refused: i64) {
    assert_eq!(view["state"], "done", "{view}");
    let got = ["created", "updated", "unchanged", "refused"].map(|name| view[name].as_i64().unwrap());
    assert_eq!(got, [created, updated, unchanged, refused], "{view}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An invented museum with everything that is hard: groups, lists, nulls, mixed kinds, numbers as they were typed, formulas.
fn museum(rows: usize) -> String {
    let object = |n: usize| {
        let object = json!({
            "id": format!("m:{n}"), "title": if n.is_multiple_of(9) { json!(null) } else { json!(format!("Teapot {n}")) },
            "department": (["Fine Arts", "Film", "Photography"])[n % 3], "made": (["1850", "1850-02", "-0300-01-01"])[n % 3],
            "width": n as f64 / 4.0, "count": n, "on_view": n.is_multiple_of(2), "note": (["=1+1", "'=x", "a, \"b\"\nc", "", "@me"])[n % 5],
            "mixed": if n.is_multiple_of(4) { json!(n) } else { json!({ "a": [n] }) }, "tags": if n.is_multiple_of(3) { json!([]) } else { json!(["x", "y"]) },
            "creator": [{ "name": format!("Maker {}", n % 7), "born": null, "role": "" }], "url": format!("https://museum.example/{n}"),
        });
        object.to_string()
    };
    (1..=rows)
        .map(|n| object(n).replace("\"count\":7", "\"odd\":1.50,\"count\":7") + "\n")
        .collect()
}

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
        (b"id,size,size\na,1,2\n", "type=box", "more than once: size"),
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
        (b"PK\x03\x04xxxx", "type=box", "save the sheet as CSV"),
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

async fn round(place: &Place, type_name: &str, rows: i64) {
    for format in ["jsonl", "csv"] {
        let file = place.export(&format!("type={type_name}&format={format}")).await;
        let view = place
            .import(&file, &format!("type={type_name}&name=export.{format}"))
            .await;
        counts(&view, 0, 0, rows, 0);
    }
}

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

/// A batch after which the process dies: the job's lease is gone and the cursor stands where it stood.
async fn a_killed_import_goes_on(db: TestDb) {
    let place = Place::new(&db).await;
    let lines = museum(900);
    for stop_after in [1u64, 150, 420, 899] {
        let type_name = format!("thing-{stop_after}");
        let job = place
            .begin(lines.as_bytes(), &format!("type={type_name}&infer=true&key=id"))
            .await;
        let dies = {
            let worker = place.worker.clone();
            tokio::spawn(async move { worker.drain().await })
        };
        let mut moved = place
            .house
            .app
            .kernel
            .db
            .signals()
            .subscribe(vitrine::kernel::db::Signal::Ledger);
        loop {
            moved.borrow_and_update();
            let (rows,): (i64,) = sql("SELECT COUNT(*) FROM record WHERE type = $1")
                .bind(&type_name)
                .one(&*db)
                .await
                .unwrap();
            if rows as u64 >= stop_after || dies.is_finished() {
                break;
            }
            let _ = tokio::time::timeout(std::time::Duration::from_millis(50), moved.changed()).await;
        }
        dies.abort();
        let _ = dies.await;
        // As after a kill -9: nobody holds the job any more.
        let id = &job;
        db.write(vitrine::kernel::db::Write::interactive("test.kill"), |tx| {
            Box::pin(async move {
                sql("UPDATE job SET lease_until = 0, worker = 'dead' WHERE id = $1 AND state = 'running'")
                    .bind(id)
                    .exec(tx)
                    .await
            })
        })
        .await
        .unwrap();
        let other = Place {
            worker: Worker::new(
                &place.house.app.kernel.db,
                "another",
                place.house.app.handlers(),
                WorkerOptions::from_config(&place.house.app.kernel.config),
            )
            .unwrap(),
            house: House::new(&db).await,
            router: place.router.clone(),
        };
        other
            .worker
            .run_one(&job, &tokio_util::sync::CancellationToken::new())
            .await
            .unwrap();
        let view = place.look(&job).await;
        counts(&view, 900, 0, 0, 0);
        let (rows, versions): (i64, i64) = sql(
            "SELECT (SELECT COUNT(*) FROM record WHERE type = $1), (SELECT COUNT(*) FROM version v JOIN record r ON r.id = v.entity WHERE r.type = $1)",
        )
        .bind(&type_name)
        .one(&*db)
        .await
        .unwrap();
        assert_eq!((rows, versions), (900, 900), "each row exactly once");
        other.house.app.close().await;
    }
    place.close().await;
}

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
