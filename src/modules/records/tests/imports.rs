//! Batches of imports: new, unchanged, updated, refused, doubled, revived, and the index that reads them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{because, map, operator, service, vase};
use crate::both;
use crate::contract::records::{ImportBatch, ImportRow, Pass, Records, RowOutcome};
use crate::kernel::access::{Access, Caller, Level};
use crate::kernel::db::{Write, sql};
use crate::kernel::error::Result;
use crate::kernel::ledger::{self, NewSet, Position};
use crate::kernel::search::{IndexSource, Value as Indexed};
use crate::kernel::testing::TestDb;
use crate::modules::records::index::RecordIndex;
use crate::modules::records::service::Service;

both!(
    a_file_by_key,
    a_file_without_key,
    rows_with_ids,
    refused_rows_name_their_issue,
    the_index_reads_records,
    a_thousand_rows_are_few_statements
);

pub(super) async fn import(
    db: &TestDb,
    s: &Service,
    key: Option<&str>,
    blob: &str,
    rows: Vec<Value>,
) -> Result<(Vec<RowOutcome>, Option<Position>)> {
    let rows = rows.into_iter().enumerate().map(|(n, document)| ImportRow {
        row: n as i64 + 1,
        id: None,
        document: map(document),
    });
    import_rows(db, s, key, blob, rows.collect()).await
}

async fn import_rows(
    db: &TestDb,
    s: &Service,
    key: Option<&str>,
    blob: &str,
    rows: Vec<ImportRow>,
) -> Result<(Vec<RowOutcome>, Option<Position>)> {
    let stored_type = s.find_type("vase").await?.unwrap();
    let batch = ImportBatch {
        level: Level::Restricted,
        by: operator(),
        set_id: String::new(),
        stored_type,
        key: key.map(str::to_owned),
        source_blob: blob.to_owned(),
        pass: Pass::Only,
        rows,
    };
    let batch = &batch;
    db.write(Write::bulk("test.import"), |tx| {
        Box::pin(async move {
            let new = NewSet {
                kind: "import",
                actor: "operator",
                reason: "",
                origin: json!({}),
            };
            let set_id = ledger::open_set(tx, &new).await?;
            let batch = ImportBatch {
                level: Level::Restricted,
                set_id,
                ..batch.clone()
            };
            let before = tx.statements();
            let done = s.import(tx, &batch).await?;
            assert!(tx.statements() - before < 25, "{} statements", tx.statements() - before);
            Ok(done)
        })
    })
    .await
}

async fn start(db: &TestDb) -> Service {
    let s = service(db);
    s.create_type(&because(&operator()), &vase()).await.unwrap();
    s
}

async fn counts(db: &TestDb) -> (i64, i64, i64) {
    sql("SELECT (SELECT COUNT(*) FROM record), (SELECT COUNT(*) FROM version WHERE kind = 'record'), (SELECT COUNT(*) FROM identifier)")
        .one(&**db)
        .await
        .unwrap()
}

