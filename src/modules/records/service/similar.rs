//! Records much like one: found by the index under the caller's view, shown as everywhere, cut to what they may see.

use super::Service;
use super::read::Seen;
use crate::contract::records::RECORDS_READ;
use crate::kernel::access::Caller;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ledger;
use crate::kernel::search::{Like, Search};

/// How often it is asked again because rights changed while it was answered.
const TRIES: usize = 5;

impl Service {
    /// Records much like one, the most alike first.
    ///
    /// # Errors
    /// `NotFound` and `Gone` as for the record itself; `Unavailable` where no index answers.
    pub async fn similar(&self, search: &Search, caller: &Caller, id: &str, limit: usize) -> Result<Vec<Seen>> {
        self.look_live(caller, id).await?;
        for _ in 0..TRIES {
            let visibility = self.access.filter(caller, RECORDS_READ).await?;
            let like = Like {
                kind: ledger::RECORD.to_owned(),
                id: id.to_owned(),
                limit,
                visibility: visibility.clone(),
            };
            let ids = search.similar(like).await?;
            if self.access.filter(caller, RECORDS_READ).await? == visibility {
                return self.those_seen(caller, &ids).await;
            }
        }
        Err(Error::new(
            Code::Busy,
            "Your rights change right now. Ask again in a moment.",
        ))
    }

    /// Those of these records that are there for the caller, in their order.
    async fn those_seen(&self, caller: &Caller, ids: &[String]) -> Result<Vec<Seen>> {
        let mut seen = Vec::with_capacity(ids.len());
        for id in ids {
            match self.read(caller, id).await {
                Ok(one) => seen.push(one),
                // Deleted or closed since the index read it.
                Err(error) if matches!(error.code(), Code::NotFound | Code::Gone) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(seen)
    }
}
