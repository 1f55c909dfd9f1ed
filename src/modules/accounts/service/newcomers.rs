//! What whoever comes through a provider for the first time is called here.

use super::super::names;
use super::super::providers::Told;
use super::super::store;
use crate::kernel::crypto;
use crate::kernel::db::Tx;
use crate::kernel::error::Result;

/// How many names are tried with a number behind them.
const NAMES_TRIED: u32 = 20;

/// A name to know an identity by.
pub(super) fn label_of(told: &Told) -> String {
    let label = told.mail.as_ref().or(told.login.as_ref()).or(told.name.as_ref());
    let label = label.unwrap_or(&told.subject);
    label.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// The beginning of a name to sign in with.
fn login_of(told: &Told) -> String {
    let mail = told.mail.as_deref().filter(|_| told.mail_is_sure);
    let sources = [told.login.as_deref(), mail, told.name.as_deref()];
    for source in sources.into_iter().flatten() {
        let local = source.split('@').next().unwrap_or_default().to_lowercase();
        let plain = local.chars().map(|c| if c.is_whitespace() { '.' } else { c });
        let plain: String = plain
            .filter(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
            .skip_while(|c| !c.is_alphanumeric())
            .take(50)
            .collect();
        if let Ok(login) = names::login(&plain) {
            return login;
        }
    }
    "person".to_owned()
}

/// A name to sign in with that nobody has, like what is told about somebody.
pub(super) async fn free_login(tx: &mut Tx<'_>, told: &Told) -> Result<String> {
    let base = login_of(told);
    if store::accounts::login_is_free(tx, &base).await? {
        return Ok(base);
    }
    for number in 2..=NAMES_TRIED {
        let login = format!("{base}-{number}");
        if store::accounts::login_is_free(tx, &login).await? {
            return Ok(login);
        }
    }
    Ok(format!("{base}-{}", hex::encode(crypto::random::<4>())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_to_sign_in_with_are_made_of_what_is_told() {
        let told = |login: &str, mail: &str, name: &str| Told {
            login: (!login.is_empty()).then(|| login.to_owned()),
            mail: (!mail.is_empty()).then(|| mail.to_owned()),
            mail_is_sure: true,
            name: (!name.is_empty()).then(|| name.to_owned()),
            ..Told::default()
        };
        for (given, want) in [
            (told("Ada.L", "x@y.example", ""), "ada.l"),
            (told("ada@museum.example", "", ""), "ada"),
            (told("!", "grace@y.example", ""), "grace"),
            (told("", "", "Ada  Lovelace"), "ada..lovelace"),
            (told("", "", "\u{202e}"), "person"),
            (told("раypal", "", ""), "person"),
        ] {
            assert_eq!(login_of(&given), want);
        }
    }
}
