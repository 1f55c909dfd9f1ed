//! Schemas that are right, and each way of being wrong with its place.

use super::{Expr, Kind, Schema};

#[track_caller]
fn refused(text: &str, line: usize, column: usize, words: &str) {
    let fault = Schema::parse(text).expect_err(text);
    assert_eq!((fault.line, fault.column), (line, column), "{fault}");
    assert!(fault.text.contains(words), "{fault}");
}

#[test]
fn a_schema_is_read() {
    let text = "type user\n\n# folders in folders\ntype folder\n  relation parent: folder\n  relation owner: user\n  \
                relation banned: user # not these\n  permission view = (owner + parent->view) - banned\n";
    let schema = Schema::parse(text).unwrap();
    let view = schema.find("folder", "view").unwrap();
    let Kind::Permission(Expr::Exclusion(left, right)) = &schema.def(view).kind else {
        panic!("{:?}", schema.def(view));
    };
    assert!(matches!(**left, Expr::Union(_)) && matches!(**right, Expr::Name(_)));
    assert!(schema.admits("folder:a", "owner", "user:u").is_ok());
    // What comes with the question is never stored; an arrow may begin at it.
    let text = "type user\ntype box\n  relation maker with user\n  relation shelf with shelf\n  permission open = maker & shelf->open\n\
                type shelf\n  permission open = @members\n";
    let given = Schema::parse(text).unwrap();
    assert!(given.admits("box:a", "maker", "user:u").is_err());
    for (object, relation, subject) in [
        ("folder:a", "owner", "folder:b"),
        ("folder:a", "owner", "user:"),
        ("folder:a", "owner", "user:u#owner"),
        ("folder:a", "view", "user:u"),
        ("folder:a", "writer", "user:u"),
        ("shelf:a", "owner", "user:u"),
    ] {
        assert!(
            schema.admits(object, relation, subject).is_err(),
            "{object} {relation} {subject}"
        );
    }
}

#[test]
fn faults_name_their_place() {
    refused("kind a", 1, 1, "\"type\" is wanted");
    refused("type a\ntype a", 2, 6, "already");
    refused("type a\n  relation b", 2, 13, "\":\"");
    refused("type a\n  relation b: c", 2, 15, "no type \"c\"");
    refused("type a\n  relation b: a#c", 2, 17, "\"c\"");
    refused("type a\n  relation b with c", 2, 19, "no type \"c\"");
    refused("type a\n  relation b with", 2, 18, "the name of a type");
    refused("type a\n  relation b: a\n  relation b: a", 3, 12, "already");
    refused("type a\n  permission p = q", 2, 18, "\"q\"");
    refused("type a\n  permission p = @all", 2, 19, "@all");
    refused("type a\n  relation b: a\n  permission p = b->q", 3, 21, "\"q\"");
    refused(
        "type a\n  permission p = @anyone\n  permission q = p->p",
        3,
        18,
        "starts at a relation",
    );
    refused(
        "type a\n  relation b: a\n  permission p = b + b & b",
        3,
        24,
        "parentheses",
    );
    refused("type a\n  relation b: a\n  permission p = (b", 3, 20, "\")\"");
    refused("type a\n  permission p = %", 2, 18, "means nothing");
    refused(&format!("type {}", "a".repeat(101)), 1, 6, "at most");
    let deep = format!("type a\n permission p = {}", "(".repeat(10_000));
    assert!(Schema::parse(&deep).unwrap_err().text.contains("deep"));
}

#[test]
fn circles_are_refused_where_they_have_no_answer() {
    refused("type a\n  permission p = q\n  permission q = p", 2, 14, "leads back");
    let through_exclusion = "type u\ntype a\n  relation up: a\n  relation o: u\n  permission p = o - up->p";
    refused(through_exclusion, 5, 14, "withheld");
    // A circle of objects is the tuples' matter, not the schema's.
    Schema::parse("type u\ntype a\n  relation up: a\n  relation o: u\n  permission p = o + up->p").unwrap();
    Schema::parse("type u\ntype g\n  relation m: u | g#m").unwrap();
}
