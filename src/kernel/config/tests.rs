//! The layers, their complaints and the rules.

use std::collections::BTreeSet;
use std::ffi::OsString;

use super::{DEFAULT, Loaded, Sources, load, redacted_url};
use crate::kernel::error::Result;

fn with_env(pairs: &[(&str, &str)]) -> Sources {
    let environment = pairs
        .iter()
        .map(|(k, v)| (OsString::from(k), OsString::from(v)))
        .collect();
    Sources {
        environment,
        ..Sources::default()
    }
}

fn checked(sources: &Sources) -> Result<Loaded> {
    let loaded = load(sources)?;
    loaded.config.check()?;
    Ok(loaded)
}

#[track_caller]
fn refused(sources: &Sources, words: &[&str]) {
    let error = checked(sources).expect_err("these settings must be refused");
    let text = std::iter::once(error.detail().to_owned())
        .chain(error.fields().iter().map(|f| format!("{}: {}", f.path, f.message)))
        .collect::<Vec<_>>()
        .join("\n");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in:\n{text}");
    }
}

#[test]
fn defaults_are_safe_and_name_every_key() {
    let loaded = checked(&Sources::default()).expect("the defaults work");
    let in_file: BTreeSet<String> = loaded.entries.iter().map(|e| e.key.clone()).collect();
    let value = serde_json::to_value(&loaded.config).expect("settings are data");
    let mut in_struct = BTreeSet::new();
    for (section, keys) in value.as_object().expect("sections") {
        for key in keys.as_object().expect("keys").keys() {
            in_struct.insert(format!("{section}.{key}"));
        }
    }
    assert_eq!(in_file, in_struct);
}

#[test]
fn every_key_is_explained() {
    let mut explained = false;
    for line in DEFAULT.lines() {
        if line.starts_with('#') {
            explained = true;
        } else if line.contains(" = ") {
            assert!(explained, "no comment above: {line}");
            explained = false;
        } else {
            explained = false;
        }
    }
}

#[test]
fn later_layers_win_and_say_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("museum.toml");
    std::fs::write(
        &file,
        "[http]\nbind = \"127.0.0.1:1\"\nbody_limit = 5000\ntimeout_seconds = 7\n",
    )
    .expect("a file");
    let mut sources = with_env(&[
        ("APP__HTTP__BODY_LIMIT", "6000"),
        ("APP__HTTP__HOSTS", "a.example, b.example"),
        ("APPLE", "1"),
    ])
    .flag("http.bind", "127.0.0.1:2", "--bind");
    sources.file = Some(file.clone());
    let loaded = checked(&sources).expect("all layers are right");
    assert_eq!(loaded.config.http.bind, "127.0.0.1:2");
    assert_eq!(loaded.config.http.body_limit, 6000);
    assert_eq!(loaded.config.http.timeout_seconds, 7);
    assert_eq!(loaded.config.http.hosts, ["a.example", "b.example"]);
    let from = |key: &str| loaded.entries.iter().find(|e| e.key == key).map(|e| e.source.clone());
    assert_eq!(from("http.bind").as_deref(), Some("flag --bind"));
    assert_eq!(
        from("http.body_limit").as_deref(),
        Some("environment APP__HTTP__BODY_LIMIT")
    );
    assert_eq!(from("http.timeout_seconds"), Some(format!("file {}", file.display())));
    assert_eq!(from("jobs.concurrency").as_deref(), Some("default"));
}

