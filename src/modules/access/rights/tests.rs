//! What roles mean: the table as it is meant, and decisions for accounts, tokens and nobody on both engines.

use std::sync::Arc;

use super::Rights;
use super::profile::Names;
use super::table::Table;
use crate::both;
use crate::contract::access::{Grants, HOUSE, Role};
use crate::kernel::access::{Access, Authorizer, Caller, Level, Object, PUBLIC_READS, Permission, Subject, Terms};
use crate::kernel::clock::Clock;
use crate::kernel::db::{Db, Engine, Options, Write, sql};
use crate::kernel::testing::TestDb;
use crate::modules::access::grants::GrantService;
use crate::modules::access::relations::{Relations, house_schema};

#[test]
fn the_table_is_as_it_is_meant() {
    let schema = house_schema().unwrap();
    let table = Table::of(&schema).unwrap();
    let mut lines: Vec<String> = Vec::new();
    for row in table.rows(&schema) {
        let names = |roles: &[Role]| roles.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(" ");
        let line = if row.everybody {
            format!("{}: everybody", row.permission)
        } else {
            let own = if row.own.is_empty() {
                String::new()
            } else {
                format!(" / of what they made: {}", names(&row.own))
            };
            format!(
                "{}: {} / {}{own}",
                row.permission,
                names(&row.collection),
                names(&row.house)
            )
        };
        lines.push(line);
    }
    insta::assert_snapshot!(lines.join("\n"));
    for permission in PUBLIC_READS {
        assert!(table.row(permission.0).everybody, "{}", permission.0);
    }
}

struct House {
    rights: Rights,
    grants: GrantService,
    db: Db,
    /// Its folder goes with it.
    _kept: TestDb,
}

fn account(id: &str, scope: Option<&[&str]>) -> Caller {
    Caller {
        subject: Subject::Account {
            id: id.to_owned(),
            name: id.to_owned(),
            scope: scope.map(|all| all.iter().map(|s| (*s).to_owned()).collect()),
        },
        request_id: None,
    }
}

impl House {
    fn new(kept: TestDb) -> Self {
        let db = (*kept).clone();
        let relations = Arc::new(Relations::new(db.clone()).unwrap());
        let access = Access::default();
        let rights = Rights::new(relations.clone(), access.clone(), &db).unwrap();
        access.install(Box::new(Rights::new(relations.clone(), access.clone(), &db).unwrap()));
        let grants = GrantService {
            db: db.clone(),
            access,
            relations,
        };
        Self {
            rights,
            grants,
            db,
            _kept: kept,
        }
    }

    async fn change(&self, by: &Caller, subject: &str, role: Role, place: &str, give: bool) -> Result<(), String> {
        let grants = &self.grants;
        let done = self.db.write(Write::interactive("test"), |tx| {
            Box::pin(async move {
                if give {
                    grants.grant(tx, by, subject, role, place).await
                } else {
                    grants.revoke(tx, by, subject, role, place).await
                }
            })
        });
        done.await.map_err(|e| e.code().as_str().to_owned())
    }

    async fn give(&self, subject: &str, role: Role, place: &str) {
        self.change(&Caller::operator(), subject, role, place, true)
            .await
            .unwrap();
    }

    async fn may(&self, caller: &Caller, permission: &'static str, object: &Object<'_>) -> bool {
        self.rights.check(caller, Permission(permission), object).await.unwrap()
    }
}

fn secret(type_name: &str) -> Object<'_> {
    Object::Record {
        id: "r",
        type_name,
        visibility: Level::Restricted,
    }
}