async fn a_file_by_key(db: TestDb) {
    let s = start(&db).await;
    let rows = || {
        vec![
            json!({ "number": "1", "title": "a", "serial": "x" }),
            json!({ "number": "2", "title": "b", "height": null }),
        ]
    };
    let (outcomes, position) = import(&db, &s, Some("number"), "f1", rows()).await.unwrap();
    assert_eq!(outcomes, [RowOutcome::Created, RowOutcome::Created]);
    assert!(position.is_some());
    assert_eq!(counts(&db).await, (2, 2, 3));
    let (outcomes, position) = import(&db, &s, Some("number"), "f1", rows()).await.unwrap();
    assert_eq!(
        (outcomes, position),
        (vec![RowOutcome::Unchanged, RowOutcome::Unchanged], None)
    );
    // A table says nothing where JSON said null; a changed value is an update, and frees what it leaves.
    let table = vec![
        json!({ "number": "1", "title": "a", "serial": "y" }),
        json!({ "number": "2", "title": "b" }),
        json!({ "number": "3", "title": "c", "serial": "x" }),
    ];
    let (outcomes, _) = import(&db, &s, Some("number"), "f2", table).await.unwrap();
    assert_eq!(outcomes[..2], [RowOutcome::Updated, RowOutcome::Unchanged]);
    // Within one batch the old owner's value counts as taken; the row is refused and named, and passes the next time.
    assert!(
        matches!(&outcomes[2], RowOutcome::Refused(issues) if issues[0].path == "serial"),
        "{outcomes:?}"
    );
    assert_eq!(
        import(
            &db,
            &s,
            Some("number"),
            "f2",
            vec![json!({ "number": "3", "title": "c", "serial": "x" })]
        )
        .await
        .unwrap()
        .0,
        [RowOutcome::Created]
    );
    // Deleted and imported again: the same record comes back.
    let records = s.page(&operator(), "vase", None, 10).await.unwrap();
    s.delete(&because(&operator()), &records[0].id, records[0].version)
        .await
        .unwrap();
    let (outcomes, _) = import(&db, &s, Some("number"), "f1", vec![rows().remove(0)])
        .await
        .unwrap();
    assert!(
        matches!(&outcomes[0], RowOutcome::Refused(issues) if issues[0].path == "serial"),
        "{outcomes:?}"
    );
    let revived = s.read(&operator(), &records[0].id).await;
    assert!(revived.is_err(), "its serial x belongs to row 3 now");
    let (outcomes, _) = import(
        &db,
        &s,
        Some("number"),
        "f1",
        vec![json!({ "number": "1", "title": "a" })],
    )
    .await
    .unwrap();
    assert_eq!(outcomes, [RowOutcome::Updated]);
    let revived = s.read(&operator(), &records[0].id).await.unwrap().record;
    assert_eq!(
        (revived.version, revived.source),
        (records[0].version + 2, Some(("f1".to_owned(), 1)))
    );
    let set = ledger::sets(&db, &ledger::SetFilter::default(), 1)
        .await
        .unwrap()
        .remove(0)
        .id;
    let (set, ids) = (&set, &[records[0].id.clone(), records[1].id.clone(), "none".to_owned()]);
    let s = &s;
    let gone = db.write(Write::bulk("test.delete"), |tx| {
        Box::pin(async move { s.delete_many(tx, set, ids).await })
    });
    assert_eq!(gone.await.unwrap(), 2);
    assert_eq!(s.page(&operator(), "vase", None, 10).await.unwrap().len(), 1);
}

async fn a_file_without_key(db: TestDb) {
    let s = start(&db).await;
    let rows = || vec![json!({ "title": "a" }), json!({ "title": "a" })];
    assert_eq!(
        import(&db, &s, None, "f1", rows()).await.unwrap().0,
        [RowOutcome::Created, RowOutcome::Created]
    );
    assert_eq!(
        import(&db, &s, None, "f1", rows()).await.unwrap().0,
        [RowOutcome::Unchanged, RowOutcome::Unchanged]
    );
    assert_eq!(
        import(&db, &s, None, "f2", rows()).await.unwrap().0,
        [RowOutcome::Created, RowOutcome::Created]
    );
    assert_eq!(counts(&db).await, (4, 4, 0));
}

async fn rows_with_ids(db: TestDb) {
    let s = start(&db).await;
    let id = crate::kernel::id::new_id();
    let row = |number: i64, id: &str, document: Value| ImportRow {
        row: number,
        id: Some(id.to_owned()),
        document: map(document),
    };
    let made = import_rows(
        &db,
        &s,
        Some("number"),
        "f",
        vec![row(1, &id, json!({ "number": "1", "title": "a" }))],
    )
    .await
    .unwrap();
    assert_eq!(made.0, [RowOutcome::Created]);
    assert_eq!(s.read(&operator(), &id).await.unwrap().title(), "a");
    // The id goes before the key: the key itself may change.
    let rows = vec![
        row(1, &id, json!({ "number": "9", "title": "a" })),
        row(2, &id, json!({ "title": "b" })),
        row(3, "x", json!({ "title": "c" })),
    ];
    let (outcomes, _) = import_rows(&db, &s, Some("number"), "g", rows).await.unwrap();
    assert_eq!(outcomes[0], RowOutcome::Updated);
    assert!(outcomes[1..].iter().all(|o| matches!(o, RowOutcome::Refused(_))));
    assert_eq!(counts(&db).await, (1, 2, 1));
}

