//! Trees on both databases: nothing ever hangs below itself, however many move at once; a type becomes a tree; deleting.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use super::{because, map, operator, service};
use crate::both;
use crate::contract::records::RecordType;
use crate::kernel::db::sql;
use crate::kernel::error::Code;
use crate::kernel::testing::TestDb;
use crate::modules::records::service::{Edit, NewRecord, Service};
use crate::modules::records::store;

both!(
    nothing_hangs_below_itself,
    moves_at_once_make_no_circle,
    a_type_with_records_becomes_a_tree,
    what_something_hangs_below_is_not_deleted,
);

fn place(parent: Option<&str>) -> RecordType {
    let fields = json!([
        { "name": "name", "kind": "text", "required": true },
        { "name": "above", "kind": "link", "target": "place" },
    ]);
    serde_json::from_value(
        json!({ "name": "place", "title": "name", "parent": parent, "visibility": "public", "fields": fields }),
    )
    .unwrap()
}

async fn start(db: &TestDb) -> Service {
    let s = service(db);
    s.create_type(&because(&operator()), &place(Some("above")))
        .await
        .unwrap();
    s
}

async fn make(s: &Service, name: &str, above: Option<&str>) -> String {
    let new = NewRecord {
        type_name: "place".to_owned(),
        visibility: None,
        document: map(json!({ "name": name, "above": above })),
    };
    let done = s.create(&because(&operator()), &new).await;
    done.unwrap().seen.record.id
}

/// Where each record hangs, as the nodes and as the documents say; they never differ.
async fn standing(db: &TestDb, s: &Service) -> HashMap<String, String> {
    let rows: Vec<(String, String)> = sql("SELECT id, parent_id FROM node").all(&**db).await.unwrap();
    let ids: Vec<String> = rows.iter().map(|(id, _)| id.clone()).collect();
    let live = s.live_with_types(&ids).await.unwrap();
    assert_eq!(live.len(), rows.len(), "every node is a live record");
    let nodes: HashMap<String, String> = rows.into_iter().collect();
    for (record, _) in live {
        let said = record
            .document
            .get("above")
            .and_then(|v| v.as_str())
            .unwrap_or_default();
        assert_eq!(nodes[&record.id], said);
    }
    nodes
}

fn assert_no_circle(nodes: &HashMap<String, String>) {
    for id in nodes.keys() {
        let (mut at, mut steps) = (id, 0);
        while let Some(above) = nodes.get(at).filter(|above| !above.is_empty()) {
            steps += 1;
            assert!(steps <= nodes.len(), "{id} hangs below itself");
            at = above;
        }
    }
}

async fn nothing_hangs_below_itself(db: TestDb) {
    let s = start(&db).await;
    let (who, nobody) = (operator(), None);
    let why = because(&who);
    let earth = make(&s, "Earth", nobody).await;
    let europe = make(&s, "Europe", Some(&earth)).await;
    let sweden = make(&s, "Sweden", Some(&europe)).await;
    let refused = s.move_to(&why, &earth, 1, Some(&sweden)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Invalid);
    let message = &refused.fields()[0].message;
    assert!(
        message.contains("\"Earth\" › \"Sweden\" › \"Europe\" › \"Earth\""),
        "{message}"
    );
    let own = s.move_to(&why, &earth, 1, Some(&earth)).await.unwrap_err();
    assert_eq!(own.fields()[0].path, "above");
    let nowhere = s
        .move_to(&why, &earth, 1, Some("0190a5d0-0000-7000-8000-000000000000"))
        .await;
    assert_eq!(nowhere.unwrap_err().code(), Code::Invalid);
    // The whole of what is below goes along, and only one record changes.
    let asia = make(&s, "Asia", Some(&earth)).await;
    let moved = s.move_to(&why, &europe, 1, Some(&asia)).await.unwrap();
    assert_eq!(moved.seen.record.version, 2);
    let path = s.paths_of(&who, std::slice::from_ref(&sweden)).await.unwrap();
    let path: Vec<&str> = path[&sweden].iter().map(|step| step.title.as_str()).collect();
    assert_eq!(path, ["Earth", "Asia", "Europe"]);
    let branch = s.branch(&who, "place", Some(&earth), None, 10).await.unwrap();
    assert_eq!(branch.twigs.len(), 1);
    assert!(branch.twigs[0].is_above);
    assert_eq!(s.count_below(&who, &earth, 10).await.unwrap(), 3);
    assert_no_circle(&standing(&db, &s).await);
}