async fn roles_hold_where_they_are_given(db: TestDb) {
    let house = House::new(db);
    house.give("account:anna", Role::Editor, "type:fungi").await;
    house.give("account:anna", Role::Viewer, "type:birds").await;
    house.give("account:carl", Role::Contributor, "type:fungi").await;
    house.give("account:root", Role::Administrator, HOUSE).await;
    let carl = account("carl", None);
    let (anna, root, nobody) = (account("anna", None), account("root", None), Caller::anonymous());
    let stranger = account("stranger", None);
    for (caller, permission, object, want) in [
        (&anna, "records.write", Object::Type("fungi"), true),
        (&anna, "records.delete", secret("fungi"), true),
        (&anna, "types.write", Object::Type("fungi"), false),
        (&anna, "records.write", Object::Type("birds"), false),
        (&anna, "records.read", secret("birds"), true),
        (&anna, "records.read", secret("coins"), false),
        (&anna, "records.write", Object::House, false),
        (&anna, "records.write", Object::Anywhere, true),
        (&anna, "jobs.read", Object::Anywhere, false),
        (&carl, "records.write", Object::Type("fungi"), true),
        (&carl, "records.write", Object::Anywhere, true),
        (&carl, "records.write", secret("fungi"), false),
        (&carl, "records.read", secret("fungi"), true),
        (&stranger, "records.read", secret("fungi"), false),
        (&stranger, "records.write", Object::Anywhere, false),
        (&nobody, "records.read", Object::Type("fungi"), true),
        (&nobody, "records.read", secret("fungi"), false),
        (&root, "types.write", Object::Type("new"), true),
        (&root, "jobs.manage", Object::House, true),
        (&root, "nothing.such", Object::House, false),
    ] {
        let found = house.may(caller, permission, &object).await;
        assert_eq!(found, want, "{} {permission} {object}", caller.actor());
    }
    let view = house.rights.filter(&anna, Permission("records.read")).await.unwrap();
    let terms = |terms: &Terms| match terms {
        Terms::Any(all) => all.join(" "),
        Terms::All => "*".to_owned(),
    };
    assert_eq!(terms(&view.public), "public members birds/restricted fungi/restricted");
    assert_eq!(terms(&view.members), "public members birds/restricted fungi/restricted");
    assert_eq!(
        terms(&view.restricted),
        "birds/public birds/members birds/restricted fungi/public fungi/members fungi/restricted"
    );
    let writable = house.rights.filter(&anna, Permission("records.write")).await.unwrap();
    assert_eq!(terms(&writable.public), "fungi/public fungi/members fungi/restricted");
    let his = house.rights.filter(&carl, Permission("records.write")).await.unwrap();
    assert_eq!(
        terms(&his.public),
        "",
        "what is theirs to change is known record by record"
    );
    let all = house.rights.filter(&root, Permission("records.read")).await.unwrap();
    assert_eq!(
        (terms(&all.public), terms(&all.restricted)),
        ("*".to_owned(), "*".to_owned())
    );
    // A narrowed token of the same account.
    let narrow = account("anna", Some(&["records.write"]));
    assert!(house.may(&narrow, "records.write", &Object::Type("fungi")).await);
    assert!(house.may(&narrow, "records.delete", &Object::Type("fungi")).await);
    assert!(house.may(&anna, "history.undo", &Object::Type("fungi")).await);
    assert!(!house.may(&narrow, "history.undo", &Object::Type("fungi")).await);
    assert!(
        !house.may(&narrow, "records.read", &secret("fungi")).await,
        "its scope does not name restricted things"
    );
    assert!(
        house
            .may(&account("anna", Some(&["records.*"])), "records.read", &secret("fungi"))
            .await
    );
    let both = [secret("fungi"), secret("coins")];
    let levels = house
        .rights
        .levels(&anna, Permission("records.read"), &both)
        .await
        .unwrap();
    assert_eq!(levels, [Some(Level::Restricted), None]);
}

async fn whoever_gives_holds(db: TestDb) {
    let house = House::new(db);
    house.give("account:cora", Role::Curator, "type:fungi").await;
    house.give("account:root", Role::Administrator, HOUSE).await;
    let (cora, root) = (account("cora", None), account("root", None));
    for (by, subject, role, place, want) in [
        (&cora, "account:b", Role::Editor, "type:fungi", Ok(())),
        (&cora, "account:b", Role::Curator, "type:fungi", Ok(())),
        (&cora, "account:b", Role::Viewer, "type:birds", Err("forbidden")),
        (&cora, "account:b", Role::Viewer, HOUSE, Err("forbidden")),
        (&cora, "account:cora", Role::Administrator, HOUSE, Err("forbidden")),
        (&root, "account:b", Role::Operator, HOUSE, Ok(())),
        (&root, "account:b", Role::Administrator, "type:fungi", Err("invalid")),
        (&root, "account:b", Role::Viewer, "shelf:1", Err("invalid")),
        (&root, "group:g", Role::Viewer, HOUSE, Err("invalid")),
        (&root, "account:", Role::Viewer, HOUSE, Err("invalid")),
        (
            &Caller::anonymous(),
            "account:b",
            Role::Viewer,
            HOUSE,
            Err("unauthenticated"),
        ),
    ] {
        let done = house.change(by, subject, role, place, true).await;
        assert_eq!(done, want.map_err(str::to_owned), "{subject} {role:?} {place}");
    }
    let roles = house.grants.roles_of("account:b").await.unwrap();
    assert_eq!(roles.len(), 3, "{roles:?}");
    let last = house
        .change(&root, "account:root", Role::Administrator, HOUSE, false)
        .await;
    assert_eq!(last, Err("conflict".to_owned()));
    assert!(
        house.may(&root, "access.manage", &Object::House).await,
        "nothing of it stands"
    );
    house.give("account:b", Role::Administrator, HOUSE).await;
    house
        .change(&root, "account:root", Role::Administrator, HOUSE, false)
        .await
        .unwrap();
    assert!(
        !house.may(&root, "access.manage", &Object::House).await,
        "it is gone at once"
    );
    let grants = &house.grants;
    house
        .db
        .write(Write::interactive("test"), |tx| {
            Box::pin(async move { grants.forget(tx, &Caller::operator(), "account:b").await })
        })
        .await
        .unwrap();
    assert!(grants.roles_of("account:b").await.unwrap().is_empty());
    assert!(!house.may(&account("b", None), "records.write", &Object::Anywhere).await);
}

