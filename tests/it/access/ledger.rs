//! What was given to whom, in the ledger: for auditors, not for everybody who sees changes, and never undone. And jobs of somebody
//! who lost the role meanwhile.

use serde_json::{Value, json};
use vitrine::both;
use vitrine::kernel::testing::TestDb;

use super::House;

both!(
    an_editor_elsewhere_takes_nothing_back,
    grants_stand_in_the_audit,
    the_last_administrator_stays,
    a_job_ends_when_its_account_lost_the_role
);

/// Lines of the audit of one kind: cause, actor, id, operation.
async fn audit(house: &House, kind: &str) -> Vec<String> {
    let text = house
        .get("root", &format!("/api/changes/export?kind={kind}"))
        .await
        .ok()
        .text;
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        format!(
            "{} {} {} {}",
            text("cause"),
            text("actor"),
            text("id"),
            text("operation")
        )
    };
    text.lines().map(line).collect()
}

async fn grants_stand_in_the_audit(db: TestDb) {
    let house = House::open(db).await;
    let grant = json!({"subject": "account:stranger", "role": "editor", "place": "type:fungus"});
    for _ in 0..2 {
        // Giving it again is no change.
        house.send("curator", "POST", "/api/grants", Some(&grant)).await.ok();
    }
    house.take("stranger", "editor", "type:fungus").await;
    house.send("root", "POST", "/api/grants", Some(&grant)).await.ok();
    let about = |lines: Vec<String>| -> Vec<String> {
        let of = lines.into_iter().filter(|line| line.contains("account:stranger"));
        of.collect()
    };
    let id = "type:fungus#editor@account:stranger";
    assert_eq!(
        about(audit(&house, "grant").await),
        [
            format!("access.grant account:curator {id} create"),
            format!("access.revoke operator {id} delete"),
            format!("access.grant account:root {id} restore"),
        ]
    );
    let group = house
        .send("root", "POST", "/api/groups", Some(&json!({"name": "Staff"})))
        .await
        .ok()
        .json();
    let members = format!("/api/groups/{}/members", group["id"].as_str().unwrap());
    let member = json!({"subject": "account:stranger"});
    house.send("root", "POST", &members, Some(&member)).await.ok();
    let to_group = json!({"subject": group["subject"], "role": "viewer", "place": "house"});
    house.send("root", "POST", "/api/grants", Some(&to_group)).await.ok();
    // The page tells it in words; to somebody who sees every record but is no auditor it tells nothing.
    let page = house.get("root", "/changes").await.ok().text;
    for words in [
        "The stranger: Editor, Fungus",
        "The stranger is in the group Staff",
        "Staff: Viewer, The whole house",
    ] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    let newest = house
        .get("root", "/api/changes?cause=access.grant&limit=1")
        .await
        .ok()
        .json();
    let set = newest["items"][0]["id"].as_str().unwrap();
    let page = house.get("root", &format!("/changes/{set}")).await.ok().text;
    assert!(
        page.contains("Staff: Viewer, The whole house") && !page.contains("/undo"),
        "{page}"
    );
    assert_eq!(house.get("root", &format!("/api/changes/{set}/undo")).await.status, 409);
    let undo = house
        .send("root", "POST", &format!("/api/changes/{set}/undo"), Some(&json!({})))
        .await;
    assert_eq!(undo.status, 409, "{}", undo.text);
    house.give("editor", "editor", "house").await;
    for path in ["/api/changes?limit=200", "/changes", "/api/changes?cause=access.grant"] {
        let told = house.get("editor", path).await.ok().text;
        assert!(!told.contains("access.") && !told.contains("Staff"), "{path}: {told}");
    }
    for path in ["/changes/", "/api/changes/"] {
        assert_eq!(house.get("editor", &format!("{path}{set}")).await.status, 404);
    }
    assert_eq!(
        house.get("editor", &format!("/api/changes/{set}/undo")).await.status,
        404
    );
    // Who gave it is called as everywhere.
    let page = house.get("root", "/access").await.ok().text;
    assert!(page.contains("The curator") || page.contains("The root"), "{page}");
    assert!(!page.contains("<td>operator") && !page.contains("<td>system"), "{page}");
    house.running.stop().await;
}

