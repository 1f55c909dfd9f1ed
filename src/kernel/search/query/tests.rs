//! What a text becomes: each form, what is left of what cannot be read, and that nothing panics.

use super::dates::Day;
use super::*;

struct Fields;

impl Names for Fields {
    fn fields(&self, name: &str) -> Vec<String> {
        let known = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
        match name {
            "title" | "year" | "made.by" | "Object name" | "weight" | "created" | "note" => known(&[name]),
            "Maker" => known(&["made.by", "made.for"]),
            _ => Vec::new(),
        }
    }
    fn types(&self, name: &str) -> Vec<String> {
        let known = matches!(name, "object" | "Art object");
        known.then(|| "object".to_owned()).into_iter().collect()
    }
    fn unit(&self, path: &str) -> Option<Unit> {
        (path == "weight").then(|| Unit::find("g")).flatten()
    }
}

fn read(text: &str) -> Parsed {
    parse(text, &Fields, Day(20_000))
}

#[test]
fn each_form_is_read() {
    for (text, tree) in [
        ("Teapot", "Teapot"),
        ("silver teapot", "silver AND teapot"),
        ("silver AND teapot & cup", "silver AND teapot AND cup"),
        ("tea*", "tea*"),
        ("*pot*", "*pot*"),
        ("t*pot", "t*pot"),
        ("teapot~", "teapot~"),
        ("teapot~1", "teapot~"),
        ("teapot~2", "teapot~2"),
        ("\"oil on canvas\"", "\"oil on canvas\""),
        ("“oil on canvas”", "\"oil on canvas\""),
        ("\"oil canvas\"~2", "\"oil canvas\"~2"),
        ("\"oil canvas\"~", "\"oil canvas\"~1"),
        ("\"oil on can*\"", "\"oil on can*\""),
        ("\"*il on can*\"", "\"*il on can*\""),
        ("\"mus *lo* x\"", "\"mus *lo* x\""),
        ("=pots", "\"pots\""),
        ("=\"tea pots\"", "\"tea pots\""),
        ("==Mus", "==\"Mus\""),
        ("==\"mus *lo*\" tea", "==\"mus *lo*\" AND tea"),
        ("-==Mus", "NOT ==\"Mus\""),
        ("= == tea", "tea"),
        ("79.66.115", "79.66.115"),
        ("A/B-12", "A/B-12"),
        ("-glass", "NOT glass"),
        ("NOT glass", "NOT glass"),
        ("tea -(pot cup)", "tea AND NOT (pot AND cup)"),
        ("-\"tea pot\"", "NOT \"tea pot\""),
        ("a | b", "a OR b"),
        ("a|b||c", "a OR b OR c"),
        ("a b OR c d", "(a AND b) OR (c AND d)"),
        ("(a | b) c", "(a OR b) AND c"),
        ("(a (b | (c d)))", "a AND (b OR (c AND d))"),
        ("+tea", "tea"),
        ("title:Cup", "title:Cup"),
        ("title: Cup", "title:Cup"),
        ("title:\"Tea Cup\"", "title:\"Tea Cup\""),
        ("title:=\"Tea Cup\"", "title:=\"Tea Cup\""),
        ("title=Cup", "title:=\"Cup\""),
        ("title==Cup", "title:=\"Cup\""),
        ("title:\"Tea C*\"", "title:\"Tea C*\""),
        ("title:\"*ea Cup\"", "title:\"*ea Cup\""),
        ("title:=\"Tea C*\"", "title:=\"Tea C*\""),
        ("title:\"Tea Cup\"~3", "title:\"Tea Cup\"~3"),
        ("title:cup,pot", "title:cup OR title:pot"),
        ("title:\"a b\",c,", "title:\"a b\" OR title:c"),
        ("title:(cup | pot) tea", "(title:cup OR title:pot) AND tea"),
        ("title:cu*", "title:cu*"),
        ("title:*up", "title:*up"),
        ("title:cup~", "title:cup~"),
        ("title:*", "title:*"),
        ("-title:*", "NOT title:*"),
        ("\"Object name\":cup", "\"Object name\":cup"),
        ("Maker:spode", "made.by:spode OR made.for:spode"),
        ("-Maker:spode", "NOT (made.by:spode OR made.for:spode)"),
        ("year:1979", "year:\"1979\""),
        ("year:1890s", "year:\"1890s\""),
        ("year:c.1850", "year:\"c.1850\""),
        ("year:1850..1900", "year:1850..1900"),
        ("year:1850..", "year:1850.."),
        ("year:..1900", "year:..1900"),
        ("year:>10", "year:>10"),
        ("year>10", "year:>10"),
        ("year>=10", "year:10.."),
        ("year:<=10", "year:..10"),
        ("year<10", "year:<10"),
        ("year:1850,1900..1910", "year:\"1850\" OR year:1900..1910"),
        ("weight:<2kg", "weight:<2kg"),
        ("created>today-30d", "created:>today-30d"),
        ("near:59.3,18.0~10km", "near:59.3,18~10km"),
        ("near:59.3,18.0 tea", "near:59.3,18~10km AND tea"),
        ("-within:-10,170,10.50,-170", "NOT within:-10,170,10.5,-170"),
        ("type:object", "type:=\"object\""),
        ("type:\"Art object\" cup", "type:=\"object\" AND cup"),
        ("f(x)", "f(x)"),
        ("(f(x) b)", "f(x) AND b"),
        ("12:30", "12:30"),
    ] {
        let parsed = read(text);
        let told = parsed.tree.map(|tree| tree.to_string()).unwrap_or_default();
        assert_eq!(
            (told.as_str(), parsed.hints.len()),
            (tree, 0),
            "{text} {:?}",
            parsed.hints
        );
    }
}

