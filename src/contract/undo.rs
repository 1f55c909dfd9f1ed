//! Taking a change back: what became of each thing it had changed.

use serde::{Deserialize, Serialize};

/// What became of an entity whose change was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restoration {
    /// The change had made it; it is deleted.
    Removed,
    /// It has the state again that it had before.
    Reverted,
    /// The change had deleted it; it is back.
    Revived,
    /// It was as before the change already.
    Already,
    /// It stays as it is.
    Left(WhyLeft),
}

/// How much is taken back of what was changed since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Insist {
    /// It stays as it is.
    #[default]
    No,
    /// Those fields that nobody has touched since.
    Fields,
    /// All of it, and later changes go with it.
    Whole,
}

/// Why something stays as a change left it. Stored with each undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhyLeft {
    /// Somebody changed it since.
    ChangedSince,
    /// Other records point at it.
    InUse,
    /// A value that only one record may have belongs to another one now.
    Taken,
    /// It would point at records that are not there.
    LinkLost,
    /// It would hang below itself.
    Cycle,
    /// Its state before does not fit its type of today.
    Unfit,
    /// Its state before was emptied for good.
    Redacted,
    /// Its type was deleted.
    TypeGone,
    /// A type that records still need.
    TypeInUse,
    /// Whoever takes the change back may not change it, or not see all of it.
    Forbidden,
    /// It is not kept any more.
    Gone,
    /// Something that cannot be put back: a setting, an account.
    Unknown,
}

impl WhyLeft {
    pub const ALL: [Self; 12] = [
        Self::ChangedSince,
        Self::InUse,
        Self::Taken,
        Self::LinkLost,
        Self::Cycle,
        Self::Unfit,
        Self::Redacted,
        Self::TypeGone,
        Self::TypeInUse,
        Self::Forbidden,
        Self::Gone,
        Self::Unknown,
    ];
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChangedSince => "changed-since",
            Self::InUse => "in-use",
            Self::Taken => "taken",
            Self::LinkLost => "link-lost",
            Self::Cycle => "cycle",
            Self::Unfit => "unfit",
            Self::Redacted => "redacted",
            Self::TypeGone => "type-gone",
            Self::TypeInUse => "type-in-use",
            Self::Forbidden => "forbidden",
            Self::Gone => "gone",
            Self::Unknown => "unknown",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == text)
    }
}

/// What taking a change back would do, as far as it can be told beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prospect {
    /// Records that would be deleted, put back to an earlier state, brought back.
    pub removed: i64,
    pub reverted: i64,
    pub revived: i64,
    /// Records that are as before already.
    pub already: i64,
    /// What would stay, with the reason that is known now.
    pub left: Vec<(String, WhyLeft)>,
    /// Types that it touched.
    pub types: i64,
    /// There is more than was looked at.
    pub is_cut: bool,
}

impl Prospect {
    /// Things that would change.
    pub fn changes(&self) -> i64 {
        self.removed + self.reverted + self.revived
    }
}
