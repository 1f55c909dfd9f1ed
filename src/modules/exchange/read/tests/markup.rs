//! XML, piece by piece: what is understood, and what ends in words.

use super::super::xml::{Event, Xml};

fn events(text: &str) -> Vec<String> {
    let mut xml = Xml::new(text.as_bytes(), 20);
    let mut found = Vec::new();
    loop {
        found.push(match xml.next() {
            Ok(Event::Start) => format!("<{}", String::from_utf8_lossy(xml.name())),
            Ok(Event::End) => format!(">{}", String::from_utf8_lossy(xml.name())),
            Ok(Event::Text) => xml.text().into_owned(),
            Ok(Event::Eof) => return found,
            Err(error) => {
                found.push(error.detail().to_owned());
                return found;
            }
        });
    }
}

#[test]
fn pieces_come_as_they_stand() {
    let got = events(
        "<?xml version='1.0'?><!-- <x> - --><x:a b='1>2' c=\"&quot;\"><d/>t &amp; &#x41;&no;<![CDATA[<&lt;]]></x:a>",
    );
    assert_eq!(got, ["<a", "<d", ">d", "t & A&no;", "<&lt;", ">a"]);
    let mut xml = Xml::new(&b"<a b = '1>2' x:c=\"&quot;\"/>"[..], 20);
    xml.next().unwrap();
    assert_eq!(xml.attribute("b").unwrap(), "1>2");
    assert_eq!(xml.attribute("x:c").unwrap(), "\"");
    assert_eq!(xml.attribute("c"), None);
}

#[test]
fn bombs_and_rubbish_end_in_words() {
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><x>&b;</x>";
    assert!(events(bomb)[0].contains("document type"));
    for cut in [
        "<a>",
        "<a",
        "<a b='",
        "<!--",
        "<![CDATA[x",
        "<",
        "</a>",
        "<>",
        "</>",
        "< a>",
        "<!x",
    ] {
        let got = events(cut);
        assert!(got.last().unwrap().contains("cannot be read"), "{cut} {got:?}");
    }
    assert!(events(&"<a>".repeat(1000)).last().unwrap().contains("without end"));
    assert!(
        events(&format!("<a b='{}'/>", "x".repeat(100_000)))
            .last()
            .unwrap()
            .contains("longer than any")
    );
    let mut xml = Xml::new(&b"<a>12345678901234567890123</a>"[..], 20);
    xml.next().unwrap();
    xml.next().unwrap();
    assert!(xml.long && xml.text().len() == 20);
}
