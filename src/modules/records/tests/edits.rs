//! Types and single records: create, change, delete, restore.

use serde_json::{Value, json};

use super::{because, hidden, map, member, new, operator, service, vase};
use crate::both;
use crate::kernel::access::Level;
use crate::kernel::db::sql;
use crate::kernel::error::Code;
use crate::kernel::testing::TestDb;
use crate::modules::records::service::{Edit, NewRecord};

both!(
    a_life_of_a_record,
    types_come_change_and_go,
    stale_writes_show_all_states,
    unique_values_have_one_owner,
    twenty_creates_at_once_make_one,
);

async fn a_life_of_a_record(db: TestDb) {
    let (s, who) = (service(&db), operator());
    let why = because(&who);
    s.create_type(&why, &vase()).await.unwrap();
    let made = s
        .create(&why, &new(json!({ "number": "1", "title": "Jar" })))
        .await
        .unwrap();
    let (id, first) = (made.seen.record.id.clone(), made.position.unwrap());
    assert_eq!((made.seen.record.version, made.seen.title()), (1, "Jar".to_owned()));

    let edited = s
        .edit(
            &why,
            &id,
            1,
            &Edit::Replace(map(json!({ "number": "1", "title": "Pot", "height": 3 }))),
            None,
        )
        .await
        .unwrap();
    assert!(edited.position.unwrap() > first);
    let same = s
        .edit(&why, &id, 2, &Edit::Merge(map(json!({ "title": "Pot" }))), None)
        .await
        .unwrap();
    assert_eq!((same.seen.record.version, same.position), (2, None));
    let merged = s
        .edit(
            &why,
            &id,
            2,
            &Edit::Merge(map(json!({ "height": null, "parts": 2 }))),
            None,
        )
        .await
        .unwrap();
    assert_eq!(
        Value::Object(merged.seen.record.document),
        json!({ "number": "1", "title": "Pot", "parts": 2 })
    );

    s.delete(&why, &id, 3).await.unwrap();
    assert_eq!(s.read(&who, &id).await.unwrap_err().code(), Code::Gone);
    assert_eq!(s.delete(&why, &id, 4).await.unwrap_err().code(), Code::Gone);
    let back = s.restore(&why, &id, Some(4)).await.unwrap();
    assert_eq!((back.seen.record.version, back.seen.title()), (5, "Pot".to_owned()));
    assert_eq!(s.restore(&why, &id, None).await.unwrap_err().code(), Code::Conflict);
    assert_eq!(s.read(&who, &id).await.unwrap().record, back.seen.record);

    let operations: Vec<(String, i64)> =
        sql("SELECT operation, version FROM version WHERE entity = $1 ORDER BY version")
            .bind(&id)
            .all(&*db)
            .await
            .unwrap();
    let names: Vec<&str> = operations.iter().map(|(o, _)| o.as_str()).collect();
    assert_eq!(names, ["create", "update", "update", "delete", "restore"]);
}

async fn types_come_change_and_go(db: TestDb) {
    let (s, who) = (service(&db), operator());
    let why = because(&who);
    s.create_type(&why, &vase()).await.unwrap();
    assert_eq!(s.create_type(&why, &vase()).await.unwrap_err().code(), Code::Conflict);
    let made = s
        .create(&why, &new(json!({ "title": "Jar", "height": 3 })))
        .await
        .unwrap();

    let mut wider = vase();
    wider.fields[1].facet = true;
    assert_eq!(
        s.replace_type(&why, "vase", 7, &wider).await.unwrap_err().code(),
        Code::Stale
    );
    assert_eq!(s.replace_type(&why, "vase", 1, &wider).await.unwrap().stored.version, 2);
    assert_eq!(s.replace_type(&why, "vase", 2, &wider).await.unwrap().position, None);
    assert!(s.find_type("vase").await.unwrap().unwrap().definition.fields[1].facet);
    // Another process has its own cache and sees the same.
    assert_eq!(service(&db).find_type("vase").await.unwrap().unwrap().version, 2);

    wider.fields.remove(3);
    assert_eq!(
        s.replace_type(&why, "vase", 2, &wider).await.unwrap_err().fields()[0].path,
        "fields"
    );
    assert_eq!(s.delete_type(&why, "vase", 2).await.unwrap_err().code(), Code::Conflict);
    s.delete(&why, &made.seen.record.id, 1).await.unwrap();
    s.delete_type(&why, "vase", 2).await.unwrap();
    assert_eq!(s.need_type("vase").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(s.create_type(&why, &vase()).await.unwrap().stored.version, 4);
    assert_eq!(
        s.create(
            &why,
            &NewRecord {
                type_name: "vas".to_owned(),
                ..new(json!({}))
            }
        )
        .await
        .unwrap_err()
        .fields()[0]
            .path,
        "type"
    );
}

async fn stale_writes_show_all_states(db: TestDb) {
    let (s, who) = (service(&db), operator());
    let why = because(&who);
    s.create_type(&why, &vase()).await.unwrap();
    let id = s
        .create(&why, &new(json!({ "title": "Jar" })))
        .await
        .unwrap()
        .seen
        .record
        .id;
    s.edit(&why, &id, 1, &Edit::Merge(map(json!({ "title": "Pot" }))), None)
        .await
        .unwrap();
    let error = s
        .edit(&why, &id, 1, &Edit::Replace(map(json!({ "title": "Mug" }))), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Stale);
    assert_eq!(error.extra()["base"]["document"]["title"], "Jar");
    assert_eq!(error.extra()["current"]["document"]["title"], "Pot");
    assert_eq!(error.extra()["current"]["version"], 2);
    assert_eq!(error.extra()["yours"]["document"]["title"], "Mug");
    assert_eq!(s.delete(&why, &id, 1).await.unwrap_err().code(), Code::Stale);

    // Of ten who change the same version, one does.
    let s = std::sync::Arc::new(s);
    let mut tasks = Vec::new();
    for n in 0..10 {
        let (s, id) = (s.clone(), id.clone());
        tasks.push(tokio::spawn(async move {
            let who = operator();
            s.edit(
                &because(&who),
                &id,
                2,
                &Edit::Merge(map(json!({ "parts": n + 1 }))),
                None,
            )
            .await
            .map_err(|e| e.code())
        }));
    }
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => done += 1,
            Err(code) => assert_eq!(code, Code::Stale),
        }
    }
    assert_eq!((done, s.read(&who, &id).await.unwrap().record.version), (1, 3));
}

