//! Notes on the start page: the first steps of whoever runs the house, which tick themselves, and a tour of the sample.
//! What is put away is kept in a cookie of this browser.

use axum::http::{HeaderMap, HeaderValue, header};

use super::super::store;
use super::Sources;
use super::home::EntrancePage;
use crate::contract::records::Records;
use crate::kernel::access::Level;
use crate::kernel::error::Result;

const COOKIE: &str = "notes";
const SECONDS: u32 = 31_536_000;
/// What can be put away or ticked.
const KNOWN: [&str; 3] = ["tour", "steps", "backup"];
/// A house with more types than this is no sample.
const SAMPLE_TYPES: usize = 4;

/// What a reader has put away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(Vec<&'static str>);

impl Notes {
    pub fn read(headers: &HeaderMap) -> Self {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
        let value = cookies
            .flat_map(|line| line.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='));
        let away = value.unwrap_or_default().split('.');
        Self(
            away.filter_map(|name| KNOWN.into_iter().find(|known| *known == name))
                .collect(),
        )
    }
    pub fn is_away(&self, name: &str) -> bool {
        self.0.contains(&name)
    }
    /// With one more put away; an unknown one changes nothing.
    pub fn without(mut self, name: &str) -> Self {
        if let Some(known) = KNOWN.into_iter().find(|known| *known == name)
            && !self.is_away(known)
        {
            self.0.push(known);
        }
        self
    }
    pub fn cookie(&self, secure: bool) -> Option<HeaderValue> {
        let secure = if secure { "; Secure" } else { "" };
        let line = format!(
            "{COOKIE}={}; Path=/; Max-Age={SECONDS}; HttpOnly; SameSite=Lax{secure}",
            self.0.join(".")
        );
        HeaderValue::from_str(&line).ok()
    }
}

/// The checklist of whoever runs the house.
pub struct Steps {
    pub steps: Vec<Step>,
    pub done: usize,
}

/// Keys of its texts: what to do, why, the words of the link.
pub struct Step {
    pub what: &'static str,
    pub help: &'static str,
    pub action: &'static str,
    pub href: &'static str,
    pub done: bool,
}

impl Sources {
    /// Adds the notes that belong on the page.
    pub(super) async fn annotate(&self, records: &dyn Records, notes: &Notes, home: &mut EntrancePage) -> Result<()> {
        let types = records.record_types().await?;
        let (mut own, mut samples) = (Vec::new(), 0);
        for stored in &types {
            if types.len() <= SAMPLE_TYPES && store::is_sample(&self.db, &stored.id).await? {
                samples += 1;
            } else {
                own.push(stored);
            }
        }
        home.tour = home.total > 0 && samples > 0 && own.is_empty() && !notes.is_away("tour");
        if !home.may_import || notes.is_away("steps") {
            return Ok(());
        }
        let public = own.iter().any(|stored| stored.definition.visibility == Level::Public);
        let steps = vec![
            Step {
                what: "home.do-import",
                help: "home.do-import-help",
                action: "home.do-import-action",
                href: "/import",
                done: store::has_imported(&self.db).await?,
            },
            Step {
                what: "home.do-look",
                help: "home.do-look-help",
                action: "home.do-look-action",
                href: "/types",
                done: store::has_looked(&self.db).await?,
            },
            Step {
                what: "home.do-open",
                help: "home.do-open-help",
                action: "home.do-open-action",
                href: "/docs/open",
                done: public,
            },
            Step {
                what: "home.do-backup",
                help: "home.do-backup-help",
                action: "home.do-backup-action",
                href: "/?hide=backup",
                done: notes.is_away("backup"),
            },
        ];
        home.steps = Some(Steps {
            done: steps.iter().filter(|step| step.done).count(),
            steps,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_away_stays_away() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; notes=tour.nonsense.<x>"));
        let notes = Notes::read(&headers).without("steps").without("steps").without("other");
        assert!(notes.is_away("tour") && notes.is_away("steps") && !notes.is_away("backup"));
        let cookie = notes.cookie(false).unwrap();
        assert!(cookie.to_str().unwrap().starts_with("notes=tour.steps; Path=/;"));
    }
}
