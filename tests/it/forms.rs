//! Forms of records over HTTP: made, refused, saved, put together with somebody else's change, deleted and restored.

use bytes::Bytes;
use hyper::Method;
use scraper::{Html, Selector};
use serde_json::{Value, json};

use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

use crate::shown::count;

both!(a_record_by_forms);
both!(two_changes_of_one_record);

/// Every control of the page's form that a browser would send, as pairs.
fn controls(page: &str, form: &str) -> Vec<(String, String)> {
    let page = Html::parse_document(page);
    let all = Selector::parse(&format!("{form} input, {form} textarea, {form} select")).unwrap();
    let chosen = Selector::parse("option[selected]").unwrap();
    let mut pairs = Vec::new();
    for control in page.select(&all) {
        let Some(name) = control.attr("name") else { continue };
        let value = match control.value().name() {
            "textarea" => control
                .text()
                .collect::<String>()
                .trim_start_matches('\n')
                .replace('\n', "\r\n"),
            "select" => control
                .select(&chosen)
                .next()
                .and_then(|o| o.attr("value"))
                .unwrap_or_default()
                .to_owned(),
            _ if matches!(control.attr("type"), Some("radio" | "checkbox")) => match control.attr("checked") {
                Some(_) => control.attr("value").unwrap_or("on").to_owned(),
                None => continue,
            },
            _ => control.attr("value").unwrap_or_default().to_owned(),
        };
        pairs.push((name.to_owned(), value));
    }
    pairs
}

fn set(pairs: &mut Vec<(String, String)>, name: &str, value: &str) {
    pairs.retain(|(known, _)| known != name);
    pairs.push((name.to_owned(), value.to_owned()));
}

async fn with_type(db: &TestDb) -> TestApp {
    let app = TestApp::start(db).await;
    let vase = json!({ "name": "vase", "title": "title", "key": "number", "visibility": "public", "licence": "CC0",
        "image": "picture", "credit": "giver", "fields": [
        { "name": "number", "kind": "identifier", "hints": { "en": "As on the label." } },
        { "name": "title", "kind": "text", "required": true, "column": true },
        { "name": "height", "kind": "number", "min": 0 },
        { "name": "whole", "kind": "boolean" },
        { "name": "made", "kind": "date" },
        { "name": "picture", "kind": "url" },
        { "name": "giver", "kind": "text" },
        { "name": "material", "kind": "term", "values": ["clay", "glass"] },
        { "name": "twin", "kind": "link", "target": "vase" },
        { "name": "notes", "kind": "text", "repeated": true },
        { "name": "maker", "kind": "group", "repeated": true, "fields": [
            { "name": "name", "kind": "text", "required": true }, { "name": "born", "kind": "date" } ] },
        { "name": "place", "kind": "group", "fields": [{ "name": "city", "kind": "text" }] },
    ] });
    app.post("/api/types", &vase).await.ok();
    app
}

async fn a_record_by_forms(db: TestDb) {
    let app = with_type(&db).await;
    assert_eq!(app.get_anonymous("/types/vase/new").await.status, 401);
    let blank = app.page("/types/vase/new").await.ok().text();
    assert!(blank.contains("As on the label.") && blank.contains("At least 0."));

    // What is refused comes back as it was entered, with every message at its control and above.
    let mut form = controls(&blank, "form.entry-form");
    set(&mut form, "doc/number", "V 1");
    set(&mut form, "doc/height", "tall");
    set(&mut form, "doc/notes/#0", "first");
    set(&mut form, "doc/maker/#0/born", "soon");
    let refused = app.send_form("/types/vase/new", &form).await;
    assert_eq!(refused.status, 422);
    let refused = refused.text();
    assert_eq!(count(&refused, "[role=alert] a[href]"), 4, "{refused}");
    assert_eq!(count(&refused, "[name='doc/height'][value=tall][aria-invalid=true]"), 1);
    assert_eq!(count(&refused, "[name='doc/maker/#0/born'][aria-invalid=true]"), 1);
    assert_eq!(count(&refused, "[name='doc/title'][aria-invalid=true]"), 1);

    // Without scripts a button adds empty places and judges nothing.
    set(&mut form, "do", "more");
    let wider = app.send_form("/types/vase/new", &form).await.ok().text();
    assert_eq!(
        count(&wider, "[name='doc/notes/#1']") + count(&wider, "[name='doc/maker/#1/name']"),
        2
    );
    assert_eq!(count(&wider, "[aria-invalid]"), 0);

    let mut form = controls(&refused, "form.entry-form");
    for (name, value) in [
        ("doc/title", "Jar <b>"),
        ("doc/height", "12.5"),
        ("doc/whole", "true"),
        ("doc/material", "glass"),
        ("doc/maker/#0/name", "Exekias"),
        ("doc/maker/#0/born", "-0540"),
        ("doc/place/city", "Athens"),
        ("doc/picture", "https://images.example.org/jar.jpg"),
        ("doc/giver", "Mrs. A"),
        ("reason", "from the card index"),
    ] {
        set(&mut form, name, value);
    }
    let saved = app.send_form("/types/vase/new", &form).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let place = saved.header("location").unwrap();
    let record = app.get(&format!("/api{place}")).await.ok().json();
    let want = json!({ "number": "V 1", "title": "Jar <b>", "height": 12.5, "whole": true, "material": "glass",
        "notes": ["first"], "maker": [{ "name": "Exekias", "born": "-0540" }], "place": { "city": "Athens" },
        "picture": "https://images.example.org/jar.jpg", "giver": "Mrs. A" });
    assert_eq!(record["document"], want);

    let shown = app.page(&place).await.ok().text();
    assert!(shown.contains("Mrs. A") && shown.contains("CC0") && shown.contains("@misc"));
    assert_eq!(count(&shown, "img"), 0, "nothing is loaded from another site");
    assert_eq!(
        count(&shown, "a.image-link[href='https://images.example.org/jar.jpg']"),
        1
    );
    for (ending, says) in [
        ("jsonld", "\"creditText\": \"Mrs. A\""),
        ("bib", "Jar <b>"),
        ("ris", "TY  - GEN"),
    ] {
        let form = app.get_anonymous(&format!("{place}.{ending}")).await.ok().text();
        assert!(form.contains(says), "{form}");
    }

    edited(&app, &place, &want).await;
    deleted(&app, &place).await;
}