async fn the_last_administrator_stays(db: TestDb) {
    let house = House::open(db).await;
    let revoke = async |by: &str, who: &str| {
        let path = format!("/api/grants?subject=account:{who}&role=administrator&place=house");
        house.send(by, "DELETE", &path, None).await.status
    };
    assert_eq!(revoke("root", "administrator").await, 204);
    // What is left beside them is switched off, and does not count.
    assert_eq!(revoke("root", "root").await, 409);
    // By a group it holds as well: whoever empties or deletes it would leave nobody.
    let group = house
        .send("root", "POST", "/api/groups", Some(&json!({"name": "Heads"})))
        .await
        .ok()
        .json();
    let id = group["id"].as_str().unwrap();
    let member = json!({"subject": "account:stranger"});
    house
        .send("root", "POST", &format!("/api/groups/{id}/members"), Some(&member))
        .await
        .ok();
    let heads = json!({"subject": group["subject"], "role": "administrator", "place": "house"});
    house.send("root", "POST", "/api/grants", Some(&heads)).await.ok();
    assert_eq!(revoke("stranger", "root").await, 204);
    let out = format!("/api/groups/{id}/members?subject=account:stranger");
    assert_eq!(house.send("stranger", "DELETE", &out, None).await.status, 409);
    assert_eq!(
        house
            .send("stranger", "DELETE", &format!("/api/groups/{id}"), None)
            .await
            .status,
        409
    );
    assert_eq!(
        house.get("stranger", "/api/groups").await.status,
        200,
        "nothing of it stands"
    );
    // The operator of the machine can, and can make another.
    house.operator("DELETE", &format!("/api/groups/{id}"), None).await.ok();
    assert_eq!(house.get("stranger", "/api/groups").await.status, 403);
    house.running.stop().await;
}

/// Who edits one collection neither undoes what happened in another, nor stops what is happening there.
async fn an_editor_elsewhere_takes_nothing_back(db: TestDb) {
    let house = House::open(db).await;
    house.add("bird", "public", json!({"title": "Owl"})).await;
    let set = async |cause: &str| {
        let path = format!("/api/changes?cause={cause}&limit=1");
        let newest = house.get("root", &path).await.ok().json();
        newest["items"][0]["id"].as_str().unwrap().to_owned()
    };
    let undo = async |who: &str, set: &str| {
        let path = format!("/api/changes/{set}/undo");
        house.send(who, "POST", &path, Some(&json!({}))).await
    };
    let made = set("record.create").await;
    assert_eq!(house.get("editor", &format!("/api/changes/{made}")).await.status, 200);
    let refused = undo("editor", &made).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    house.drain_jobs().await;
    let jobs = house
        .operator("GET", "/api/jobs?kind=history.undo", None)
        .await
        .ok()
        .json();
    assert_eq!(jobs["items"], json!([]), "{jobs}");
    // With the right in that collection it is theirs.
    house.give("editor", "editor", "type:bird").await;
    undo("editor", &made).await.ok();
    house.drain_jobs().await;
    assert_eq!(
        house.get("root", "/api/records?type=bird").await.ok().json()["total"],
        0
    );
    house.running.stop().await;
}

async fn a_job_ends_when_its_account_lost_the_role(db: TestDb) {
    let house = House::open(db).await;
    house.add("fungus", "public", json!({"title": "Amanita"})).await;
    let newest = house
        .get("root", "/api/changes?cause=record.create&limit=1")
        .await
        .ok()
        .json();
    let set = newest["items"][0]["id"].as_str().unwrap();
    let begun = house
        .send("editor", "POST", &format!("/api/changes/{set}/undo"), Some(&json!({})))
        .await
        .ok()
        .json();
    let import = "/api/imports?type=fungus&name=a.csv";
    let request = axum::http::Request::builder()
        .method("POST")
        .uri(import)
        .header("host", "localhost")
        .header("authorization", "Bearer contributor")
        .body(axum::body::Body::from("title\nBoletus\n"))
        .unwrap();
    let answer = tower::ServiceExt::oneshot(house.anyone.clone(), request).await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    let bytes = http_body_util::BodyExt::collect(answer.into_body())
        .await
        .unwrap()
        .to_bytes();
    let imported: Value = serde_json::from_slice(&bytes).unwrap();
    house.take("editor", "editor", "type:fungus").await;
    house.take("contributor", "contributor", "type:fungus").await;
    house.drain_jobs().await;
    for (job, permission) in [(&begun["job"], "history.undo"), (&imported["job"], "records.write")] {
        let job = house
            .operator("GET", &format!("/api/jobs/{}", job.as_str().unwrap()), None)
            .await;
        let job = job.ok().json();
        assert_eq!(job["state"], "failed", "{job}");
        let words = job["error"].as_str().unwrap_or_default();
        assert!(words.contains(permission) && words.contains("do not have"), "{job}");
        assert_eq!(job["attempts"], 1, "it is not tried again: {job}");
    }
    let listed = house.get("root", "/api/records?type=fungus").await.ok().json();
    assert_eq!(listed["total"], 1, "nothing was undone or imported: {listed}");
    house.running.stop().await;
}
