//! Who may come in: tokens and the setup link, for the command line and other modules.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kernel::access::Caller;
use crate::kernel::db::Tx;
use crate::kernel::error::Result;

/// A token to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for, in words.
    pub name: String,
    /// Permissions: `records.write`, `records.*` for all of an area, `*` for all. Whatever everybody may read, a token may too.
    #[serde(default)]
    pub scope: Vec<String>,
    /// Days until it expires, 1 to 3650; without it, it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// A token as everybody who may manage tokens sees it: never with its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenInfo {
    pub id: String,
    pub name: String,
    pub scope: Vec<String>,
    pub created_at: String,
    pub expires_at: Option<String>,
    /// When it was last used, exact to a minute.
    pub used_at: Option<String>,
    pub revoked_at: Option<String>,
    /// The account for which it speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

/// A new token with its secret, which is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreatedToken {
    #[serde(flatten)]
    pub token: TokenInfo,
    /// Send it as `Authorization: Bearer SECRET`. It is not kept and cannot be shown again.
    pub secret: String,
}

/// The port of the module `accounts`.
#[async_trait]
pub trait Doors: Send + Sync {
    /// The whole address of a new one-time setup link, if nobody has ever come in as operator; for the first start.
    async fn issue_setup_link(&self) -> Result<Option<String>>;
    /// The whole address of a new one-time setup link, always: for `app setup-link`.
    async fn new_setup_link(&self) -> Result<String>;
    /// Makes a token.
    async fn create_token(&self, caller: &Caller, new: &NewToken) -> Result<CreatedToken>;
    /// Every token, newest first.
    async fn tokens(&self, caller: &Caller) -> Result<Vec<TokenInfo>>;
    /// Ends a token at once. Ending it again changes nothing.
    async fn revoke_token(&self, caller: &Caller, id: &str) -> Result<()>;
}

/// Where the owner of an account reads mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// A confirmed address.
    pub to: String,
    /// The language of its reader, as a tag: the account's, else the house's.
    pub language: Option<String>,
    pub name: String,
    pub login: String,
}

/// Somebody who keeps something for accounts beside them.
#[async_trait]
pub trait AccountKeeper: Send + Sync {
    /// An account is deleted: what is kept for it goes, in the same transaction.
    async fn forget_account(&self, tx: &mut Tx<'_>, account: &str) -> Result<()>;
    /// What is kept for an account, and the name under which a copy of its owner's data tells it.
    async fn kept_for(&self, account: &str) -> Result<(&'static str, Value)>;
}

/// Accounts as those need them who keep or send something for their owners: the second port of the module `accounts`.
#[async_trait]
pub trait Owners: Send + Sync {
    /// Where mail reaches the owner of an account that is in use; `None` where it does not, or no mail is sent.
    async fn mailbox(&self, account: &str) -> Result<Option<Mailbox>>;
    /// Tells this one, too, when an account is deleted. While wiring.
    fn keep_accounts(&self, keeper: Arc<dyn AccountKeeper>);
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccountState {
    /// Has a link, but no password yet.
    Invited,
    Active,
    /// Switched off: opens nothing.
    Disabled,
    /// Gone; what it did stays under another name.
    Deleted,
}

impl AccountState {
    pub const ALL: [AccountState; 4] = [Self::Invited, Self::Active, Self::Disabled, Self::Deleted];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// An account as those who look after accounts see it, and its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AccountInfo {
    pub id: String,
    /// `person` or `service`.
    pub kind: String,
    pub state: AccountState,
    /// The name to sign in with.
    pub login: String,
    /// The name to show.
    pub name: String,
    pub mail: Option<String>,
    /// Its owner has shown that mail arrives there.
    pub mail_confirmed: bool,
    pub created_at: String,
    /// When it last signed in.
    pub seen_at: Option<String>,
    /// The path of its picture, for whoever is signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// The roles it was given by itself.
    pub roles: Vec<HeldRole>,
    /// The groups it was put into, by name; told of one account, not in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// A role and where it is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldRole {
    /// viewer, contributor, editor, curator, administrator or operator.
    pub role: String,
    /// `house`, or `type:NAME` for one collection.
    #[serde(default = "house")]
    pub place: String,
}

fn house() -> String {
    "house".to_owned()
}

/// An account to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// The name to sign in with.
    pub login: String,
    /// The name to show.
    pub name: String,
    #[serde(default)]
    pub mail: Option<String>,
    /// What it may from the start.
    #[serde(default)]
    pub roles: Vec<HeldRole>,
    /// A program's account: it has tokens and never signs in.
    #[serde(default)]
    pub service: bool,
}

/// A one-time link to choose a password with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AccountLink {
    /// The whole address. Whoever opens it first chooses the password.
    pub url: String,
    pub expires_at: String,
}

/// A new account and the link to hand to its owner; a service has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreatedAccount {
    #[serde(flatten)]
    pub account: AccountInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<AccountLink>,
    /// Where the link was mailed instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailed_to: Option<String>,
}
