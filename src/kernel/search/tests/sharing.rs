//! What questions share of a segment never outlives what it was read from.

use super::*;

fn owned(id: &str, owner: &str, colour: &str) -> Document {
    let own = vec![owner.to_owned()];
    let mut place = keyword("place", &format!("shelf {colour}"));
    place.level = Level::Members;
    Document {
        visible: [own.clone(), own.clone(), own],
        ..with(id, vec![keyword("colour", colour), place])
    }
}

impl Bench {
    fn remove(&mut self, id: &str) {
        let store = self.store.as_mut().unwrap();
        store.replace(&[id.to_owned()], &[]).unwrap();
        store
            .commit(&store::Payload::new("test", Position::default(), false))
            .unwrap();
    }

    /// Total and counts of a caller.
    fn seen(&self, reach: Level, text: &str) -> (u64, Vec<String>, Vec<String>) {
        let mut query = question(text, Visibility::up_to(reach));
        query.facets = vec![facet("colour"), facet("place")];
        let answer = self.ask(&query).unwrap();
        (answer.total, counts(&answer.facets[0]), counts(&answer.facets[1]))
    }

    /// What is found by a caller: the number, and the counts as lines.
    #[track_caller]
    fn check(&self, reach: Level, text: &str, total: u64, colours: &[&str], places: &[&str]) {
        // Twice: what the first question left behind must not change the second one's answer.
        for _ in 0..2 {
            let seen = self.seen(reach, text);
            let seen = (
                seen.0,
                seen.1.iter().map(String::as_str).collect::<Vec<_>>(),
                seen.2.iter().map(String::as_str).collect::<Vec<_>>(),
            );
            assert_eq!(seen, (total, colours.to_vec(), places.to_vec()), "{reach:?} {text:?}");
        }
    }
}

#[test]
fn nothing_shared_survives_a_delete_or_a_change_of_visibility() {
    let mut bench = Bench::new();
    bench.put(&[
        owned("a", "public", "red"),
        owned("b", "public", "red"),
        owned("c", "members", "blue"),
    ]);
    bench.check(Level::Public, "", 2, &["red=2"], &["-=2"]);
    bench.check(Level::Public, "red", 2, &["red=2"], &["-=2"]);
    bench.check(
        Level::Members,
        "",
        3,
        &["red=2", "blue=1"],
        &["shelf red=2", "shelf blue=1"],
    );
    bench.check(
        Level::Members,
        "shelf",
        3,
        &["red=2", "blue=1"],
        &["shelf red=2", "shelf blue=1"],
    );
    // Deleted documents stay in their segment until it is merged.
    bench.remove("a");
    bench.check(Level::Public, "", 1, &["red=1"], &["-=1"]);
    bench.check(Level::Members, "red", 1, &["red=1"], &["shelf red=1"]);
    // Hidden from everybody, then shown again.
    bench.put(&[owned("b", "members", "red")]);
    bench.check(Level::Public, "", 0, &[], &[]);
    bench.check(Level::Public, "red", 0, &[], &[]);
    bench.check(
        Level::Members,
        "",
        2,
        &["blue=1", "red=1"],
        &["shelf blue=1", "shelf red=1"],
    );
    bench.put(&[owned("c", "public", "blue"), owned("d", "restricted", "blue")]);
    bench.check(Level::Public, "", 1, &["blue=1"], &["-=1"]);
    bench.check(Level::Members, "blue", 1, &["blue=1"], &["shelf blue=1"]);
    bench.check(
        Level::Restricted,
        "",
        3,
        &["blue=2", "red=1"],
        &["shelf blue=2", "shelf red=1"],
    );
    // A caller whose own view changes sees by the new one at once.
    let mut half = question("", Visibility::up_to(Level::Members));
    half.facets = vec![facet("place")];
    assert_eq!(bench.ask(&half).unwrap().total, 2);
    half.visibility.members = Terms::Any(vec!["public".to_owned()]);
    half.visibility.public = Terms::Any(vec!["public".to_owned(), "members".to_owned()]);
    let answer = bench.ask(&half).unwrap();
    assert_eq!(
        (answer.total, counts(&answer.facets[0])),
        (2, vec!["shelf blue=1".to_owned(), "-=1".to_owned()])
    );
    half.text = "shelf".to_owned();
    assert_eq!(bench.ask(&half).unwrap().total, 1);
}

#[test]
fn what_is_shared_goes_with_its_segment() {
    let mut bench = Bench::new();
    for n in 0..5 {
        bench.put(&[owned(&format!("{n}"), "public", "red")]);
        bench.seen(Level::Public, "red");
        bench.remove(&format!("{n}"));
    }
    bench.put(&[owned("last", "public", "red")]);
    bench.check(Level::Public, "red", 1, &["red=1"], &["-=1"]);
    let inner = bench.search.inner().unwrap();
    inner.tidy();
    let (_, searcher) = inner.searcher().unwrap();
    assert!(inner.shared.len() <= searcher.segment_readers().len());
    // A segment without living documents is dropped by the engine.
    assert!(
        searcher.segment_readers().len() < 5,
        "{}",
        searcher.segment_readers().len()
    );
}