async fn edited(app: &TestApp, place: &str, want: &Value) {
    // A form that is sent as it came changes nothing.
    let edit = app.page(&format!("{place}/edit")).await.ok().text();
    let mut form = controls(&edit, "form.entry-form");
    assert_eq!(app.send_form(&format!("{place}/edit"), &form).await.status, 303);
    let same = app.get(&format!("/api{place}")).await.ok().json();
    assert_eq!((&same["version"], &same["document"]), (&json!(1), want));
    set(&mut form, "doc/number", "V 2");
    set(&mut form, "doc/notes/#0", "");
    set(&mut form, "doc/twin", place.trim_start_matches("/records/"));
    assert_eq!(app.send_form(&format!("{place}/edit"), &form).await.status, 303);
    let edited = app.get(&format!("/api{place}")).await.ok().json();
    assert_eq!(
        (&edited["version"], &edited["document"]["notes"]),
        (&json!(2), &json!(null))
    );
    let old = app.page(&format!("{place}/versions/1")).await.ok().text();
    assert!(old.contains("This is version 1") && old.contains("V 1"));
    let back = app.page(&format!("{place}/edit?from=1")).await.ok().text();
    assert_eq!(count(&back, "[name='doc/number'][value='V 1']"), 1);

    // Half a form saves nothing.
    form.retain(|(name, _)| name != "whole");
    assert_eq!(app.send_form(&format!("{place}/edit"), &form).await.status, 400);
}

async fn deleted(app: &TestApp, place: &str) {
    let question = app.page(&format!("{place}/delete")).await.ok().text();
    let form = controls(&question, "main form");
    assert_eq!(app.send_form(&format!("{place}/delete"), &form).await.status, 303);
    let gone = app.page(place).await;
    assert_eq!(gone.status, 410);
    assert_eq!(count(&gone.text(), &format!("form[action='{place}/restore']")), 1);
    assert_eq!(count(&app.get_anonymous(place).await.text(), "form[method=post]"), 0);
    assert_eq!(
        app.send_form(&format!("{place}/restore"), &[("", ""); 0]).await.status,
        303
    );
    app.page(place).await.ok();
}

async fn two_changes_of_one_record(db: TestDb) {
    let app = with_type(&db).await;
    let made = json!({ "type": "vase", "document": { "title": "Jar", "height": 1, "giver": "A" } });
    let id = app.post("/api/records", &made).await.ok().json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (edit, merge) = (format!("/records/{id}/edit"), format!("/records/{id}/merge"));
    let stale = app.page(&edit).await.ok().text();

    // Somebody else is faster.
    let theirs = json!({ "document": { "title": "Their jar", "height": 1, "giver": "A", "notes": ["seen"] } });
    let faster = app
        .signed(Method::PUT, &format!("/api/records/{id}"))
        .header("if-match", "\"1\"");
    let faster = faster.header("content-type", "application/json");
    app.send(faster, Bytes::from(theirs.to_string())).await.ok();

    let mut form = controls(&stale, "form.entry-form");
    set(&mut form, "doc/title", "My jar");
    set(&mut form, "doc/giver", "B");
    let both = app.send_form(&edit, &form).await;
    assert_eq!(both.status, 412);
    let both = both.text();
    assert_eq!(count(&both, "fieldset.choice"), 3, "{both}");
    assert_eq!(count(&both, "fieldset.choice.open"), 1);

    // A field that both changed needs a choice; until then nothing is saved and nothing is lost.
    let mut form = controls(&both, "main form");
    let unchosen = app.send_form(&merge, &form).await;
    assert_eq!(unchosen.status, 412);
    assert!(unchosen.text().contains("My jar") && unchosen.text().contains("Their jar"));

    // On the way to the form of both changes, too.
    set(&mut form, "pick/title", "mine");
    set(&mut form, "do", "edit");
    let further = app.send_form(&merge, &form).await.ok().text();
    assert_eq!(count(&further, "[name='doc/title'][value='My jar']"), 1);
    assert_eq!(count(&further, "input[name=version][value='2']"), 1);

    // Once more somebody is faster: the same question again, with what was chosen.
    let theirs = json!({ "document": { "material": "clay" } });
    let faster = app
        .signed(Method::PATCH, &format!("/api/records/{id}"))
        .header("if-match", "\"2\"");
    let faster = faster.header("content-type", "application/merge-patch+json");
    app.send(faster, Bytes::from(theirs.to_string())).await.ok();
    set(&mut form, "do", "save");
    let again = app.send_form(&merge, &form).await;
    assert_eq!(again.status, 412);
    let again = again.text();
    assert_eq!(
        (count(&again, "fieldset.choice"), count(&again, "fieldset.choice.open")),
        (4, 0)
    );
    let form = controls(&again, "main form");
    let saved = app.send_form(&merge, &form).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let merged = app.get(&format!("/api/records/{id}")).await.ok().json();
    let want = json!({ "title": "My jar", "height": 1, "giver": "B", "notes": ["seen"], "material": "clay" });
    assert_eq!((&merged["version"], &merged["document"]), (&json!(4), &want));
}