async fn moves_at_once_make_no_circle(db: TestDb) {
    let s = Arc::new(start(&db).await);
    for _ in 0..6 {
        let mut ids = Vec::new();
        for name in ["A", "B", "C", "D"] {
            ids.push(make(&s, name, None).await);
        }
        // Each below the next one: three of them are fine, all four would go round.
        let moves = (0..4).map(|n| {
            let (s, id, to) = (s.clone(), ids[n].clone(), ids[(n + 1) % 4].clone());
            tokio::spawn(async move {
                let who = operator();
                s.move_to(&because(&who), &id, 1, Some(&to)).await.is_ok()
            })
        });
        let mut done = 0;
        for one in moves.collect::<Vec<_>>() {
            done += u32::from(one.await.unwrap());
        }
        assert_eq!(done, 3, "all but one can be moved");
        assert_no_circle(&standing(&db, &s).await);
    }
}

async fn a_type_with_records_becomes_a_tree(db: TestDb) {
    let s = service(&db);
    let who = operator();
    let why = because(&who);
    s.create_type(&why, &place(None)).await.unwrap();
    let top = make(&s, "Top", None).await;
    let mut last = top.clone();
    // More than are looked at in one step.
    for n in 0..305 {
        let above = if n % 3 == 0 { &top } else { &last };
        last = make(&s, &format!("P {n}"), Some(above)).await;
    }
    // A circle stands in the way, and is named.
    let round = map(json!({ "name": "Top", "above": last }));
    s.edit(&why, &top, 1, &Edit::Replace(round), None).await.unwrap();
    let refused = s
        .replace_type(&why, "place", 1, &place(Some("above")))
        .await
        .unwrap_err();
    assert!(refused.fields()[0].message.contains("below itself"), "{refused:?}");
    s.edit(&why, &top, 2, &Edit::Replace(map(json!({ "name": "Top" }))), None)
        .await
        .unwrap();
    s.replace_type(&why, "place", 1, &place(Some("above"))).await.unwrap();
    let nodes = standing(&db, &s).await;
    assert_eq!(nodes.len(), 306);
    assert_no_circle(&nodes);
    let branch = s.branch(&who, "place", Some(&top), None, 3).await.unwrap();
    let titles: Vec<&str> = branch.twigs.iter().map(|twig| twig.title.as_str()).collect();
    assert_eq!(titles, ["P 0", "P 3", "P 6"], "in natural order");
    let next = s
        .branch(&who, "place", Some(&top), branch.next.as_ref(), 2)
        .await
        .unwrap();
    assert_eq!(next.twigs[0].title, "P 9");
}

async fn what_something_hangs_below_is_not_deleted(db: TestDb) {
    let s = start(&db).await;
    let who = operator();
    let why = because(&who);
    let top = make(&s, "Top", None).await;
    let middle = make(&s, "Middle", Some(&top)).await;
    let low = make(&s, "Low", Some(&middle)).await;
    let refused = s.delete(&why, &middle, 1).await.unwrap_err();
    assert_eq!(refused.code(), Code::Conflict);
    assert_eq!(refused.extra()["blockers"][0]["title"], "Low");
    // Rows that a file no longer has: what something hangs below stays.
    let ids = [middle.clone()];
    let deleted = db
        .write(crate::kernel::db::Write::bulk("test.delete"), |tx| {
            let (s, why, ids) = (&s, &why, &ids);
            Box::pin(async move {
                let set = crate::kernel::ledger::NewSet {
                    kind: "test",
                    actor: "operator",
                    reason: why.reason,
                    origin: json!({}),
                };
                let set = crate::kernel::ledger::open_set(tx, &set).await?;
                crate::contract::records::Records::delete_many(s, tx, &set, ids).await
            })
        })
        .await
        .unwrap();
    assert_eq!(deleted, 0);
    s.delete_lifting(&why, &middle, 1).await.unwrap();
    let nodes = standing(&db, &s).await;
    assert_eq!(nodes.get(&low), Some(&top));
    assert!(!nodes.contains_key(&middle));
    // It comes back where it hung, and nothing below it.
    s.restore(&why, &middle, None).await.unwrap();
    assert_eq!(standing(&db, &s).await.get(&middle), Some(&top));
    assert!(store::hanging(&*db, &[middle], 10).await.unwrap().is_empty());
    // What would come back below itself does not.
    s.delete(&why, &low, 2).await.unwrap();
    let gone = s.move_to(&why, &top, 1, Some(&low)).await.unwrap_err();
    assert_eq!(gone.code(), Code::Invalid);
}
