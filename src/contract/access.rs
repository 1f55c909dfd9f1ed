//! What accounts and groups may: roles, and the port that gives and takes them.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::kernel::access::{Caller, Permission};
use crate::kernel::db::Tx;
use crate::kernel::error::Result;

/// Give and take roles up to curator, of a collection or of the house.
pub const GRANTS: Permission = Permission("access.grants");
/// Give and take the roles of administrators and operators, keep groups, look as somebody else.
pub const MANAGE: Permission = Permission("access.manage");

/// What somebody is to a collection or to the house. Each of the first five can what those before it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees everything of it, restricted records and fields too.
    Viewer,
    /// Adds records, and changes those that they made.
    Contributor,
    /// Changes, deletes and restores all records, takes changes back.
    Editor,
    /// Changes the type, opens and closes the collection, gives roles in it.
    Curator,
    /// Everything, in the house as a whole.
    Administrator,
    /// Keeps the program running: jobs, logs, settings. Of the house as a whole.
    Operator,
}

impl Role {
    pub const ALL: [Role; 6] = [
        Role::Viewer,
        Role::Contributor,
        Role::Editor,
        Role::Curator,
        Role::Administrator,
        Role::Operator,
    ];
    /// The relation of the schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Contributor => "contributor",
            Self::Editor => "editor",
            Self::Curator => "curator",
            Self::Administrator => "administrator",
            Self::Operator => "operator",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
    /// True for a role that only the house as a whole has.
    pub fn is_of_house(self) -> bool {
        matches!(self, Self::Administrator | Self::Operator)
    }
}

/// The house as a whole, as a place where somebody has a role. A collection is `type:NAME`.
pub const HOUSE: &str = "house";

/// What accounts and groups may. `subject` is `account:ID` or `group:ID#member`, `place` is `house` or `type:NAME`.
#[async_trait]
pub trait Grants: Send + Sync {
    /// Gives a role, in the transaction of what it belongs to. Giving it again changes nothing.
    ///
    /// `by` hands on only what it holds itself; the operator and the house hold everything.
    async fn grant(&self, tx: &mut Tx<'_>, by: &Caller, subject: &str, role: Role, place: &str) -> Result<()>;
    /// Takes a role away. Taking one that is not there changes nothing.
    async fn revoke(&self, tx: &mut Tx<'_>, by: &Caller, subject: &str, role: Role, place: &str) -> Result<()>;
    /// Takes away everything that a subject has, its memberships too, or all roles at a place: it is deleted. Refused where
    /// nobody would be administrator any more, unless the operator or the house does it.
    async fn forget(&self, tx: &mut Tx<'_>, by: &Caller, subject_or_place: &str) -> Result<()>;
    /// Is anybody administrator who can come in? Asked inside a transaction that may shut somebody out, before and after it
    /// does; whoever else asks waits until it has ended.
    async fn is_administered(&self, tx: &mut Tx<'_>) -> Result<bool>;
    /// The roles that a subject was given by itself, with the places, not those of its groups.
    async fn roles_of(&self, subject: &str) -> Result<Vec<(Role, String)>>;
    /// The names of the groups that a subject was put into by itself.
    async fn groups_of(&self, subject: &str) -> Result<Vec<String>>;
    /// Every role that a subject has with its place, by itself or by a group.
    async fn held_by(&self, subject: &str) -> Result<Vec<(Role, String)>>;
}
