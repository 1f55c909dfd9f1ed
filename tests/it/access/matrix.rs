//! Every operation of the OpenAPI document for everybody: what the table of permissions does not allow is refused, and what it
//! allows is not. The table itself knows every permission that a module names.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use vitrine::both;
use vitrine::kernel::testing::TestDb;

use super::{House, ask};
use crate::guards::openapi::operations;

both!(nobody_may_more_than_the_table_says);

/// Who asks, and the role that they have, in a collection or in the house; `None` where they have none.
const CALLERS: [(&str, Option<(&str, &str)>); 11] = [
    ("", None),
    ("stranger", None),
    ("viewer", Some(("collection", "viewer"))),
    ("contributor", Some(("collection", "contributor"))),
    ("editor", Some(("collection", "editor"))),
    ("curator", Some(("collection", "curator"))),
    ("administrator", Some(("house", "administrator"))),
    ("operator", Some(("house", "operator"))),
    ("expired", None),
    ("disabled", None),
    ("narrow", None),
];

/// Operations that ask for more than their permission: who may not is told so by the service.
const STRICTER: [&str; 2] = ["/api/setup-links", "/api/sample"];

fn holds(row: &Value, who: &str, role: Option<(&str, &str)>) -> bool {
    if who == "expired" {
        return false;
    }
    // The narrow token is for reading what everybody may; whoever is a member by it may nothing more.
    let is_member = !matches!(who, "" | "disabled" | "narrow");
    if row["everybody"] == Value::Bool(true) || (is_member && row["members"] == Value::Bool(true)) {
        return true;
    }
    role.is_some_and(|(at, role)| row[at].as_array().unwrap().iter().any(|r| r == role))
}

fn concrete(path: &str) -> String {
    let pieces = path
        .split('/')
        .map(|piece| if piece.starts_with('{') { "1" } else { piece });
    pieces.collect::<Vec<_>>().join("/")
}

async fn nobody_may_more_than_the_table_says(db: TestDb) {
    let house = House::open(db).await;
    let served = house.get("", "/api/permissions").await.ok().json();
    let table: BTreeMap<String, Value> = served["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["permission"].as_str().unwrap().to_owned(), row.clone()))
        .collect();
    let document: Value = house.get("", "/openapi.json").await.ok().json();
    let mut wrong = Vec::new();
    let mut asked = 0;
    let mut unknown = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let permission = operation["x-permission"].as_str().unwrap();
        let Some(row) = table.get(permission) else {
            unknown.insert(permission.to_owned());
            continue;
        };
        // Streams of what happens do not end by themselves.
        if path.ends_with("/events") {
            continue;
        }
        // What is open to everybody may still want an account of one's own, a password, a code.
        let is_strict = permission == "open" || STRICTER.contains(&path);
        let (verb, address) = (method.to_uppercase(), concrete(path));
        for (who, role) in CALLERS {
            let credential = Some(who).filter(|who| !who.is_empty());
            let answer = ask(&house.anyone, &verb, &address, credential, None);
            let answer = tokio::time::timeout(Duration::from_secs(30), answer).await.expect(path);
            asked += 1;
            let refused = matches!(answer.status, 401 | 403);
            let may = holds(row, who, role);
            if answer.status >= 500 && answer.status != 503 {
                wrong.push(format!("{method} {path} for \"{who}\": {}", answer.status));
            }
            if (!may && !refused) || (may && refused && !is_strict) {
                let what = format!(
                    "{method} {path} ({permission}) for \"{who}\": {}, may: {may}",
                    answer.status
                );
                wrong.push(what);
            }
        }
    }
    assert!(
        unknown.is_empty(),
        "assets/models/access.schema does not know {unknown:?}"
    );
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 500, "{asked}");
    let pages = pages_refuse(&house, &table).await;
    println!(
        "{asked} questions to operations and {pages} to pages on {}: 0 wrongly allowed",
        house.db.engine().name()
    );
    house.running.stop().await;
}

/// Asks for every page and sends every form as those who may not; answers how many that were.
async fn pages_refuse(house: &House, table: &BTreeMap<String, Value>) -> usize {
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for fact in house.table.iter().filter(|fact| !fact.in_openapi) {
        let row = &table[fact.permission.0];
        let path = concrete(&fact.path);
        for (who, role) in CALLERS {
            if holds(row, who, role) {
                continue;
            }
            let credential = Some(who).filter(|who| !who.is_empty());
            let answer = ask(&house.anyone, fact.method.as_str(), &path, credential, None).await;
            asked += 1;
            if !matches!(answer.status, 401 | 403) {
                wrong.push(format!("{} {path} for \"{who}\": {}", fact.method, answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 200, "{asked}");
    asked
}

/// Every permission of every module stands in the table, and every one of the table is some module's.
#[tokio::test(flavor = "multi_thread")]
async fn the_table_is_whole() {
    let db = vitrine::kernel::testing::sqlite().await;
    let house = crate::house::House::new(&db).await;
    let modules = house.app.modules();
    let declared: BTreeSet<&str> = modules.iter().flat_map(|m| m.permissions()).map(|p| p.0).collect();
    let web = house.web();
    let asked: BTreeSet<&str> = web.table.iter().map(|fact| fact.permission.0).collect();
    let answer = ask(&web.router, "GET", "/api/permissions", None, None).await;
    let served = answer.json();
    let rows = served["items"].as_array().unwrap();
    let table: BTreeSet<&str> = rows.iter().map(|row| row["permission"].as_str().unwrap()).collect();
    let missing: Vec<_> = declared.union(&asked).filter(|p| !table.contains(*p)).collect();
    assert!(
        missing.is_empty(),
        "assets/models/access.schema does not know {missing:?}"
    );
    // These are asked for by services only.
    let spare: Vec<_> = table
        .iter()
        .filter(|p| !declared.contains(*p) && !asked.contains(*p))
        .collect();
    assert_eq!(
        spare,
        [&"exchange.export", &"search.read"],
        "permissions that nothing asks for"
    );
    house.app.close().await;
}
