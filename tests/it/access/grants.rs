//! Roles and groups through the API and the pages: two collections, each with what its role grants; why, and looking as another.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use tower::ServiceExt;
use vitrine::both;
use vitrine::kernel::testing::TestDb;

use super::House;

both!(
    roles_in_two_collections,
    groups_hold_groups,
    somebody_looks_as_another,
    who_may_and_where_is_listed,
    a_narrow_token_gets_no_file_of_its_owner
);

async fn roles_in_two_collections(db: TestDb) {
    let house = House::open(db).await;
    house.give("stranger", "editor", "type:fungus").await;
    house.give("stranger", "viewer", "type:bird").await;
    let new = |name: &str| json!({"type": name, "visibility": "restricted", "document": {"title": "A secret"}});
    let made = house
        .send("stranger", "POST", "/api/records", Some(&new("fungus")))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(
        house
            .send("stranger", "POST", "/api/records", Some(&new("bird")))
            .await
            .status,
        403
    );
    let bird = house
        .add(
            "bird",
            "restricted",
            json!({"title": "Owl", "donor": "Nobody's business"}),
        )
        .await;
    let seen = house.get("stranger", &format!("/api/records/{bird}")).await.ok().json();
    assert_eq!(seen["document"]["donor"], "Nobody's business");
    assert_eq!(
        house.get("contributor", &format!("/api/records/{bird}")).await.status,
        404
    );
    // What is given at once, is gone at once.
    house.take("stranger", "viewer", "type:bird").await;
    assert_eq!(house.get("stranger", &format!("/api/records/{bird}")).await.status, 404);
    // A curator gives roles in their own collection, up to their own.
    let grant = |role: &str, place: &str| json!({"subject": "account:stranger", "role": role, "place": place});
    for (role, place, status) in [
        ("viewer", "type:fungus", 204),
        ("curator", "type:fungus", 204),
        ("viewer", "type:bird", 403),
        ("administrator", "house", 403),
        ("king", "type:fungus", 422),
        ("viewer", "type:none", 403),
    ] {
        let answer = house
            .send("curator", "POST", "/api/grants", Some(&grant(role, place)))
            .await;
        assert_eq!(answer.status, status, "{role} {place}: {}", answer.text);
    }
    let nobody = json!({"subject": "account:none", "role": "viewer", "place": "type:fungus"});
    let refused = house.operator("POST", "/api/grants", Some(&nobody)).await;
    assert!(
        refused.status == 422 && refused.text.contains("nobody is"),
        "{}",
        refused.text
    );
    let nowhere = json!({"subject": "account:stranger", "role": "viewer", "place": "type:none"});
    let refused = house.operator("POST", "/api/grants", Some(&nowhere)).await;
    assert!(
        refused.status == 422 && refused.text.contains("there is no collection"),
        "{}",
        refused.text
    );
    let listed = house.get("curator", "/api/grants").await.ok().json();
    let places: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["place"].as_str().unwrap())
        .collect();
    assert!(
        !places.is_empty() && places.iter().all(|place| *place == "type:fungus"),
        "{listed}"
    );
    let page = house.get("curator", "/access").await.ok().text;
    assert!(page.contains("The stranger") && !page.contains("/types/bird"), "{page}");
    assert_eq!(house.get("viewer", "/access").await.status, 403);
    house.running.stop().await;
}