#[test]
fn what_a_tree_tells_can_be_read_again() {
    for text in [
        "silver (tea* | \"oil canvas\"~2) -glass title:cup,pot year:1850..1900",
        "NOT (a b) OR c~2 near:1,2~3km within:1,2,3,4",
        "title:=\"Tea Cup\" -title:* weight:>=2kg",
        "==\"mus *lo*\" =pots \"*sa his*\"",
    ] {
        let once = read(text).tree.unwrap();
        assert_eq!(read(&once.to_string()).tree.as_ref(), Some(&once), "{text} {once}");
        let json = serde_json::to_string(&once).unwrap();
        assert_eq!(serde_json::from_str::<Node>(&json).unwrap(), once);
    }
}

#[test]
fn what_is_no_rule_is_words_with_a_hint() {
    for (text, tree, hint) in [
        ("maker:spode", "maker:spode", "no field \"maker\""),
        ("year:a..b", "year:a..b", ""),
        ("year:>x", "year:>x", ""),
        ("title:", "title", ""),
        ("type:rocket", "type:rocket", "no collection"),
        ("near:here", "near:here", "near:LATITUDE"),
        ("weight:<2cm", "weight:<2cm", "measures in"),
        ("year:<2kg", "year:<2kg", "measures in"),
        ("((a", "a", "open at the end"),
        ("a) ) b", "a) AND b", "never opened"),
        ("sort:nothing a", "a", "to sort by"),
        ("http://example.org", "http://example.org", ""),
        ("a OR", "a", ""),
        ("OR a", "a", ""),
        ("a NOT", "a AND NOT", ""),
        ("-- - ~~ * ** \" ( ) | ,", "", ""),
    ] {
        let parsed = read(text);
        let told = parsed.tree.map(|tree| tree.to_string()).unwrap_or_default();
        assert_eq!(told, tree, "{text}");
        let hints = parsed.hints.join(" ");
        assert!(hint.is_empty() || hints.contains(hint), "{text}: {hints}");
    }
}

#[test]
fn an_order_is_read() {
    let field = |descending| Sort::Field {
        field: "year".to_owned(),
        descending,
    };
    for (text, sort) in [
        ("sort:year", field(false)),
        ("tea sort:-year", field(true)),
        ("sort:year-desc tea", field(true)),
        ("sort:year-asc,title", field(false)),
        ("sort:-created", Sort::Created { descending: true }),
        ("sort:score", Sort::Relevance),
    ] {
        assert_eq!(read(text).sort, Some(sort), "{text}");
    }
    let named = read("sort:\"Object name\" tea");
    assert!(matches!(named.sort, Some(Sort::Field { field, .. }) if field == "Object name"));
    assert_eq!(named.tree.unwrap().to_string(), "tea");
}

#[test]
fn limits_are_told() {
    let long = read(&"\"a\" ".repeat(2_000));
    assert_eq!(long.tree.unwrap().size(), MAX_CLAUSES);
    assert!(long.hints.iter().any(|hint| hint.contains("256")), "{:?}", long.hints);
    let huge = read(&"x".repeat(20_000));
    assert!(huge.hints[0].contains("10000 bytes"), "{:?}", huge.hints);
    let deep = read(&format!("{}a", "(".repeat(9_000)));
    assert!(deep.hints.len() <= 6);
    let list = read(&format!("title:{}", "a,".repeat(4_000)));
    assert!(list.tree.unwrap().size() <= MAX_CLAUSES);
    let bars = read(&"|".repeat(9_000));
    assert_eq!(bars.tree, None);
}

#[test]
fn garbage_never_panics() {
    // A small generator with a fixed seed: every run reads the same texts.
    let pieces = [
        "\"", ":", "-", "*", "..", ">", "<=", "title", "year:", " ", "é", "東", "\u{301}", "\0", "1850", "e308", "(",
        ")", "|", "~", "~2", "OR ", "NOT ", "near:", "sort:", "type:", "today-", "s", "c.", ",", "=", "==", "“",
        "\u{200f}", "%a", "😀", "2kg", "Maker:",
    ];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..30_000 {
        let mut text = String::new();
        for _ in 0..(seed % 14) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            text.push_str(pieces[(seed % pieces.len() as u64) as usize]);
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let parsed = read(&text);
        assert!(parsed.tree.map_or(0, |tree| tree.size()) <= MAX_CLAUSES, "{text}");
    }
}
