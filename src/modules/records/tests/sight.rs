//! Who sees what of records, where links lead, and lists.

use serde_json::{Value, json};

use super::{because, hidden, map, member, new, operator, service, vase};
use crate::both;
use crate::kernel::access::{Caller, Level};
use crate::kernel::error::Code;
use crate::kernel::testing::TestDb;
use crate::modules::records::service::{Edit, List, NewRecord};

both!(
    hidden_is_not_there,
    an_editor_keeps_what_it_cannot_see,
    links_lead_to_records,
    lists_page_and_count,
    a_shipped_type_is_stored_when_used,
);

async fn hidden_is_not_there(db: TestDb) {
    let (s, who, nobody) = (service(&db), operator(), Caller::anonymous());
    let why = because(&who);
    s.create_type(&why, &vase()).await.unwrap();
    let id = s
        .create(&why, &hidden(json!({ "title": "Jar", "donor": "D" })))
        .await
        .unwrap()
        .seen
        .record
        .id;
    assert_eq!(s.read(&nobody, &id).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(s.read(&nobody, "../etc").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(
        s.list(
            &nobody,
            &List {
                limit: 10,
                ..List::default()
            }
        )
        .await
        .unwrap()
        .total,
        0
    );
    s.edit(&why, &id, 1, &Edit::Merge(map(json!({}))), Some(Level::Public))
        .await
        .unwrap();
    assert_eq!(
        Value::Object(s.read(&nobody, &id).await.unwrap().record.document),
        json!({ "title": "Jar" })
    );
    let refused = s
        .edit(
            &because(&nobody),
            &id,
            2,
            &Edit::Merge(map(json!({ "title": "x" }))),
            None,
        )
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
    s.edit(&why, &id, 2, &Edit::Merge(map(json!({}))), Some(Level::Members))
        .await
        .unwrap();
    s.delete(&why, &id, 3).await.unwrap();
    assert_eq!(s.read(&nobody, &id).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(s.read(&member(), &id).await.unwrap_err().code(), Code::Gone);
}

async fn an_editor_keeps_what_it_cannot_see(db: TestDb) {
    let (s, who, desk) = (service(&db), operator(), member());
    s.create_type(&because(&who), &vase()).await.unwrap();
    let document = json!({ "title": "Jar", "donor": "D", "maker": [{ "name": "N", "salary": 3 }] });
    let id = s.create(&because(&who), &new(document)).await.unwrap().seen.record.id;
    let seen = s.read(&desk, &id).await.unwrap().record;
    assert!(!seen.document.contains_key("donor"));
    let edited = json!({ "title": "Pot", "maker": [{ "name": "N" }] });
    s.edit(&because(&desk), &id, 1, &Edit::Replace(map(edited)), None)
        .await
        .unwrap();
    let whole = s.read(&who, &id).await.unwrap().record.document;
    assert_eq!(
        Value::Object(whole),
        json!({ "title": "Pot", "maker": [{ "name": "N", "salary": 3 }], "donor": "D" })
    );
    let probe = s
        .edit(
            &because(&desk),
            &id,
            2,
            &Edit::Merge(map(json!({ "donor": "E" }))),
            None,
        )
        .await
        .unwrap_err();
    assert!(probe.fields()[0].message.starts_with("is not a field"), "{probe:?}");
    let stale = s
        .edit(
            &because(&desk),
            &id,
            1,
            &Edit::Merge(map(json!({ "title": "x" }))),
            None,
        )
        .await
        .unwrap_err();
    assert!(!serde_json::to_string(stale.extra()).unwrap().contains("donor"));
}

async fn links_lead_to_records(db: TestDb) {
    let (s, who) = (service(&db), operator());
    let why = because(&who);
    s.create_type(&why, &vase()).await.unwrap();
    let one = s
        .create(&why, &new(json!({ "title": "a" })))
        .await
        .unwrap()
        .seen
        .record
        .id;
    let secret = s
        .create(&why, &hidden(json!({ "title": "b" })))
        .await
        .unwrap()
        .seen
        .record
        .id;
    let nowhere = crate::kernel::id::new_id();
    let error = s
        .create(&why, &new(json!({ "title": "c", "twin": nowhere })))
        .await
        .unwrap_err();
    assert_eq!(error.fields()[0].path, "twin");
    let desk = member();
    assert!(
        s.create(&because(&desk), &new(json!({ "title": "c", "twin": secret })))
            .await
            .is_err()
    );
    let two = s
        .create(&why, &new(json!({ "title": "c", "twin": one })))
        .await
        .unwrap()
        .seen
        .record
        .id;
    assert_eq!(s.delete(&why, &one, 1).await.unwrap_err().code(), Code::Conflict);
    s.edit(&why, &two, 1, &Edit::Merge(map(json!({ "twin": null }))), None)
        .await
        .unwrap();
    s.delete(&why, &one, 1).await.unwrap();
}

async fn lists_page_and_count(db: TestDb) {
    let (s, who) = (service(&db), operator());
    let why = because(&who);
    s.create_type(&why, &vase()).await.unwrap();
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(
            s.create(&why, &new(json!({ "title": format!("{n}") })))
                .await
                .unwrap()
                .seen
                .record
                .id,
        );
    }
    for (by_time, descending) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut list = List {
            type_name: Some("vase".to_owned()),
            by_time,
            descending,
            limit: 2,
            ..List::default()
        };
        let mut found = Vec::new();
        loop {
            let page = s.list(&who, &list).await.unwrap();
            assert_eq!(page.total, 5);
            found.extend(page.items.into_iter().map(|i| i.record.id));
            list.after = page.next;
            if list.after.is_none() {
                break;
            }
        }
        if descending {
            found.reverse();
        }
        assert_eq!(found, ids);
    }
    let some = List {
        ids: Some(vec![ids[3].clone(), "none".to_owned()]),
        limit: 10,
        ..List::default()
    };
    assert_eq!(s.list(&who, &some).await.unwrap().items.len(), 1);
}

async fn a_shipped_type_is_stored_when_used(db: TestDb) {
    let (s, who) = (service(&db), operator());
    assert!(s.find_type("person").await.unwrap().is_none());
    let person = NewRecord {
        type_name: "person".to_owned(),
        ..new(json!({ "name": "Clarice Cliff" }))
    };
    s.create(&because(&who), &person).await.unwrap();
    assert_eq!(s.find_type("person").await.unwrap().unwrap().version, 1);
}
