//! A record for machines: JSON with what is known about it, one row of a table, linked data, citations.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::cite::{Citation, json_ld};
use crate::kernel::error::Result;
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Page, texts};
use crate::modules::records::api::RecordBody;
use crate::modules::records::service::Seen;

/// The forms for machines, by the ending of the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineForm {
    Json,
    Csv,
    JsonLd,
    Bibtex,
    Ris,
}

/// Id and form of `ID.json` and its like.
pub fn asked(id: &str) -> Option<(&str, MachineForm)> {
    let (id, ending) = id.rsplit_once('.')?;
    let form = match ending {
        "json" => MachineForm::Json,
        "csv" => MachineForm::Csv,
        "jsonld" => MachineForm::JsonLd,
        "bib" => MachineForm::Bibtex,
        "ris" => MachineForm::Ris,
        _ => return None,
    };
    Some((id, form))
}

/// A record in one of its forms.
pub fn answer(seen: &Seen, form: MachineForm, page: &Page) -> Result<Response> {
    let address = page.absolute(&format!("/records/{}", seen.record.id));
    let citation = || Citation::of(seen, address.clone(), page.language);
    Ok(match form {
        MachineForm::Json => file(seen, "application/json", "json", json(seen)?),
        MachineForm::Csv => file(seen, "text/csv; charset=utf-8", "csv", csv(seen)),
        MachineForm::JsonLd => {
            let collection = page.absolute(&format!("/types/{}", seen.record.type_name));
            file(
                seen,
                "application/ld+json",
                "jsonld",
                json_ld(seen, &address, &collection)?,
            )
        }
        MachineForm::Bibtex => file(seen, "application/x-bibtex; charset=utf-8", "bib", citation().bibtex()),
        MachineForm::Ris => file(
            seen,
            "application/x-research-info-systems; charset=utf-8",
            "ris",
            citation().ris(),
        ),
    })
}

/// A machine form as an answer, named after the record, its version as ETag.
fn file(seen: &Seen, kind: &'static str, ending: &str, body: String) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let name = format!("inline; filename=\"{}.{ending}\"", seen.record.id);
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", seen.record.version)) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// The record as the API answers it.
pub fn json(seen: &Seen) -> Result<String> {
    let body = RecordBody::from(seen.clone());
    Ok(serde_json::to_string_pretty(&body)? + "\n")
}

/// One row with the fields as columns; several values are set apart by ` | `.
pub fn csv(seen: &Seen) -> String {
    let language = Language::default();
    let (mut head, mut row) = (vec!["_id".to_owned()], vec![seen.record.id.clone()]);
    for leaf in seen
        .stored_type
        .definition
        .leaves()
        .iter()
        .filter(|leaf| leaf.level <= seen.level)
    {
        head.push(csv_cell(&leaf.path));
        row.push(csv_cell(
            &texts(&seen.record.document, &leaf.path, language).join(" | "),
        ));
    }
    format!("{}\r\n{}\r\n", head.join(","), row.join(","))
}

/// A cell that no spreadsheet takes for a formula.
pub fn csv_cell(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if risky { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
