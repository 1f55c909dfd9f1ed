//! Pages and mail in the reader's language, over HTTP on both engines: how it is chosen, what is said in it, and that no
//! choice reaches anybody else.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

use bytes::Bytes;
use hyper::Method;
use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::{Answer, MailServer, TestApp, TestDb};

use crate::accounts::{PASSWORD, Visitor, person};

both!(
    a_reader_gets_pages_in_their_language,
    the_nearest_choice_counts,
    an_account_takes_its_language_along,
    mail_speaks_the_language_of_the_house,
    the_manual_and_refusals_speak_with_the_reader,
    the_wizard_calls_things_as_its_reader_does,
);

/// A page as a browser without an account asks for it.
async fn read(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = app.unsigned(Method::GET, path).header("accept", "text/html");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request, Bytes::new()).await
}

fn tag(answer: &Answer) -> String {
    let text = answer.text();
    let start = "<html lang=\"";
    let at = text.find(start).unwrap() + start.len();
    text[at..].chars().take_while(|c| *c != '"').collect()
}

fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.get_all("set-cookie").iter();
    let pairs = all.map(|value| value.to_str().unwrap().split(';').next().unwrap().to_owned());
    pairs
        .filter_map(|pair| pair.strip_prefix(&format!("{name}=")).map(str::to_owned))
        .next_back()
}

