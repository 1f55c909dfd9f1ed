//! Scripts without spaces, and names as people ask the DINA collections for them.

use super::language::{text, titled};
use super::*;

#[test]
fn scripts_without_spaces_are_found_by_neighbours() {
    let mut bench = Bench::new();
    let texts = [
        ("zh", "中华人民共和国的青花瓷"),
        ("tw", "中華民國 故宮博物院"),
        ("ko", "국립중앙박물관은 서울에 있다"),
        ("jp", "ﾃｨｰﾎﾟｯﾄと佐々木の茶碗"),
        ("mix", "Bowl 青い花 tea 瓷"),
    ];
    for (id, title) in texts {
        bench.put(&[titled(id, title, Tongue::English, vec![])]);
    }
    for (question, want) in [
        ("青花", "zh"),
        ("青花瓷", "zh"),
        ("青", "mix zh"),
        ("花瓷", "zh"),
        ("共和国的青", "zh"),
        ("人民共国", ""),
        ("博物", "tw"),
        ("故宮博物院", "tw"),
        ("\"中華民國 故宮\"", "tw"),
        ("박물관", "ko"),
        ("국립중앙박물관", "ko"),
        ("서울", "ko"),
        ("중앙은", ""),
        ("ティーポット", "jp"),
        ("ポット", "jp"),
        ("ﾎﾟｯﾄ", "jp"),
        ("ホット", ""),
        ("佐々木", "jp"),
        ("々木", "jp"),
        ("茶碗", "jp"),
        ("青い tea", "mix"),
        ("\"花 tea 瓷\"", "mix"),
        ("\"花 瓷\"", "zh"),
        ("\"花 瓷\"~2", "mix zh"),
        ("花*", "mix zh"),
        ("瓷 -bowl", "zh"),
    ] {
        assert_eq!(bench.ids(question).join(" "), want, "{question}");
    }
    let typing = Query {
        typing: true,
        ..everything("박물")
    };
    assert_eq!(bench.ask(&typing).unwrap().total, 1);
    assert_eq!(bench.ids("ﾃｨ"), ["jp"]);
    assert_eq!(bench.ids("ティ"), ["jp"]);
}

/// What people ask the DINA collections in its own language, and how the same is written here.
#[test]
fn names_are_found_as_in_dina() {
    let mut bench = Bench::new();
    let names = [
        "Pusa",
        "Pusa hispida",
        "Rhabdomys pumilio",
        "Gulo",
        "Gulo gulo",
        "Phyllostomidae",
        "Alouatta",
        "Alouatta caraya",
        "Mus",
        "Mus musculoides",
        "Mus musculus",
        "Felidae",
        "Älgkö",
        "NRM; A/58-0012, (3) #4? <x>:y.z",
    ];
    let documents: Vec<Document> = names
        .iter()
        .map(|name| Document {
            title: (*name).to_owned(),
            ..with(name, vec![text("name", name, None)])
        })
        .collect();
    bench.put(&documents[..7]);
    bench.put(&documents[7..]);
    for (theirs, ours, want) in [
        ("pusa", "pusa", "Pusa|Pusa hispida"),
        ("pu", "pu*", "Pusa|Pusa hispida|Rhabdomys pumilio"),
        ("hispida pusa", "hispida pusa", "Pusa hispida"),
        ("mu mus", "mu* mus*", "Mus|Mus musculoides|Mus musculus"),
        ("=pu", "=pu", ""),
        ("=pusa", "=pusa", "Pusa|Pusa hispida"),
        ("==pusa", "==pusa", "Pusa"),
        ("==Pusa Hispida", "==\"Pusa Hispida\"", "Pusa hispida"),
        ("\"sa his\"", "\"*sa his*\"", "Pusa hispida"),
        ("\"hispida pusa\"", "\"*hispida pusa*\"", ""),
        ("*pida", "*pida", "Pusa hispida"),
        ("*pid", "*pid", ""),
        (
            "*lo*",
            "*lo*",
            "Alouatta|Alouatta caraya|Gulo|Gulo gulo|Mus musculoides|Phyllostomidae",
        ),
        ("mus *lo", "mus *lo", ""),
        ("==mus *lo*", "==\"mus *lo*\"", "Mus musculoides"),
        ("\"*lo* mus\"", "\"*lo* mus\"", ""),
        ("\"mus *lo*\"", "\"mus *lo*\"", "Mus musculoides"),
        ("älgk", "älgk*", "Älgkö"),
        ("ALGKO", "ALGKO", "Älgkö"),
        (
            "NRM; A/58-0012, (3) #4? <x>:y.z",
            "\"NRM; A/58-0012, (3) #4? <x>:y.z\"",
            "NRM; A/58-0012, (3) #4? <x>:y.z",
        ),
        ("58-0012", "58-0012", "NRM; A/58-0012, (3) #4? <x>:y.z"),
        ("a/58", "a/58", "NRM; A/58-0012, (3) #4? <x>:y.z"),
        ("a lone =", "pusa = hispida", "Pusa hispida"),
        ("a pattern of nothing", "\"** ** **\" gulo", "Gulo|Gulo gulo"),
    ] {
        let found = bench.ids(ours);
        assert_eq!(found.join("|"), want, "{theirs} is {ours} here");
    }
    // While somebody types the last word is a beginning, as every word is there.
    let typing = Query {
        typing: true,
        ..everything("mus mu")
    };
    assert_eq!(bench.ask(&typing).unwrap().total, 3);
    // What is hidden is not found by patterns either.
    let mut hidden = with("hidden", vec![text("name", "Pusa caspica", None)]);
    hidden.title = "Pusa caspica".to_owned();
    hidden.visible = [vec![], vec!["members".to_owned()], vec![]];
    bench.put(&[hidden]);
    let public = Visibility {
        restricted: Terms::Any(vec![]),
        members: Terms::Any(vec![]),
        public: Terms::Any(vec!["public".to_owned()]),
    };
    for typed in ["==\"Pusa caspica\"", "==*caspica", "\"*sa casp*\"", "=caspica"] {
        assert_eq!(bench.ids(typed), ["hidden"], "{typed}");
        assert_eq!(bench.ask(&question(typed, public.clone())).unwrap().total, 0, "{typed}");
    }
}
