//! How numbers are given to records: a part of a field's definition. Plain data.

use serde::{Deserialize, Serialize};

/// How the numbers of a field are given. A number that was given stays with its record; gaps are no fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Numbering {
    /// What a number looks like: words, `{year}`, a counter such as `{seq:4}` and `{check}`.
    #[schema(example = "Ma{year}{seq:4}")]
    pub pattern: String,
    /// The first one.
    #[serde(default = "first_number", skip_serializing_if = "is_first_number")]
    pub start: i64,
    /// The counter begins again with each year.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yearly: bool,
    /// How `{check}` is worked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckDigit>,
    /// Somebody may also write any other number that is free.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
}

/// A digit worked out from the others, which a slip of the pen betrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckDigit {
    /// Luhn's, as on bank cards.
    Mod10,
    /// As in an ISBN of ten digits; ten is written X.
    Mod11,
}

fn first_number() -> i64 {
    1
}
fn is_first_number(start: &i64) -> bool {
    *start == 1
}
