//! A row of an imported file as it was brought: the file is read again, the way the import has read it, up to that row.

use crate::contract::records::Original;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs;

use super::dina;
use super::model::{Import, Options};
use super::read::{self, Input};
use super::service::Service;
use super::store;

/// Reading further takes longer than a page may.
const FARTHEST: i64 = 500_000;

impl Service {
    /// See [`crate::contract::records::TypeKeeper::original`].
    pub(super) async fn original_row(&self, type_name: &str, blob: &str, row: i64) -> Result<Option<Original>> {
        let Some((job, options)) = store::import_of(&self.kernel.db, type_name, blob).await? else {
            return Ok(None);
        };
        if row > FARTHEST {
            return Err(Error::new(
                Code::TooLarge,
                format!("Row {row} stands too deep in its file to be read for a page. The file itself holds it."),
            ));
        }
        let options: Options = serde_json::from_str(&options)?;
        let taken = options.mapping.as_ref().map(|mapping| mapping.taken());
        // Jobs are forgotten after a while; the file is then read without its name.
        let file = match jobs::get(&self.kernel.db, &job).await {
            Ok(job) => serde_json::from_value::<Import>(job.payload)?.name,
            Err(error) if error.code() == Code::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let stream = match self.kernel.blobs.open(blob).await {
            Err(error) if error.code() == Code::NotFound => return Ok(None),
            other => other?,
        };
        let spool = self.spool.clone();
        let (name, limits) = (file.clone(), self.kernel.config.import.clone());
        let found = tokio::task::spawn_blocking(move || {
            let input = Input { stream, spool };
            let source = read::open(input, &name, options.format, &options.reading, &limits)?;
            let pieces = options.dina.is_some_and(|step| step.set == dina::Set::PhysicalObjects);
            let source = if pieces { dina::pieces(source) } else { source };
            for found in source {
                let found = found?;
                if found.row >= row {
                    return Ok(Some(found).filter(|found| found.row == row));
                }
            }
            Ok::<_, Error>(None)
        });
        let found = found.await.map_err(Error::internal)??;
        Ok(found.and_then(|found| {
            let values = found.content.ok()?;
            Some(Original {
                file,
                line: found.line,
                values,
                taken,
            })
        }))
    }
}
