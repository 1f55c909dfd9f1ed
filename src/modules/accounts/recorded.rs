//! Changes of accounts in the ledger: who did what to which account, without secrets. An account that is deleted leaves who,
//! when and why, and nothing of who it was.

use serde_json::json;

use super::account::Account;
use crate::kernel::access::Caller;
use crate::kernel::db::Tx;
use crate::kernel::error::Result;
use crate::kernel::ledger::{self, NewSet, NewVersion, Operation};

/// The kind of its versions; the change sets are called `account.WHAT`. Stored.
const ACCOUNT: &str = "account";

async fn write(
    tx: &mut Tx<'_>,
    caller: &Caller,
    entity: String,
    operation: Operation,
    document: Option<String>,
    what: &str,
) -> Result<()> {
    let newest = ledger::versions(&mut *tx, &entity, None, 1).await?;
    let set = NewSet {
        kind: &format!("account.{what}"),
        actor: &caller.actor(),
        reason: "",
        origin: json!({ "request": caller.request_id }),
    };
    let set = ledger::open_set(tx, &set).await?;
    let version = NewVersion {
        version: newest.first().map_or(0, |newest| newest.version) + 1,
        operation: if newest.is_empty() {
            Operation::Create
        } else {
            operation
        },
        entity,
        kind: ACCOUNT,
        document,
    };
    ledger::append(tx, &set, vec![version]).await?;
    Ok(())
}

/// What an auditor may read about an account.
fn document(account: &Account) -> String {
    json!({
        "login": account.login,
        "name": account.name,
        "kind": account.kind,
        "state": account.state,
        "mail": account.mail,
        "mail_confirmed": account.mail_confirmed_at.is_some(),
        "language": account.language,
        "time_zone": account.time_zone,
        "theme": account.theme,
    })
    .to_string()
}

/// An account was made, or is another than before; `what` says in a word what was done, also where nothing that is told
/// here differs: `password`, `step-added` …
pub(super) async fn changed(tx: &mut Tx<'_>, caller: &Caller, account: &Account, what: &str) -> Result<()> {
    let text = Some(document(account));
    write(tx, caller, account.subject(), Operation::Update, text, what).await
}

/// An account was deleted: earlier states are emptied.
pub(super) async fn deleted(tx: &mut Tx<'_>, caller: &Caller, account: &Account) -> Result<()> {
    ledger::redact_all(tx, &[account.subject()]).await?;
    write(tx, caller, account.subject(), Operation::Delete, None, "deleted").await
}

/// The account itself as who did it, where it acts through a link and has no session yet.
pub(super) fn itself(account: &Account) -> Caller {
    Caller {
        subject: crate::kernel::access::Subject::Account {
            id: account.id.clone(),
            name: account.name.clone(),
            scope: None,
        },
        request_id: None,
    }
}