async fn unique_values_have_one_owner(db: TestDb) {
    let (s, who) = (service(&db), operator());
    let why = because(&who);
    s.create_type(&why, &vase()).await.unwrap();
    let one = s
        .create(&why, &new(json!({ "number": "1", "title": "a", "serial": "s" })))
        .await
        .unwrap()
        .seen
        .record
        .id;
    let error = s
        .create(&why, &new(json!({ "number": "2", "title": "b", "serial": "s" })))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.fields()[0].path.as_str()),
        (Code::Invalid, "serial")
    );
    assert_eq!(error.extra()["records"], json!([one]));
    let two = s
        .create(&why, &new(json!({ "number": "2", "title": "b" })))
        .await
        .unwrap()
        .seen
        .record
        .id;
    assert!(
        s.edit(&why, &two, 1, &Edit::Merge(map(json!({ "serial": "s" }))), None)
            .await
            .is_err()
    );
    // Given up, or deleted: free again. What comes back then has to find another value.
    s.edit(&why, &one, 1, &Edit::Merge(map(json!({ "serial": "t" }))), None)
        .await
        .unwrap();
    s.edit(&why, &two, 1, &Edit::Merge(map(json!({ "serial": "s" }))), None)
        .await
        .unwrap();
    s.delete(&why, &two, 2).await.unwrap();
    s.create(&why, &new(json!({ "number": "3", "title": "c", "serial": "s" })))
        .await
        .unwrap();
    assert_eq!(
        s.restore(&why, &two, None).await.unwrap_err().fields()[0].path,
        "serial"
    );
    let hers = s
        .create(&why, &hidden(json!({ "number": "4", "title": "d" })))
        .await
        .unwrap();
    assert_eq!(hers.seen.record.visibility, Level::Restricted);
    let blind = member();
    let error = s
        .create(&because(&blind), &new(json!({ "number": "4", "title": "e" })))
        .await
        .unwrap_err();
    assert_eq!((error.code(), &error.extra()["records"]), (Code::Invalid, &json!([])));
}

async fn twenty_creates_at_once_make_one(db: TestDb) {
    let (s, who) = (std::sync::Arc::new(service(&db)), operator());
    s.create_type(&because(&who), &vase()).await.unwrap();
    let mut tasks = Vec::new();
    for n in 0..20 {
        let s = s.clone();
        tasks.push(tokio::spawn(async move {
            let who = operator();
            let document = json!({ "number": "same", "title": format!("{n}") });
            s.create(&because(&who), &new(document))
                .await
                .map_err(|e| (e.code(), e.fields().to_vec()))
        }));
    }
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => done += 1,
            Err((code, fields)) => assert_eq!((code, fields[0].path.as_str()), (Code::Invalid, "number")),
        }
    }
    let (records, versions): (i64, i64) =
        sql("SELECT (SELECT COUNT(*) FROM record), (SELECT COUNT(*) FROM version WHERE kind = 'record')")
            .one(&*db)
            .await
            .unwrap();
    assert_eq!((done, records, versions), (1, 1, 1));
}
