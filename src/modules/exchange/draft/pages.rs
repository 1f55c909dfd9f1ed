//! The pages of the wizard: what each template is given; steps, drafts, jobs and reports as they show them.

use askama::Template;

use super::lines::{Choice, FieldLine, LookView, Question};
use super::service::Draft;
use crate::contract::exchange::{ChangedRecord, ImportReport, RefusedRow};
use crate::kernel::access::Level;
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Difference, Page, filters, view};

#[derive(Template)]
#[template(path = "modules/exchange/templates/import.html")]
pub struct StartPage {
    pub page: Page,
    pub steps: Vec<Step>,
    /// Name and label of the collection that the files are meant for.
    pub into: Option<(String, String)>,
    pub drafts: Vec<DraftLine>,
    /// How many of them are sets of DINA Collections.
    pub sets: usize,
    pub recent: Vec<RecentLine>,
    /// The largest file that is taken.
    pub limit: String,
}

#[derive(Template)]
#[template(path = "modules/exchange/templates/import-file.html")]
pub struct FilePage {
    pub page: Page,
    pub steps: Vec<Step>,
    pub draft: DraftLine,
    pub earlier: Option<EarlierLine>,
    pub error: Option<String>,
    pub look: Option<LookView>,
    pub missing: String,
}

#[derive(Template)]
#[template(path = "modules/exchange/templates/import-looking.html")]
pub struct LookingPage {
    pub page: Page,
    pub steps: Vec<Step>,
    pub draft: DraftLine,
    pub job: JobLine,
}

#[derive(Template)]
#[template(path = "modules/exchange/templates/import-collection.html")]
pub struct CollectionPage {
    pub page: Page,
    pub steps: Vec<Step>,
    pub draft: DraftLine,
    pub errors: Vec<(String, String)>,
    pub rows: i64,
    pub unreadable: i64,
    pub first_fault: String,
    /// Collections to add to.
    pub targets: Vec<Choice>,
    /// The one it goes into, where it exists.
    pub existing: Option<String>,
    /// It was taken because it has all the columns.
    pub fits: bool,
    pub label: String,
    pub licence: String,
    pub credit: String,
    pub public: bool,
    pub titles: Vec<Choice>,
    pub keys: Vec<Choice>,
    pub images: Vec<Choice>,
    pub decimal: Option<Question>,
    pub dates: Option<Question>,
    pub mixed_dates: Vec<String>,
    pub fields: Vec<FieldLine>,
}

#[derive(Template)]
#[template(path = "modules/exchange/templates/import-preview.html")]
pub struct PreviewPage {
    pub page: Page,
    /// Where what it becomes is corrected.
    pub correct: String,
    pub steps: Vec<Step>,
    pub draft: DraftLine,
    pub earlier: Option<EarlierLine>,
    pub job: Option<JobLine>,
    pub report: Option<ReportView>,
}

#[derive(Template)]
#[template(path = "modules/exchange/templates/import-run.html")]
pub struct RunPage {
    pub page: Page,
    pub steps: Vec<Step>,
    pub file: String,
    pub job: JobLine,
    pub so_far: ReportView,
    /// What it did, once it is done.
    pub report: Option<ReportView>,
    pub took: String,
    pub set_id: Option<String>,
    pub collection_href: String,
    pub searchable: bool,
    pub public: bool,
    /// The collection, where it is not public yet and the reader may open it: its name and version.
    pub opening: Option<(String, i64)>,
    /// The house answers on this machine only.
    pub local: bool,
    pub next_draft: Option<DraftLine>,
}
view!(StartPage, FilePage, LookingPage, CollectionPage, PreviewPage, RunPage);

/// A step of the way.
pub struct Step {
    pub label: &'static str,
    pub href: Option<String>,
    pub current: bool,
    pub done: bool,
}