async fn a_reader_gets_pages_in_their_language(db: TestDb) {
    let app = TestApp::start(&db).await;
    let kind = json!({
        "name": "vase", "title": "title", "visibility": "public",
        "labels": { "en": "Vase", "sv": "Vas" },
        "description": { "en": "All vases.", "sv": "Alla vaser." },
        "fields": [
            { "name": "title", "kind": "text" },
            { "name": "made", "kind": "date", "labels": { "en": "Made on", "sv": "Tillverkad den" } },
            { "name": "depth", "kind": "text", "labels": { "en": "Depth" } },
        ],
    });
    app.post("/api/types", &kind).await.ok();
    let document = json!({ "title": "Blå vas", "made": "1887-05-14", "depth": "deep" });
    let made = app
        .post("/api/records", &json!({ "type": "vase", "document": document }))
        .await
        .ok()
        .json();
    let record = format!("/records/{}", made["id"].as_str().unwrap());
    let swedish = [("accept-language", "de;q=0.9, sv-SE, en;q=0.4")];

    let page = read(&app, &record, &swedish).await.ok();
    let text = page.text();
    assert_eq!(tag(&page), "sv");
    assert_eq!(page.header("content-language").as_deref(), Some("sv"));
    let vary = page.header("vary").unwrap();
    assert!(vary.contains("accept-language") && vary.contains("cookie"), "{vary}");
    for said in ["Tillverkad den", "14 maj 1887", "Depth", "Senast ändrad", "Om posten"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    for unsaid in ["Made on", "14 May", "Last change"] {
        assert!(!text.contains(unsaid), "{unsaid}");
    }
    let types = read(&app, "/types", &swedish).await.ok().text();
    assert!(
        types.contains("Samlingar") && types.contains("Vas") && types.contains("Alla vaser."),
        "{types}"
    );
    // Errors for people are in their language; programs read the same document as ever.
    let gone = read(&app, "/no/such/page", &swedish).await;
    assert!(
        gone.status == 404 && gone.text().contains("Här finns ingenting"),
        "{}",
        gone.text()
    );
    let request = app
        .unsigned(Method::GET, "/api/records/0190c0de-0000-7000-8000-000000000001")
        .header("accept-language", "sv");
    let problem = app.send(request, Bytes::new()).await;
    assert_eq!(
        (problem.status.as_u16(), &problem.json()["code"]),
        (404, &json!("not-found"))
    );
    // Whoever asks next is not touched by it.
    let english = read(&app, &record, &[("accept-language", "fr")]).await.ok();
    assert!(
        tag(&english) == "en" && english.text().contains("14 May 1887"),
        "{}",
        english.text()
    );
    app.stop().await;
}

async fn the_manual_and_refusals_speak_with_the_reader(db: TestDb) {
    let app = TestApp::start(&db).await;
    let swedish = [("accept-language", "sv")];
    let chapter = read(&app, "/docs/import", &swedish).await.ok().text();
    for said in [
        "Importera din första fil",
        "<article class=\"prose-page\" lang=\"sv\">",
        "href=\"/docs/import?lang=en\" hreflang=\"en\"",
        "<link rel=\"alternate\" hreflang=\"sv\"",
        // Where a link leads is the same in every language.
        "<h2 id=\"on-the-command-line\">På kommandoraden</h2>",
    ] {
        assert!(chapter.contains(said), "{said}: {chapter}");
    }
    let other = read(&app, "/docs/import?lang=en", &swedish).await.ok();
    assert_eq!(cookie(&other, "lang").as_deref(), Some("en"));
    assert!(
        other
            .text()
            .contains("<h2 id=\"on-the-command-line\">On the command line</h2>")
    );
    // What is looked up is looked up in that language, and led to its place.
    let found = read(&app, "/docs?q=l%C3%B6sennycklar", &swedish).await.ok().text();
    assert!(found.contains("href=\"/docs/accounts#passkeys\""), "{found}");
    let none = read(&app, "/docs?q=zzzz", &swedish).await.ok().text();
    assert!(none.contains("Handboken säger inget om ”zzzz”"), "{none}");
    let unknown = read(&app, "/docs/nothing", &swedish).await;
    assert!(
        unknown.status == 404 && unknown.text().contains("Det finns ingen sida ”nothing” i handboken."),
        "{}",
        unknown.text()
    );
    app.stop().await;
}

async fn the_wizard_calls_things_as_its_reader_does(db: TestDb) {
    let app = TestApp::start(&db).await;
    let kind = json!({
        "name": "vase", "title": "title", "key": "number",
        "labels": { "en": "Vase", "sv": "Vas" },
        "fields": [
            { "name": "number", "kind": "identifier", "unique": true, "labels": { "en": "Number", "sv": "Nummer" } },
            { "name": "title", "kind": "text", "labels": { "en": "Title", "sv": "Titel" } },
            { "name": "glaze", "kind": "text", "labels": { "en": "Glaze", "sv": "Glasyr" } },
        ],
    });
    app.post("/api/types", &kind).await.ok();
    let document = json!({ "number": "1", "title": "First", "glaze": "red" });
    app.post("/api/records", &json!({ "type": "vase", "document": document }))
        .await
        .ok();
    let request = app.signed(Method::POST, "/api/uploads?name=vases.csv");
    let file = Bytes::from_static(b"number,title,glaze\n1,First,blue\n2,Second,green\n");
    let draft = app.send(request, file).await.ok().json();
    let id = draft["id"].as_str().unwrap();
    app.get(&format!("/api/import-drafts/{id}")).await.ok();
    app.drain_jobs().await;
    app.with_json(
        Method::PATCH,
        &format!("/api/import-drafts/{id}"),
        &json!({ "into": "vase" }),
    )
    .await
    .ok();
    app.post(&format!("/api/import-drafts/{id}/preview"), &json!({}))
        .await
        .ok();
    app.drain_jobs().await;
    for (language, said, unsaid) in [("sv", "Glasyr", "Glaze"), ("en", "Glaze", "Glasyr")] {
        for step in ["collection", "preview"] {
            let request = app
                .signed(Method::GET, &format!("/import/{id}/{step}"))
                .header("accept", "text/html")
                .header("accept-language", language);
            let page = app.send(request, Bytes::new()).await.ok().text();
            assert!(
                page.contains(said) && !page.contains(unsaid),
                "{step} in {language}: {page}"
            );
        }
    }
    app.stop().await;
}

async fn the_nearest_choice_counts(db: TestDb) {
    let app = TestApp::start_with(&db, |config| "sv".clone_into(&mut config.http.language)).await;
    // The search page is asked for below: its index must be open.
    let vase = json!({"name": "vase", "fields": [{"name": "title", "kind": "text"}]});
    let made = app.post("/api/types", &vase).await.ok();
    let at = made.header("ledger-position").unwrap().parse().unwrap();
    let patience = std::time::Duration::from_secs(60);
    assert!(app.kernel().search.wait_for(at, patience).await.unwrap());
    let chosen = async |path: &str, headers: &[(&str, &str)]| tag(&read(&app, path, headers).await);
    assert_eq!(chosen("/types", &[]).await, "sv", "the house's");
    assert_eq!(
        chosen("/types", &[("accept-language", "fi, en-GB;q=0.5")]).await,
        "en",
        "the browser's"
    );
    let two = [("accept-language", "en"), ("cookie", "lang=sv")];
    assert_eq!(chosen("/types", &two).await, "sv", "what was chosen in the browser");
    let asked = read(&app, "/search?q=vase&lang=en", &two).await.ok();
    assert_eq!(tag(&asked), "en", "what the address asks for");
    assert_eq!(cookie(&asked, "lang").as_deref(), Some("en"), "and it stays");
    let text = asked.text();
    assert!(
        text.contains("href=\"/search?q=vase&#38;lang=sv\"") || text.contains("href=\"/search?q=vase&amp;lang=sv\""),
        "{text}"
    );
    for odd in ["lang=xx", "lang=", "lang", "lang=%00"] {
        let answer = read(&app, &format!("/types?{odd}"), &[("accept-language", "en")]).await;
        assert!(
            !answer.status.is_server_error() && cookie(&answer, "lang").is_none(),
            "{odd}: {}",
            answer.status
        );
    }
    app.stop().await;
}

async fn an_account_takes_its_language_along(db: TestDb) {
    let app = TestApp::start(&db).await;
    person(&app, "grace", Some("viewer")).await;
    let mut grace = Visitor::new(&app);
    let there = grace.sign_in("grace", PASSWORD).await;
    assert_eq!(cookie(&there, "lang"), None, "nothing was chosen yet");
    let fields = [("name", "Grace"), ("language", "sv")];
    let saved = grace.post("/account/profile", &fields).await;
    assert_eq!(
        (saved.status.as_u16(), cookie(&saved, "lang").as_deref()),
        (303, Some("sv")),
        "{}",
        saved.text()
    );
    assert!(
        grace
            .get("/account")
            .await
            .text()
            .contains("<option value=\"sv\" selected>Svenska")
    );
    let again = Visitor::new(&app).sign_in("grace", PASSWORD).await;
    assert_eq!(
        cookie(&again, "lang").as_deref(),
        Some("sv"),
        "another browser learns it"
    );
    let undone = grace
        .post("/account/profile", &[("name", "Grace"), ("language", "")])
        .await;
    assert_eq!(cookie(&undone, "lang").as_deref(), Some(""), "as the browser again");
    app.stop().await;
}

async fn mail_speaks_the_language_of_the_house(db: TestDb) {
    let server = MailServer::start().await;
    let app = TestApp::start_with(&db, |config| {
        server.set_in(&mut config.messages);
        "sv".clone_into(&mut config.http.language);
    })
    .await;
    let invited = json!({ "login": "grace", "name": "Grace", "mail": "grace@example.org" });
    let made = app.as_local_operator(Method::POST, "/api/people", Some(&invited)).await;
    assert!(made.status.is_success(), "{}", made.text());
    app.drain_jobs().await;
    let arrived = server.take();
    assert_eq!(arrived.len(), 1, "{arrived:?}");
    assert!(
        arrived[0].text.contains("Hej Grace!") && !arrived[0].text.contains("Hello"),
        "{arrived:?}"
    );
    app.stop().await;
}
