//! What is offered while somebody types: values and titles of what they may see, and nothing else.

use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::TestDb;

use super::{House, ask};

both!(what_is_typed_is_suggested_to_who_may_see_it);

async fn what_is_typed_is_suggested_to_who_may_see_it(db: TestDb) {
    let house = House::open(db).await;
    let open = json!({"title": "Teller", "material": "Ton", "keeper": "Tobias", "donor": "Töpfer"});
    house.put("public", open).await;
    let closed = json!({"title": "Topf", "material": "Ton", "keeper": "Tobias"});
    house.put("members", closed).await;
    house.find("wait=true").await;
    let suggest = async |router: &axum::Router, token, question: &str| {
        let answer = ask(router, "GET", &format!("/api/suggest?{question}"), token, None).await;
        assert_eq!(answer.status, 200, "{question} {}", answer.body);
        let values = answer.body["values"].as_array().unwrap().iter();
        let values = values.map(|v| {
            format!(
                "{}: {}={}",
                v["label"].as_str().unwrap(),
                v["value"].as_str().unwrap(),
                v["count"]
            )
        });
        let records = answer.body["records"].as_array().unwrap().iter();
        let records = records.map(|r| format!("{} {}", r["type"].as_str().unwrap(), r["title"].as_str().unwrap()));
        assert_eq!(answer.body["q"], "TÖ");
        (values.collect::<Vec<_>>(), records.collect::<Vec<_>>())
    };
    let question = "q=T%C3%96";
    let (values, records) = suggest(&house.anyone, None, question).await;
    assert_eq!((values, records.len()), (vec!["Material: Ton=1".to_owned()], 0));
    let (values, records) = suggest(&house.anyone, Some(&house.token), question).await;
    assert_eq!(values, ["Keeper: Tobias=2", "Material: Ton=2"]);
    assert_eq!(records, ["vase Topf"]);
    let (values, _) = suggest(&house.operator, None, &format!("{question}&type=vase&limit=2")).await;
    assert_eq!(values, ["Keeper: Tobias=2", "Material: Ton=2"]);
    let (values, _) = suggest(&house.operator, None, question).await;
    assert_eq!(values[2], "Donor: Töpfer=1");
    for (wrong, status) in [("q=a&type=vas", 404), ("q=a&limit=51", 422), ("q=a&x=1", 400)] {
        let answer = ask(&house.anyone, "GET", &format!("/api/suggest?{wrong}"), None, None).await;
        assert_eq!(answer.status, status, "{wrong} {}", answer.body);
    }
    house.close().await;
}