async fn refused_rows_name_their_issue(db: TestDb) {
    let s = start(&db).await;
    let rows = vec![
        json!({ "number": "1", "title": "a" }),
        json!({ "number": "1", "title": "b" }),
        json!({ "title": "c" }),
        json!({ "number": "4", "title": "d", "colour": "red" }),
        json!({ "number": "5", "title": "e", "twin": crate::kernel::id::new_id() }),
    ];
    let (outcomes, _) = import(&db, &s, Some("number"), "f", rows).await.unwrap();
    let said: Vec<String> = outcomes
        .iter()
        .map(|o| match o {
            RowOutcome::Refused(issues) => format!("{}: {}", issues[0].path, issues[0].message),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(said[0], "Created");
    assert_eq!(said[1], "number: \"1\" stands already in row 1.");
    assert_eq!(said[2], "number: is the key and is missing.");
    assert!(said[3].starts_with("colour: is not a field of this type."), "{said:?}");
    assert!(said[4].starts_with("twin: leads to "), "{said:?}");
    assert!(
        import(&db, &s, Some("title"), "f", vec![json!({ "title": "a" })])
            .await
            .is_err()
    );
}

async fn the_index_reads_records(db: TestDb) {
    let s = Arc::new(start(&db).await);
    let rows = vec![
        json!({ "number": "1", "title": "Jar", "made": "1883", "donor": "D", "height": 2, "maker": [{ "name": "A" }, { "name": "B", "salary": 4 }] }),
    ];
    import(&db, &s, Some("number"), "f", rows).await.unwrap();
    let index = RecordIndex {
        language: None,
        kept: crate::modules::records::index::Kept::default(),
        service: s.clone(),
        access: Access::default(),
    };
    let ids = index.page(None, 10).await.unwrap();
    let documents = index.load(&ids).await.unwrap();
    let document = &documents[0];
    assert_eq!(
        (document.title.as_str(), document.version, document.type_name.as_str()),
        ("Jar", 1, "vase")
    );
    let field = |name: &str| document.fields.iter().find(|f| f.name == name).unwrap();
    assert_eq!(
        field("maker.name").values,
        [Indexed::Text("A".to_owned()), Indexed::Text("B".to_owned())]
    );
    assert_eq!(field("maker.salary").level, crate::kernel::access::Level::Restricted);
    assert_eq!(field("height").values, [Indexed::Real(2.0)]);
    assert_eq!(field("number").values, [Indexed::Keyword("1".to_owned())]);
    assert!(
        matches!(&field("made").values[0], Indexed::Days { from, to, verbatim } if to - from == 364 && verbatim == "1883")
    );
    // A field made stricter shows in the shape before any document is read again; a label does not.
    let (shape, who) = (document.shape.clone(), operator());
    let why = because(&who);
    let now = async || {
        index
            .types()
            .await
            .unwrap()
            .shapes
            .into_iter()
            .find(|shape| shape.type_name == "vase")
    };
    assert_eq!(now().await.map(|shape| shape.term), Some(shape.clone()));
    let mut definition = s.find_type("vase").await.unwrap().unwrap().definition.clone();
    definition.labels.insert("en".to_owned(), json!("Vessel"));
    let labelled = s.replace_type(&why, "vase", 1, &definition).await.unwrap().stored;
    assert_eq!(now().await.map(|shape| shape.term), Some(shape.clone()));
    let title = definition
        .fields
        .iter_mut()
        .find(|field| field.name == "title")
        .unwrap();
    title.level = crate::kernel::access::Level::Members;
    s.replace_type(&why, "vase", labelled.version, &definition)
        .await
        .unwrap();
    let stricter = now().await.unwrap();
    assert_ne!(stricter.term, shape);
    assert_eq!(index.load(&ids).await.unwrap()[0].shape, stricter.term);
    s.delete(&because(&operator()), &ids[0], 1).await.unwrap();
    assert!(index.load(&ids).await.unwrap().is_empty() && index.page(None, 10).await.unwrap().is_empty());
    assert!(s.get_many(&Caller::anonymous(), &ids).await.unwrap().is_empty());
}

async fn a_thousand_rows_are_few_statements(db: TestDb) {
    let s = start(&db).await;
    let rows = |title: &str| {
        (0..1000)
            .map(|n| json!({ "number": n.to_string(), "title": title }))
            .collect::<Vec<_>>()
    };
    for (title, want) in [
        ("a", RowOutcome::Created),
        ("a", RowOutcome::Unchanged),
        ("b", RowOutcome::Updated),
    ] {
        let (outcomes, _) = import(&db, &s, Some("number"), "f", rows(title)).await.unwrap();
        assert!(outcomes.iter().all(|o| *o == want));
    }
    assert_eq!(counts(&db).await, (1000, 2000, 1000));
}
