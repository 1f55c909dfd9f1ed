//! `/metrics` as a strict reader takes it: the rules of the text format and those that `promtool check metrics` adds. And
//! the file for whoever helps, which holds no secret.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use vitrine::both;
use vitrine::kernel::testing::{TestApp, TestDb};

/// What is wrong with a text of figures.
fn faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let (mut kinds, mut helped, mut seen) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let mut ended = BTreeSet::new();
    let mut last = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, ""));
            if kinds.insert(name.to_owned(), kind.to_owned()).is_some() {
                faults.push(format!("{name}: a second TYPE"));
            }
            continue;
        }
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped.insert(rest.split(' ').next().unwrap_or_default().to_owned());
            continue;
        }
        let Some((series, value)) = line.rsplit_once(' ') else {
            faults.push(format!("no value: {line}"));
            continue;
        };
        let name = series.split('{').next().unwrap_or_default();
        if !seen.insert(series.to_owned()) {
            faults.push(format!("twice: {series}"));
        }
        if value.parse::<f64>().is_err() && !["NaN", "+Inf", "-Inf"].contains(&value) {
            faults.push(format!("{series}: {value} is no number"));
        }
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| {
            let base = name.strip_suffix(end)?;
            matches!(kinds.get(base).map(String::as_str), Some("histogram" | "summary")).then_some(base)
        });
        let family = base.unwrap_or(name);
        if last != family && !ended.insert(family.to_owned()) {
            faults.push(format!("{family}: its lines are not together"));
        }
        family.clone_into(&mut last);
        match kinds.get(family).map(String::as_str) {
            None | Some("") => faults.push(format!("{family}: no TYPE before it")),
            Some("counter") if !family.ends_with("_total") => {
                faults.push(format!("{family}: a counter ends in _total"))
            }
            Some(kind) if kind != "counter" && family.ends_with("_total") => {
                faults.push(format!("{family}: only a counter ends in _total"));
            }
            Some(kind) if kind != "histogram" && (series.contains("{le=\"") || series.contains(",le=\"")) => {
                faults.push(format!("{series}: le belongs to histograms"));
            }
            Some(_) => {}
        }
    }
    for (name, kind) in &kinds {
        faults.extend(misnamed(name, kind).map(|why| format!("{name}: {why}")));
        if !helped.contains(name) {
            faults.push(format!("{name}: no HELP"));
        }
    }
    faults
}

fn misnamed(name: &str, kind: &str) -> Option<&'static str> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let parts: Vec<&str> = name.split('_').collect();
    let small = [
        "ms",
        "millis",
        "milliseconds",
        "minutes",
        "hours",
        "kb",
        "mb",
        "gb",
        "kilobytes",
        "megabytes",
        "percent",
    ];
    if !name.chars().all(word) || name.starts_with(|c: char| c.is_ascii_digit()) {
        Some("lower case, digits and _ only")
    } else if parts.iter().any(|part| small.contains(part)) {
        Some("only base units")
    } else if parts.contains(&kind) {
        Some("the kind is no part of the name")
    } else if ["_bucket", "_sum", "_count", "_info_total"]
        .iter()
        .any(|end| name.ends_with(end))
    {
        Some("this ending is kept for parts of histograms")
    } else {
        None
    }
}

async fn figures_follow_the_rules(db: TestDb) {
    let app = TestApp::start(&db).await;
    app.get("/api/types").await.ok();
    app.get_anonymous("/api/jobs").await;
    app.get("/no-such-page").await;
    let upkeep = app.post("/api/search/rebuild", &json!({})).await;
    upkeep.ok();
    app.drain_jobs().await;
    let text = app.get("/metrics").await.ok().text();
    assert!(text.lines().count() > 30, "{text}");
    assert_eq!(faults(&text), [""; 0], "{text}");
    app.stop().await;
}

#[test]
fn faults_of_figures_are_found() {
    let good = "# HELP a_total What.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n";
    assert_eq!(faults(good), [""; 0]);
    for (text, fault) in [
        ("a 1\n", "no TYPE"),
        ("# HELP a A.\n# TYPE a counter\na 1\n", "_total"),
        ("# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n", "only a counter"),
        ("# TYPE a gauge\na 1\n", "no HELP"),
        ("# HELP a A.\n# TYPE a gauge\na x\n", "no number"),
        ("# HELP a A.\n# TYPE a gauge\na 1\na 2\n", "twice"),
        ("# HELP a_ms A.\n# TYPE a_ms gauge\na_ms 1\n", "base units"),
        ("# HELP a A.\n# TYPE a gauge\na{le=\"1\"} 1\n", "histograms"),
        ("# HELP aB A.\n# TYPE aB gauge\naB 1\n", "lower case"),
    ] {
        assert!(
            faults(text).iter().any(|found| found.contains(fault)),
            "{text}: {:?}",
            faults(text)
        );
    }
}

async fn a_support_bundle_holds_no_secret(db: TestDb) {
    let app = TestApp::start(&db).await;
    let link = app
        .as_local_operator(hyper::Method::POST, "/api/setup-links", Some(&json!({})))
        .await
        .ok()
        .json();
    let fields = json!({ "name": "note", "title": "tag", "fields": [{ "name": "tag", "kind": "text" }] });
    app.post("/api/types", &fields).await.ok();
    let record = json!({ "type": "note", "document": { "tag": "a private remark" } });
    app.post("/api/records", &record).await.ok();
    let line = json!({ "at": "2026-11-21T12:00:00.000Z", "level": "warn", "module": "vitrine::test", "request": null,
        "message": format!("somebody wrote Bearer {} into a field", app.secret()), "job": null, "fields": {} });
    let logs = app.kernel().data.folder("logs").unwrap();
    std::fs::write(logs.join("0000000000001-1-0.jsonl"), format!("{line}\n")).unwrap();
    assert_eq!(app.get_anonymous("/api/support-bundle").await.status, 401);
    let answer = app.get("/api/support-bundle").await.ok();
    let (text, bundle) = (answer.text(), answer.json());
    for part in [
        "program",
        "database",
        "settings",
        "components",
        "processes",
        "schedules",
        "jobs",
        "metrics",
        "log",
    ] {
        assert!(!bundle[part].is_null(), "{part} is missing");
    }
    let secret = link["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert!(text.contains("somebody wrote Bearer *** into a field"), "{text}");
    for hidden in [app.secret(), &secret, "a private remark"] {
        assert!(!text.contains(hidden), "{hidden} stands in the bundle");
    }
    app.stop().await;
}

async fn a_trace_leads_to_what_it_did(db: TestDb) {
    let app = TestApp::start(&db).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let given = format!("00-{trace}-00f067aa0ba902b7-01");
    let request = app
        .signed(hyper::Method::POST, "/api/types")
        .header("traceparent", given);
    let request = request.header("content-type", "application/json");
    let fields = json!({ "name": "note", "title": "tag", "fields": [{ "name": "tag", "kind": "text" }] });
    let answer = app.send(request, fields.to_string().into()).await.ok();
    assert_eq!(answer.header("x-request-id").as_deref(), Some(trace));
    let told = answer.header("traceparent").unwrap();
    assert!(
        told.starts_with(&format!("00-{trace}-")) && told.ends_with("-01"),
        "{told}"
    );
    // One story of the request, with the change it made.
    let story = app.get(&format!("/logs?request={trace}")).await.ok().text();
    assert!(story.contains("/changes/"), "{story}");
    app.stop().await;
}

both!(
    figures_follow_the_rules,
    a_support_bundle_holds_no_secret,
    a_trace_leads_to_what_it_did
);
