//! `GET /api/dates`: what a date would be read as, so that forms and programs can ask before they send it. Asks no database.

use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::kernel::civil::{self, Civil, OPEN_FIRST, OPEN_LAST, calendar};
use crate::kernel::error::Result;
use crate::kernel::http::{Json, ProblemDocument, Query};
use crate::kernel::i18n::Language;
use crate::modules::records::model::shorten;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Written {
    /// A date as people write it, or as it is stored.
    #[param(example = "c. 1850")]
    text: String,
}

/// What a date is read as, or why it is none.
#[derive(Default, Serialize, ToSchema)]
pub struct DateRead {
    /// The form in which it is stored: EDTF. None where it is no date.
    #[schema(example = "1850~")]
    stored: Option<String>,
    /// In plain words, in the language that was asked for.
    #[schema(example = "about 1850")]
    words: Option<String>,
    /// The first day it may be; none where it is open towards the past.
    #[schema(example = "1845-01-01")]
    first: Option<String>,
    /// The last day it may be; none where it is open towards the future.
    #[schema(example = "1855-12-31")]
    last: Option<String>,
    /// Why it is no date.
    why: Option<String>,
}

/// Says what a date is read as.
///
/// A date field takes all of these forms and stores the one that is told here; what is no date is told with its cause. Words
/// follow `Accept-Language`.
#[utoipa::path(
    get,
    path = "/api/dates",
    tag = "records",
    params(Written),
    responses(
        (status = 200, description = "What it is read as, or why it is no date.", body = DateRead),
        (status = 400, description = "Nothing was asked.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub async fn read_date(headers: HeaderMap, Query(written): Query<Written>) -> Result<Json<DateRead>> {
    let read = civil::read(&written.text).and_then(|stored| Ok((Civil::stored(&stored)?.days(), stored)));
    let ((first, last), stored) = match read {
        Ok(read) => read,
        Err(fault) => {
            let why = Some(format!("\"{}\" {fault}", shorten(&written.text, 60)));
            return Ok(Json(DateRead {
                why,
                ..DateRead::default()
            }));
        }
    };
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let language = Language::negotiate(accepted.unwrap_or_default()).unwrap_or_default();
    let day = |day: i64| {
        let (year, month, of_month) = calendar::date(day);
        let sign = if year < 0 { "-" } else { "" };
        format!("{sign}{:04}-{month:02}-{of_month:02}", year.abs())
    };
    Ok(Json(DateRead {
        words: language.civil(&stored),
        first: (first != OPEN_FIRST).then(|| day(first)),
        last: (last != OPEN_LAST).then(|| day(last)),
        stored: Some(stored),
        why: None,
    }))
}
