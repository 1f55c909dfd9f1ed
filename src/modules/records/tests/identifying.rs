//! A field of a type that has records becomes unique or the key.

use serde_json::{Value, json};

use super::imports::import;
use super::{because, map, operator, service, vase};
use crate::both;
use crate::contract::records::{RecordType, Records, RowOutcome};
use crate::kernel::error::Code;
use crate::kernel::testing::TestDb;
use crate::modules::records::service::Edit;

both!(
    a_field_of_many_records_becomes_the_key,
    values_in_two_records_are_refused_by_name,
    what_is_written_meanwhile_counts,
);

/// More than one step.
const MANY: usize = 700;

fn without_key() -> RecordType {
    let mut vase = vase();
    vase.key = None;
    vase
}

fn with_key() -> RecordType {
    RecordType {
        key: Some("number".to_owned()),
        ..without_key()
    }
}

fn rows(count: usize, number: impl Fn(usize) -> String) -> Vec<Value> {
    (0..count)
        .map(|n| json!({ "number": number(n), "title": format!("Jar {n}") }))
        .collect()
}

async fn a_field_of_many_records_becomes_the_key(db: TestDb) {
    let (s, who) = (service(&db), operator());
    let why = because(&who);
    let made = s.create_type(&why, &without_key()).await.unwrap();
    import(&db, &s, None, "a", rows(MANY, |n| format!("A {n}")))
        .await
        .unwrap();
    let put = s
        .replace_type(&why, "vase", made.stored.version, &with_key())
        .await
        .unwrap();
    assert_eq!(put.stored.definition.key.as_deref(), Some("number"));
    // The same rows in another file are recognised, and what is new is new.
    let (outcomes, _) = import(&db, &s, Some("number"), "b", rows(MANY + 1, |n| format!("A {n}")))
        .await
        .unwrap();
    assert!(outcomes[..MANY].iter().all(|o| *o == RowOutcome::Unchanged));
    assert_eq!(outcomes[MANY], RowOutcome::Created);
    // From here on a number has one owner.
    let twice = super::new(json!({ "number": "A 699", "title": "Another" }));
    assert_eq!(s.create(&why, &twice).await.unwrap_err().code(), Code::Invalid);
}

async fn values_in_two_records_are_refused_by_name(db: TestDb) {
    let (s, who) = (service(&db), operator());
    let why = because(&who);
    let made = s.create_type(&why, &without_key()).await.unwrap();
    // The same number in the first step and in the last.
    import(&db, &s, None, "a", rows(MANY, |n| format!("A {}", n % (MANY - 1))))
        .await
        .unwrap();
    let error = s
        .replace_type(&why, "vase", made.stored.version, &with_key())
        .await
        .unwrap_err();
    assert_eq!((error.code(), error.fields().len()), (Code::Invalid, 1));
    let said = &error.fields()[0];
    assert_eq!(said.path, "number");
    for word in ["\"A 0\"", "\"Jar 0\" (", "\"Jar 699\" (", "change one of them"] {
        assert!(said.message.contains(word), "{word}: {}", said.message);
    }
    assert_eq!(s.find_type("vase").await.unwrap().unwrap().definition.key, None);
    // Mended, it goes; what was taken before does not stand in the way.
    let first = id_of(&s, "Jar 0").await;
    s.edit(&why, &first, 1, &Edit::Merge(map(json!({ "number": "B" }))), None)
        .await
        .unwrap();
    s.replace_type(&why, "vase", made.stored.version, &with_key())
        .await
        .unwrap();
    let again = import(
        &db,
        &s,
        Some("number"),
        "b",
        vec![json!({ "number": "B", "title": "Jar 0" })],
    )
    .await
    .unwrap();
    assert_eq!(again.0, [RowOutcome::Unchanged]);
}

async fn what_is_written_meanwhile_counts(db: TestDb) {
    let (s, who) = (service(&db), operator());
    let why = because(&who);
    let made = s.create_type(&why, &without_key()).await.unwrap();
    import(&db, &s, None, "a", rows(MANY, |n| format!("A {n}")))
        .await
        .unwrap();
    let go_on = || Ok(());
    Records::identify(&s, &with_key(), &go_on).await.unwrap();
    // Between the steps and the change of the type: one takes another number, one comes, one goes.
    let (first, second) = (id_of(&s, "Jar 0").await, id_of(&s, "Jar 1").await);
    s.edit(&why, &first, 1, &Edit::Merge(map(json!({ "number": "C" }))), None)
        .await
        .unwrap();
    s.delete(&why, &second, 1).await.unwrap();
    let taken = super::new(json!({ "number": "A 0", "title": "Heir" }));
    s.create(&why, &taken).await.unwrap();
    let put = db
        .write(crate::kernel::db::Write::interactive("test.put"), |tx| {
            let s = &s;
            Box::pin(async move {
                let set = crate::kernel::ledger::NewSet {
                    kind: "test",
                    actor: "operator",
                    reason: "",
                    origin: json!({}),
                };
                let set = crate::kernel::ledger::open_set(tx, &set).await?;
                s.put_type(tx, &set, &with_key()).await
            })
        })
        .await
        .unwrap();
    assert_eq!(put.version, made.stored.version + 1);
    let file = ["C", "A 0", "A 1", "A 2"].map(|number| json!({ "number": number, "title": "New" }));
    let (outcomes, _) = import(&db, &s, Some("number"), "b", file.to_vec()).await.unwrap();
    // The number of the one that went leads back to it.
    assert!(outcomes.iter().all(|o| *o == RowOutcome::Updated), "{outcomes:?}");
}

async fn id_of(s: &crate::modules::records::service::Service, title: &str) -> String {
    let all = Records::page(s, &operator(), "vase", None, 1_000).await.unwrap();
    let found = all.into_iter().find(|record| record.document["title"] == title);
    found.unwrap().id
}
