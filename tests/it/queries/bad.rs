//! Questions as nobody should ask them: answered with what could be understood of them, or refused in words.

use vitrine::both;
use vitrine::kernel::testing::TestDb;

use super::{address, with_samples};

both!(bad_questions_do_no_harm);

/// What somebody may write who means no harm, or some.
const TEXTS: &[&str] = &[
    "((",
    "\"",
    "~~",
    "*",
    "**",
    "?",
    "-",
    "--",
    ":",
    "title:",
    "title:\"",
    "a:b:c",
    "|",
    "OR OR",
    "AND",
    "NOT",
    "\0",
    "a\0b",
    "\u{200f}vase\u{202e}",
    "\u{feff}",
    "%00",
    "title:*a*b*c*d*e*",
    "=",
    "==",
    "==*",
    "==\"",
    "==\"* *\"",
    "===",
    "-==",
    "==\u{202e}vase",
    "\"*a* *e* *i*\"",
    "\"* * *\"",
    "title:\"*",
    "title:\"***\"",
    "title:==",
    "near:",
    "near:999,999~1km",
    "within:",
    "within:NaN,1e9,0,0",
    "-within:1,2,3",
    "sort:",
    "sort:\"",
    "year:1e308..",
    "year:>99999999999999999999",
    "date_acquired:-999999..999999",
    "created>today-99999999d",
    "\"a\"~999999999999",
    "(title:(title:(vase",
    "😀",
    "\u{301}",
    "東京",
    "(a|b|(c|d",
    "vase~ -vase~",
];

async fn bad_questions_do_no_harm(db: TestDb) {
    let app = with_samples(&db).await;
    let many = "vase OR ".repeat(1_000);
    let long = "blue vase ".repeat(1_500);
    let deep = format!("{}vase{}", "(".repeat(2_000), ")".repeat(2_000));
    let nots = format!("{}vase", "-(".repeat(500));
    let stars = format!("\"{}\" ==\"{}\"", "*a* ".repeat(500), "*a".repeat(500));
    let made = [many.as_str(), &long, &deep, &nots, &stars];
    for text in TEXTS.iter().copied().chain(made) {
        for path in ["/api/search", "/search", "/api/suggest"] {
            let answer = app.get_anonymous(&address(path, &[("q", text)])).await;
            let shown: String = text.chars().take(40).collect();
            let wanted = if text.contains('\0') { 400 } else { 200 };
            assert_eq!(answer.status, wanted, "{path} {shown:?} {}", answer.text());
        }
    }
    let hints = async |text: &str| {
        let answer = app
            .get_anonymous(&address("/api/search", &[("q", text)]))
            .await
            .ok()
            .json();
        answer["hints"].to_string()
    };
    assert!(hints(&many).await.contains("256"));
    assert!(hints(&long).await.contains("10000 bytes"));
    assert!(hints("((").await.contains("bracket"));
    let next = app.get_anonymous("/api/search?q=vase&limit=1").await.ok().json()["next"]
        .as_str()
        .unwrap()
        .to_owned();
    for (path, status) in [
        ("/api/search?limit=1000000000".to_owned(), 422),
        ("/api/search?facet=nothing".to_owned(), 422),
        ("/api/search/facet?field=nothing".to_owned(), 422),
        ("/api/search/facet?field=medium&limit=1000000000".to_owned(), 422),
        (format!("/api/search?q=bowl&limit=1&cursor={next}"), 400),
        ("/api/search?cursor=nonsense".to_owned(), 400),
    ] {
        let answer = app.get_anonymous(&path).await;
        assert_eq!(answer.status, status, "{path} {}", answer.text());
    }
}
