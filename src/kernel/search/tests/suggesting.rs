//! What is suggested while somebody types.

use super::*;

fn begun(text: &str, visibility: Visibility) -> Begun {
    Begun {
        text: text.to_owned(),
        kind: None,
        types: vec![],
        fields: vec!["maker".to_owned(), "donor".to_owned()],
        limit: 5,
        visibility,
    }
}

fn all() -> Visibility {
    everything("").visibility
}

fn public() -> Visibility {
    Visibility::up_to(Level::Public)
}

impl Bench {
    fn suggest(&self, begun: &Begun) -> (Vec<String>, Vec<String>) {
        let until = Instant::now() + MAX_TIME;
        let found = self
            .search
            .inner()
            .unwrap()
            .suggest(begun, &self.types(), until)
            .unwrap();
        let values = found.values.into_iter();
        let values = values.map(|v| format!("{}:{}={}", v.field, v.value, v.count));
        (values.collect(), found.ids)
    }
}

fn titled(id: &str, title: &str, makers: &[&str]) -> Document {
    let values = makers.iter().map(|maker| Value::Keyword((*maker).to_owned()));
    Document {
        title: title.to_owned(),
        ..with(id, vec![field("maker", values.collect())])
    }
}

#[test]
fn what_begins_so_comes_before_what_has_such_a_word() {
    let mut bench = Bench::new();
    bench.put(&[
        titled("a", "Teapot", &["Émile Gallé", "Gallé, Charles"]),
        titled("b", "\"Tea\" service", &["Émile Gallé"]),
        titled("c", "Cup for tea", &["emil Noldé"]),
    ]);
    bench.put(&[
        titled("d", "TEA caddy", &["Émile Gallé"]),
        titled("e", "Steamer", &["Reemil & Co."]),
    ]);
    let (values, ids) = bench.suggest(&begun("emil", all()));
    assert_eq!(values, ["maker:Émile Gallé=3", "maker:emil Noldé=1"]);
    assert_eq!(ids, [""; 0]);
    // Counts of all segments together, also of what is only a word inside.
    let (values, _) = bench.suggest(&begun("GALLE", all()));
    assert_eq!(values, ["maker:Gallé, Charles=1", "maker:Émile Gallé=3"]);
    // A comma between is typed as it stands.
    assert_eq!(bench.suggest(&begun("galle, ch", all())).0, ["maker:Gallé, Charles=1"]);
    assert_eq!(bench.suggest(&begun("tea", all())).1, ["d", "b", "a", "c"]);
    assert_eq!(bench.suggest(&begun(" tea s", all())).1, ["b"]);
    assert_eq!(bench.suggest(&begun("for cup", all())).1, ["c"]);
    for nothing in ["", "  ", "zzz", "\u{301}", "\0"] {
        assert_eq!(bench.suggest(&begun(nothing, all())), (vec![], vec![]), "{nothing:?}");
    }
    let long = format!("tea{}", "x".repeat(3_000));
    assert_eq!(bench.suggest(&begun(&long, all())), (vec![], vec![]));
    // What is replaced or gone is not suggested any more.
    bench.put(&[titled("d", "Caddy", &["Nobody"])]);
    assert_eq!(bench.suggest(&begun("emil", all())).0[0], "maker:Émile Gallé=2");
    assert_eq!(bench.suggest(&begun("tea", all())).1, ["b", "a", "c"]);
    let only = Begun {
        types: vec!["coin".to_owned()],
        ..begun("tea", all())
    };
    assert_eq!(bench.suggest(&only), (vec![], vec![]));
}

#[test]
fn what_is_hidden_is_never_suggested() {
    let mut bench = Bench::new();
    let secret = |id: &str, title_level, own: &str| {
        let mut donor = keyword("donor", "Secretan");
        donor.level = Level::Restricted;
        let own = vec![own.to_owned()];
        Document {
            title: "Secret box".to_owned(),
            title_level,
            fields: vec![donor],
            visible: [own.clone(), own.clone(), own],
            ..document(id)
        }
    };
    bench.put(&[
        secret("open", Level::Public, "public"),
        secret("titled", Level::Members, "public"),
        secret("closed", Level::Public, "members"),
    ]);
    let ask = |visibility| bench.suggest(&begun("secret", visibility));
    assert_eq!(ask(public()), (vec![], vec!["open".to_owned()]));
    let (values, ids) = ask(Visibility::up_to(Level::Members));
    assert_eq!(values, [""; 0]);
    assert_eq!(ids, ["closed", "open", "titled"]);
    assert_eq!(ask(all()).0, ["donor:Secretan=3"]);
    // Restricted fields of public records only.
    let half = Visibility {
        restricted: Terms::Any(vec!["public".to_owned()]),
        ..public()
    };
    assert_eq!(ask(half).0, ["donor:Secretan=2"]);
    assert_eq!(ask(Visibility::nothing()), (vec![], vec![]));
}
