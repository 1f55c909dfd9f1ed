//! Who may come in: tokens and the setup link, for the command line and other modules.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::kernel::access::Caller;
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