/// The steps, `at` being the one that is shown, from 0.
pub fn steps(id: Option<&str>, at: usize) -> Vec<Step> {
    let labels = [
        "import.step.bring",
        "import.step.file",
        "import.step.collection",
        "import.step.preview",
        "import.step.done",
    ];
    let href = |n: usize| match (n, id) {
        (0, _) => Some("/import".to_owned()),
        (1, Some(id)) => Some(format!("/import/{id}")),
        (2, Some(id)) => Some(format!("/import/{id}/collection")),
        (3, Some(id)) => Some(format!("/import/{id}/preview")),
        _ => None,
    };
    let step = |(n, label): (usize, &'static str)| Step {
        label,
        href: href(n).filter(|_| n < at),
        current: n == at,
        done: n < at,
    };
    labels.into_iter().enumerate().map(step).collect()
}

/// A file that waits.
#[derive(Clone)]
pub struct DraftLine {
    pub id: String,
    pub file: String,
    pub bytes: i64,
    pub at: i64,
    pub days: i64,
}

impl DraftLine {
    pub fn of(draft: &Draft, days: i64) -> Self {
        Self {
            id: draft.row.id.clone(),
            file: draft.row.name.clone(),
            bytes: draft.row.bytes,
            at: draft.row.created_at,
            days,
        }
    }
}

/// An import that was.
pub struct RecentLine {
    pub job: String,
    pub label: String,
    pub created: i64,
    pub updated: i64,
    pub refused: i64,
    pub at: i64,
}

pub struct EarlierLine {
    pub job: String,
    pub type_name: String,
    pub at: i64,
}

/// A job as the pages tell it.
pub struct JobLine {
    pub id: String,
    pub ended: bool,
    pub cancelled: bool,
    pub progress: i64,
    pub total: i64,
    pub note: String,
    pub waits: Option<String>,
    pub error: Option<String>,
}

impl JobLine {
    pub fn of(job: &crate::kernel::jobs::Job) -> Self {
        use crate::kernel::jobs::State;
        // The code at the end of a stored error is for machines.
        let plain = |text: &String| match text.rsplit_once(" (") {
            Some((words, code)) if code.ends_with(')') && !code.contains(' ') => words.to_owned(),
            _ => text.clone(),
        };
        Self {
            id: job.id.clone(),
            ended: job.state.is_final(),
            cancelled: job.state == State::Cancelled,
            progress: job.progress.done,
            total: job.progress.total.unwrap_or(0),
            note: job.progress.note.clone(),
            waits: job.wait.as_ref().map(ToString::to_string),
            error: job.error.as_ref().map(plain),
        }
    }
}

/// Counts, refusals and changes of an import or a rehearsal.
#[derive(Default)]
pub struct ReportView {
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub refused: i64,
    pub refusals: Vec<RefusedRow>,
    pub more_refused: bool,
    pub changes: Vec<(ChangedRecord, Vec<Difference>)>,
    pub new_fields: String,
    /// What else to know, in sentences.
    pub notes: Vec<String>,
    pub new_type: bool,
    pub public: bool,
}

impl ReportView {
    pub fn of(report: ImportReport, language: Language) -> Self {
        let changes = report.changes.into_iter().map(|mut record| {
            let fields = std::mem::take(&mut record.fields);
            let fields = fields.into_iter().map(|f| Difference {
                label: match f.labels.get(language.tag()) {
                    Some(serde_json::Value::String(own)) => own.clone(),
                    _ => f.field,
                },
                before: f.before,
                after: f.after,
            });
            (record, fields.collect())
        });
        Self {
            created: report.created,
            updated: report.updated,
            unchanged: report.unchanged,
            refused: report.refused,
            more_refused: report.refused > report.refusals.len() as i64,
            refusals: report.refusals,
            changes: changes.collect(),
            new_fields: report.new_fields.join(", "),
            notes: report.notes,
            new_type: report.new_type,
            public: report.visibility == Level::Public,
        }
    }
}