/// Two transactions hold every connection there is, and each asks what somebody may: neither needs another one.
async fn a_transaction_asks_over_its_own_connection(db: TestDb) {
    let options = Options {
        readers: 2,
        wait_ms: 3_000,
        ..Options::default()
    };
    let few = Db::open(db.url(), db.folder(), Clock::system(), options).await.unwrap();
    let relations = Arc::new(Relations::new(few.clone()).unwrap());
    let access = Access::default();
    access.install(Box::new(Rights::new(relations, access.clone(), &few).unwrap()));
    House::new(db.clone())
        .give("account:cora", Role::Curator, "type:fungi")
        .await;
    let cora = account("cora", None);
    let together = tokio::sync::Barrier::new(if db.engine() == Engine::Postgres { 2 } else { 1 });
    let (access, cora, together) = (&access, &cora, &together);
    let ask = || {
        few.write(Write::interactive("test"), |tx| {
            Box::pin(async move {
                let (_,): (i64,) = sql("SELECT CAST(1 AS BIGINT)").one(&mut *tx).await?;
                together.wait().await;
                let object = Object::Type("fungi");
                let level = access.level_in(tx, cora, Permission("access.grants"), &object).await?;
                access
                    .require_in(tx, cora, Permission("records.write"), &object)
                    .await?;
                Ok((
                    level,
                    access.level_in(tx, cora, Permission("access.manage"), &object).await?,
                ))
            })
        })
    };
    let (one, other) = tokio::join!(ask(), ask());
    for held in [one, other] {
        assert_eq!(held.unwrap(), (Some(Level::Restricted), None));
    }
    few.close().await;
}
both!(
    roles_hold_where_they_are_given,
    whoever_gives_holds,
    a_transaction_asks_over_its_own_connection
);

#[test]
fn a_schema_with_too_many_permissions_is_refused() {
    let mut text = "type house\n".to_owned();
    (0..129).for_each(|n| text.push_str(&format!("  permission p{n} = @anyone\n")));
    let schema = crate::modules::access::schema::Schema::parse(&text).unwrap();
    assert!(Names::of(&Arc::new(schema)).is_none());
}

/// The table of the manual, as Markdown.
fn manual(table: &Table, schema: &crate::modules::access::schema::Schema) -> String {
    let mut text = "| permission | in a collection | in the house |\n|---|---|---|\n".to_owned();
    for row in table.rows(schema) {
        let named = |role: &Role| {
            if row.own.contains(role) {
                format!("{} (what they made)", role.as_str())
            } else {
                role.as_str().to_owned()
            }
        };
        let names = |roles: &[Role]| {
            let names: Vec<String> = roles.iter().map(named).collect();
            if names.is_empty() {
                "-".to_owned()
            } else {
                names.join(", ")
            }
        };
        let (collection, house) = if row.everybody {
            ("everybody".to_owned(), "everybody".to_owned())
        } else if row.members {
            ("whoever is signed in".to_owned(), "whoever is signed in".to_owned())
        } else {
            (names(&row.collection), names(&row.house))
        };
        text.push_str(&format!("| `{}` | {collection} | {house} |\n", row.permission));
    }
    text
}

#[test]
fn the_manual_holds_the_table() {
    let schema = house_schema().unwrap();
    let wanted = manual(&Table::of(&schema).unwrap(), &schema);
    let chapter = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/docs/57-permissions.md"));
    assert!(
        chapter.ends_with(&wanted),
        "assets/docs/57-permissions.md ends with another table than the schema gives:\n\n{wanted}"
    );
}
