//! Accounts from the command line: made, given roles, switched off and on, and deleted only by who says twice that they mean it.

use serde_json::Value;

use super::server::Place;

/// Runs a command that has to be refused; what it says.
#[track_caller]
fn refused(place: &Place, args: &[&str]) -> String {
    let output = place.run(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{args:?} was done: {said}");
    said
}

/// The account with this sign-in name as `app user list` tells it.
fn told(place: &Place, login: &str) -> Option<Value> {
    let list: Value = serde_json::from_str(&place.fine(&["user", "list", "--json"])).expect("JSON");
    let items = list["items"].as_array().expect("accounts").clone();
    items.into_iter().find(|one| one["login"] == login)
}

#[test]
fn accounts_are_made_and_deleted_by_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new(folder.path(), None);
    let link = place.fine(&["user", "create", "--login", "ada", "--name", "Ada Lovelace"]);
    assert!(link.contains("/welcome/"), "{link}");
    place.fine(&["user", "create", "--login", "nightly", "--name", "Nightly", "--service"]);
    assert!(place.fine(&["user", "role", "nightly", "editor"]).contains("editor"));
    assert!(place.fine(&["user", "disable", "nightly"]).contains("disabled"));
    assert!(place.fine(&["user", "enable", "nightly"]).contains("active"));
    let ada = told(&place, "ada").expect("she is listed");
    let id = ada["id"].as_str().expect("an id").to_owned();

    // Without a terminal nobody is asked, and nothing happens by a slip.
    assert!(refused(&place, &["user", "delete", "ada"]).contains("--confirm ada"));
    let slip = refused(&place, &["user", "delete", "ada", "--confirm", "nightly"]);
    assert!(slip.contains("Nothing was deleted"), "{slip}");
    assert!(told(&place, "ada").is_some());

    let done = place.fine(&["user", "delete", "ada", "--confirm", "ada"]);
    assert!(done.contains("ada is deleted"), "{done}");
    assert!(told(&place, "ada").is_none());
    assert!(told(&place, "nightly").is_some(), "nobody else is gone");
    for gone in ["ada", id.as_str()] {
        let said = refused(&place, &["user", "delete", gone, "--confirm", gone]);
        assert!(said.contains("There is no account"), "{said}");
    }
    // What it was called is free again, and the new one is somebody else.
    place.fine(&["user", "create", "--login", "ada", "--name", "Another Ada"]);
    assert_ne!(told(&place, "ada").expect("she is listed")["id"], id);
}
