//! Types from the command line: a set to begin with, all types as text in files, and giving them back, which changes nothing
//! the second time.

use super::server::Place;

#[test]
fn types_are_taken_as_text_and_given_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new(folder.path(), None);
    assert!(place.fine(&["types", "sets"]).contains("art-museum"));
    let made = place.fine(&["types", "begin", "media-archive"]);
    assert!(made.contains("Made: recording, organisation."), "{made}");
    assert!(
        place
            .fine(&["types", "begin", "media-archive"])
            .contains("left as they are")
    );

    let texts = folder.path().join("texts");
    let texts = texts.to_str().expect("a path");
    place.fine(&["types", "export", "--output", texts]);
    let file = std::path::Path::new(texts).join("organisation.toml");
    let text = std::fs::read_to_string(&file).expect("a type as text");
    assert!(text.starts_with("name = \"organisation\""), "{text}");
    assert!(place.fine(&["types", "plan", texts]).contains("Nothing changes."));

    let renamed = text.replacen("sv = \"Organisation\"", "sv = \"Företag\"", 1);
    assert_ne!(renamed, text);
    std::fs::write(&file, renamed).expect("a file");
    let plan = place.fine(&["types", "plan", texts]);
    assert!(plan.contains("~ labels.sv: Organisation -> Företag"), "{plan}");
    assert!(plan.contains("1 type changes"), "{plan}");
    let applied = place.fine(&["types", "apply", texts, "--reason", "As we call them"]);
    assert!(applied.contains("Changed: organisation."), "{applied}");
    assert!(place.fine(&["types", "plan", texts]).contains("Nothing changes."));
    assert!(place.fine(&["types", "apply", texts]).contains("Nothing changes."));

    // A file that is no type is named with what is wrong, and nothing is given.
    let broken = std::path::Path::new(texts).join("broken.toml");
    std::fs::write(&broken, "name = \"broken\"\nfields = 3\n").expect("a file");
    let output = place.run(&["types", "apply", texts]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("broken.toml is no type"),
        "{said}"
    );
}