#[test]
fn unknown_keys_name_the_nearest() {
    refused(
        &with_env(&[("APP__HTTP__BNID", "x")]),
        &["http.bnid", "APP__HTTP__BIND", "environment APP__HTTP__BNID"],
    );
    refused(
        &with_env(&[("APP__SERVER__PUBLIC_URL", "x")]),
        &["APP__HTTP__PUBLIC_URL"],
    );
    refused(
        &Sources::default().flag("log.levle", "info", "--set"),
        &["log.level", "flag --set"],
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("museum.toml");
    for (text, words) in [
        (
            "[databse]\nurl = \"sqlite:\"\n",
            ["databse.url", "database.url", "museum.toml"],
        ),
        ("[jobz]\n", ["jobz", "jobs.", "museum.toml"]),
        ("http = 3\n", ["http: there is no such setting", "http.", "museum.toml"]),
        (
            "[http]\nbody_limit = \"big\"\n",
            ["http.body_limit", "a whole number", "museum.toml"],
        ),
        ("[http\n", ["museum.toml", "not TOML", "line 1"]),
    ] {
        std::fs::write(&file, text).expect("a file");
        refused(
            &Sources {
                file: Some(file.clone()),
                ..Sources::default()
            },
            &words,
        );
    }
    refused(
        &Sources {
            file: Some(folder.path().join("none.toml")),
            ..Sources::default()
        },
        &["none.toml", "cannot be read"],
    );
}

#[test]
fn unsafe_values_name_their_key() {
    refused(
        &with_env(&[("APP__HTTP__BIND", "0.0.0.0:8080")]),
        &["http.public_url", "0.0.0.0:8080"],
    );
    refused(
        &with_env(&[("APP__HTTP__PUBLIC_URL", "http://museum.example")]),
        &["http.public_url", "http.allow_plain"],
    );
    refused(
        &with_env(&[("APP__HTTP__PUBLIC_URL", "https://museum.example/sub")]),
        &["http.public_url"],
    );
    refused(&with_env(&[("APP__HTTP__BIND", "museum")]), &["http.bind"]);
    refused(
        &with_env(&[("APP__HTTP__BODY_LIMIT", "0"), ("APP__JOBS__CONCURRENCY", "0")]),
        &["http.body_limit", "jobs.concurrency"],
    );
    refused(&with_env(&[("APP__HTTP__BODY_LIMIT", "many")]), &["a whole number"]);
    refused(
        &with_env(&[("APP__DATABASE__URL", "mysql://x")]),
        &["database.url", "sqlite:"],
    );
    refused(&with_env(&[("APP__LOG__LEVEL", "info,=")]), &["log.level"]);
    refused(&with_env(&[("APP__DATA__DIR", "/")]), &["data.dir"]);
    for good in [
        [
            ("APP__HTTP__BIND", "0.0.0.0:8080"),
            ("APP__HTTP__PUBLIC_URL", "https://museum.example"),
        ],
        [
            ("APP__HTTP__BIND", "0.0.0.0:8080"),
            ("APP__HTTP__PUBLIC_URL", "http://localhost:8080"),
        ],
        [
            ("APP__HTTP__ALLOW_PLAIN", "true"),
            ("APP__HTTP__PUBLIC_URL", "http://10.0.0.7:8080"),
        ],
        [
            ("APP__HTTP__BIND", "[::1]:0"),
            ("APP__HTTP__PUBLIC_URL", "http://[::1]:9000"),
        ],
    ] {
        checked(&with_env(&good)).expect("safe enough");
    }
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("address");
    std::fs::write(&file, "postgres://ann:hunter2@db/vitrine\n").expect("a file");
    let named = file.to_str().expect("a plain path");
    let loaded = checked(&with_env(&[("APP__DATABASE__URL_FILE", named)])).expect("read from the file");
    assert_eq!(loaded.config.database.url, "postgres://ann:hunter2@db/vitrine");
    let shown = format!("{:?} {:?}", loaded.config, loaded.entries);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("postgres://ann:***@db/vitrine"));
    let both = with_env(&[("APP__DATABASE__URL_FILE", named), ("APP__DATABASE__URL", "sqlite:")]);
    refused(&both, &["database.url_file", "keep one"]);
    assert_eq!(
        redacted_url("postgres://h/d?password=x&sslmode=require"),
        "postgres://h/d?password=***&sslmode=require"
    );
}

#[test]
fn the_example_for_production_is_safe_as_it_stands() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/production.example.toml");
    let sources = Sources {
        file: Some(file.clone()),
        ..Sources::default()
    };
    let loaded = checked(&sources).expect("the example works");
    assert_eq!(loaded.config.http.public_url, "https://collection.example.org");
    // What is commented out names keys too.
    let text = std::fs::read_to_string(&file).expect("the example");
    let known: BTreeSet<&str> = loaded.entries.iter().map(|entry| entry.key.as_str()).collect();
    let mut section = "";
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        }
        let key = line.trim_start_matches("# ").split_once(" = ").map(|(key, _)| key);
        if let Some(key) = key.filter(|key| !key.contains(' ')) {
            assert!(known.contains(format!("{section}.{key}").as_str()), "{line}");
        }
    }
}