async fn groups_hold_groups(db: TestDb) {
    let house = House::open(db).await;
    let make = async |name: &str| {
        let made = house
            .operator("POST", "/api/groups", Some(&json!({"name": name})))
            .await
            .ok()
            .json();
        made["id"].as_str().unwrap().to_owned()
    };
    let (staff, interns) = (make("Staff").await, make("Interns").await);
    let again = house
        .operator("POST", "/api/groups", Some(&json!({"name": "  sTAFF "})))
        .await;
    assert_eq!(again.status, 409, "{}", again.text);
    let put = async |group: &str, subject: String| {
        let path = format!("/api/groups/{group}/members");
        house
            .operator("POST", &path, Some(&json!({ "subject": subject })))
            .await
    };
    put(&staff, format!("group:{interns}#member")).await.ok();
    put(&interns, "account:stranger".to_owned()).await.ok();
    assert_eq!(
        put(&interns, format!("group:{staff}#member")).await.status,
        409,
        "no group is in itself"
    );
    assert_eq!(put(&interns, "account:none".to_owned()).await.status, 422);
    assert_eq!(put(&interns, "type:fungus".to_owned()).await.status, 422);
    let secret = house.add("fungus", "restricted", json!({"title": "A secret"})).await;
    let path = format!("/api/records/{secret}");
    assert_eq!(house.get("stranger", &path).await.status, 404);
    let grant = json!({"subject": format!("group:{staff}#member"), "role": "viewer", "place": "type:fungus"});
    house.operator("POST", "/api/grants", Some(&grant)).await.ok();
    assert_eq!(house.get("stranger", &path).await.status, 200);
    let why = format!("/api/access/why?object=record:{secret}&subject=account:stranger");
    let answer = house.operator("GET", &why, None).await.ok().json();
    assert_eq!(answer["allowed"], true, "{answer}");
    let way: Vec<String> = answer["way"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|reason| reason["step"] == "tuple")
        .map(|reason| {
            format!(
                "{} {}",
                reason["relation"].as_str().unwrap(),
                reason["holder"]["name"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(way, ["viewer Staff", "member Interns", "member The stranger"]);
    let page = house.get("root", &why.replace("/api", "")).await.ok().text;
    assert!(
        page.contains("Staff is viewer of Fungus") && page.contains("The stranger is in the group Interns"),
        "{page}"
    );
    let nobody = house
        .operator("GET", &format!("/api/access/why?object=record:{secret}"), None)
        .await
        .ok()
        .json();
    assert_eq!(
        (&nobody["allowed"], &nobody["level"]),
        (&json!(false), &json!("public"))
    );
    assert_eq!(house.get("curator", &why.replace(&secret, "none")).await.status, 404);
    house
        .operator("DELETE", &format!("/api/groups/{staff}"), None)
        .await
        .ok();
    assert_eq!(
        house.get("stranger", &path).await.status,
        404,
        "what a deleted group had is gone"
    );
    house.running.stop().await;
}

async fn somebody_looks_as_another(db: TestDb) {
    let house = House::open(db).await;
    let secret = house.add("fungus", "restricted", json!({"title": "A secret"})).await;
    let look = async |who: &str, method: &str, path: &str, view_as: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {who}"))
            .header("view-as", view_as)
            .body(Body::empty())
            .unwrap();
        house.anyone.clone().oneshot(request).await.unwrap()
    };
    let path = format!("/api/records/{secret}");
    assert_eq!(look("root", "GET", &path, "account:viewer").await.status(), 200);
    assert_eq!(look("root", "GET", &path, "account:stranger").await.status(), 404);
    let nobody = look("root", "GET", "/", "anonymous").await;
    assert_eq!(nobody.status(), 200);
    assert!(!nobody.headers()["cache-control"].to_str().unwrap().contains("public"));
    assert_eq!(
        look("root", "DELETE", &path, "account:editor").await.status(),
        403,
        "it only reads"
    );
    assert_eq!(
        look("curator", "GET", &path, "account:root").await.status(),
        403,
        "not everybody may"
    );
    for own in ["/account", "/account/second-step", "/account/export"] {
        let refused = look("root", "GET", own, "account:viewer").await.status();
        assert_eq!(refused, 403, "{own}: what is somebody's own is shown to nobody else");
    }
    assert_eq!(look("root", "GET", &path, "account:none").await.status(), 422);
    // A token that may look as others sees no more by it than its scope names.
    assert_eq!(look("peeping", "GET", "/", "account:viewer").await.status(), 200);
    assert_eq!(look("peeping", "GET", &path, "account:viewer").await.status(), 404);
    assert_eq!(
        look("peeping", "GET", "/api/people", "account:administrator")
            .await
            .status(),
        403
    );
    assert_eq!(house.get("root", &path).await.status, 200, "itself again");
    house.running.stop().await;
}

async fn a_narrow_token_gets_no_file_of_its_owner(db: TestDb) {
    let house = House::open(db).await;
    house.add("fungus", "restricted", json!({"title": "A secret"})).await;
    house.add("fungus", "public", json!({"title": "Known"})).await;
    let order = json!({"type": "fungus", "format": "csv"});
    let ask = async |who: &str| {
        let begun = house.send(who, "POST", "/api/exports", Some(&order)).await.ok().json();
        begun["job"].as_str().unwrap().to_owned()
    };
    // The same order of the same account, by a session and by a token that reads less: each has its own.
    let (whole, narrow) = (ask("root").await, ask("narrow").await);
    assert_ne!(whole, narrow);
    house.drain_jobs().await;
    let file = async |who: &str, job: &str| house.get(who, &format!("/api/exports/{job}/file")).await;
    assert!(file("root", &whole).await.ok().text.contains("A secret"));
    let cut = file("narrow", &narrow).await.ok().text;
    assert!(cut.contains("Known") && !cut.contains("A secret"), "{cut}");
    assert_eq!(file("narrow", &whole).await.status, 404);
    assert_eq!(house.get("narrow", &format!("/api/exports/{whole}")).await.status, 404);
    assert_eq!(
        file("root", &narrow).await.status,
        200,
        "its owner sees what the token had made"
    );
    assert_eq!(file("administrator", &whole).await.status, 404);
    house.running.stop().await;
}

async fn who_may_and_where_is_listed(db: TestDb) {
    let house = House::open(db).await;
    let group = house
        .operator("POST", "/api/groups", Some(&json!({"name": "Staff"})))
        .await
        .ok()
        .json();
    let members = format!("/api/groups/{}/members", group["id"].as_str().unwrap());
    house
        .operator("POST", &members, Some(&json!({"subject": "account:stranger"})))
        .await
        .ok();
    let grant = json!({"subject": group["subject"], "role": "viewer", "place": "type:bird"});
    house.operator("POST", "/api/grants", Some(&grant)).await.ok();
    // Who sees what is restricted there, with what it follows from; exactly those for whom a check says so.
    let who = house.get("root", "/api/access/who?object=type:bird").await.ok().json();
    let mut listed: Vec<&str> = who["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|holder| holder["subject"].as_str().unwrap())
        .collect();
    listed.sort_unstable();
    let secret = house.add("bird", "restricted", json!({"title": "A secret"})).await;
    let mut seeing = Vec::new();
    for person in super::PEOPLE {
        if house.get(person, &format!("/api/records/{secret}")).await.status == 200 {
            seeing.push(format!("account:{person}"));
        }
    }
    seeing.sort_unstable();
    assert_eq!(listed, seeing, "{who}");
    assert!(!who["tree"].is_null(), "{who}");
    let what = house
        .get("root", "/api/access/what?subject=account:stranger")
        .await
        .ok()
        .json();
    assert_eq!(
        (&what["items"], &what["everywhere"]),
        (&json!(["type:bird"]), &json!(false))
    );
    let what = house
        .get("root", "/api/access/what?subject=account:root&permission=types.write")
        .await
        .ok()
        .json();
    assert_eq!(what["everywhere"], true);
    // Why: the way through the group, by names.
    let why = house
        .get("root", "/api/access/why?object=type:bird&subject=account:stranger")
        .await
        .ok()
        .json();
    assert!(why.to_string().contains("Staff"), "{why}");
    for (path, status) in [
        ("/api/access/who?object=type:bird&permission=records.fly", 422),
        ("/api/access/who?object=type:none", 422),
        ("/api/access/why?object=nonsense", 422),
    ] {
        assert_eq!(house.get("root", path).await.status, status, "{path}");
    }
    for path in [
        "/api/access/who?object=type:bird",
        "/api/access/what?subject=account:root",
    ] {
        assert_eq!(house.get("viewer", path).await.status, 403, "{path}");
    }
    house.running.stop().await;
}