#[test]
fn providers_have_tables_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("museum.toml");
    std::fs::write(folder.path().join("secret"), "hunter2\n").expect("a file");
    let secret = folder.path().join("secret");
    let text = format!(
        "[accounts.providers.museum]\nissuer = \"https://login.museum.example/\"\nclient_id = \"vitrine\"\n\
         client_secret_file = \"{}\"\n{DEFAULT_TABLE}",
        secret.display()
    );
    std::fs::write(&file, text).expect("a file");
    let mut sources = with_env(&[
        ("APP__ACCOUNTS__PROVIDERS__HUB__KIND", "github"),
        ("APP__ACCOUNTS__PROVIDERS__HUB__CLIENT_ID", "abc"),
        ("APP__ACCOUNTS__PROVIDERS__HUB__CLIENT_SECRET", "hunter3"),
        ("APP__ACCOUNTS__PROVIDERS__HUB__SCOPES", "read:user, user:email"),
    ]);
    sources.file = Some(file);
    let loaded = checked(&sources).expect("two providers");
    let providers = &loaded.config.accounts.providers;
    assert_eq!(providers.keys().collect::<Vec<_>>(), ["hub", "museum"]);
    let (hub, museum) = (&providers["hub"], &providers["museum"]);
    assert_eq!((museum.kind.as_str(), museum.timeout_seconds), ("oidc", 10));
    assert_eq!(museum.client_secret.reveal(), "hunter2");
    assert_eq!((hub.client_secret.reveal(), hub.scopes.len()), ("hunter3", 2));
    let shown = format!(
        "{:?} {:?} {}",
        loaded.config,
        loaded.entries,
        serde_json::to_string(&loaded.config).expect("data")
    );
    assert!(!shown.contains("hunter"), "{shown}");
    let keys = |name: &str| {
        let start = format!("accounts.providers.{name}.");
        let found = loaded.entries.iter().filter_map(|e| e.key.strip_prefix(&start));
        found.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let fields = serde_json::to_value(museum).expect("data");
    let fields: BTreeSet<String> = fields.as_object().expect("keys").keys().cloned().collect();
    assert_eq!(keys("museum"), fields);
    assert_eq!(keys("hub"), fields);
    assert!(keys("NAME").is_empty());
    let one = |leaf: &str, value: &str| {
        let mut sources = with_env(&[]);
        for (key, value) in [("issuer", "https://a.example"), ("client_id", "x"), (leaf, value)] {
            sources = sources.flag(&format!("accounts.providers.a.{key}"), value, "--set");
        }
        sources
    };
    refused(
        &one("isuer", "x"),
        &["accounts.providers.a.isuer", "accounts.providers.NAME.issuer"],
    );
    refused(
        &one("issuer", "http://login.example"),
        &["accounts.providers.a.issuer", "https://"],
    );
    refused(&one("issuer", "login.example"), &["accounts.providers.a.issuer"]);
    refused(&one("client_id", ""), &["accounts.providers.a.client_id"]);
    refused(&one("create", "always"), &["accounts.providers.a.create", "invited"]);
    refused(&one("kind", "saml"), &["accounts.providers.a.kind", "oidc, github"]);
    refused(
        &one("roles", "staff = king"),
        &["accounts.providers.a.roles", "administrator"],
    );
    refused(
        &one("mail_domains", "@museum.example"),
        &["accounts.providers.a.mail_domains"],
    );
    refused(&one("timeout_seconds", "0"), &["accounts.providers.a.timeout_seconds"]);
}

/// As it stands in a file that was begun from `app config default`.
const DEFAULT_TABLE: &str = "[accounts.providers.NAME]\nkind = \"oidc\"\n";

#[test]
fn what_the_manual_says_about_providers_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let chapter = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/docs/53-institution.md");
    let text = std::fs::read_to_string(chapter).expect("the chapter");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hunter2").expect("a file");
    let samples: Vec<&str> = text
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(samples.len(), 6);
    for sample in samples {
        let lines = sample.lines().map(|line| match line.split_once(" = \"/etc/") {
            Some((key, _)) => format!("{key} = \"{}\"\n", secret.display()),
            None => format!("{line}\n"),
        });
        let file = folder.path().join("museum.toml");
        std::fs::write(&file, lines.collect::<String>()).expect("a file");
        let sources = Sources {
            file: Some(file),
            ..Sources::default()
        };
        let loaded = checked(&sources).unwrap_or_else(|e| panic!("{e:?} in:\n{sample}"));
        assert_eq!(loaded.config.accounts.providers.len(), 1, "{sample}");
    }
}
