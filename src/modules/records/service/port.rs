//! The port of the module, for the others.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::restore::Undoing;
use super::trees::Step;
use super::{Because, Service};
use crate::contract::records::{
    ImportBatch, Inference, Record, RecordType, Records, RowOutcome, Sight, StoredType, TypeKeeper,
};
use crate::contract::undo::{Insist, Prospect, Restoration};
use crate::kernel::access::{Caller, Level};
use crate::kernel::blobs::Holder;
use crate::kernel::db::Tx;
use crate::kernel::error::{Code, FieldIssue, Result};
use crate::kernel::ledger::Position;
use crate::modules::records::infer;
use crate::modules::records::model::{patch, settle, shape, validate};
use crate::modules::records::store;

#[async_trait]
impl Records for Service {
    async fn record_type(&self, name: &str) -> Result<Option<Arc<StoredType>>> {
        self.find_type(name).await
    }
    async fn record_types(&self) -> Result<Vec<Arc<StoredType>>> {
        self.all_types().await
    }
    async fn put_type(&self, tx: &mut Tx<'_>, set_id: &str, definition: &RecordType) -> Result<StoredType> {
        Ok(self.put_type_in(tx, set_id, definition).await?.stored)
    }
    async fn identify(&self, definition: &RecordType, go_on: &(dyn Fn() -> Result<()> + Send + Sync)) -> Result<()> {
        Service::identify(self, definition, go_on).await
    }
    fn shipped_type(&self, name: &str) -> Option<RecordType> {
        super::shipped().iter().find(|t| t.name == name).cloned()
    }
    fn infer(&self, name: &str, key: Option<&str>, cells: bool) -> Box<dyn Inference> {
        infer::infer(name, key, cells)
    }
    fn validate(&self, definition: &RecordType, document: &Map<String, Value>) -> Vec<FieldIssue> {
        validate::validate(definition, &settle::settled(&definition.fields, document))
    }
    async fn import(&self, tx: &mut Tx<'_>, batch: &ImportBatch) -> Result<(Vec<RowOutcome>, Option<Position>)> {
        self.import_in(tx, batch).await
    }
    async fn delete_many(&self, tx: &mut Tx<'_>, set_id: &str, ids: &[String]) -> Result<i64> {
        self.delete_in(tx, set_id, ids).await
    }
    async fn restore_versions(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        set_id: &str,
        of: &str,
        entities: &[String],
        insist: Insist,
    ) -> Result<Vec<Restoration>> {
        let undoing = Undoing {
            caller,
            set_id,
            of,
            insist,
        };
        self.restore_in(tx, &undoing, entities).await
    }
    async fn prospect(&self, seen_by: Option<&Caller>, set_id: &str) -> Result<Prospect> {
        self.prospect_of(seen_by, set_id).await
    }
    async fn remove_type(&self, caller: &Caller, name: &str) -> Result<String> {
        let why = Because {
            caller,
            reason: "",
            channel: "job",
        };
        Service::remove_type(self, &why, name, name).await
    }
    fn keep_types(&self, keeper: Arc<dyn TypeKeeper>) {
        self.keepers.lock().unwrap_or_else(PoisonError::into_inner).push(keeper);
    }
    async fn sights(&self, caller: &Caller, ids: &[String]) -> Result<Vec<Sight>> {
        self.see(caller, ids).await
    }
    async fn page(&self, caller: &Caller, type_name: &str, after: Option<&str>, limit: i64) -> Result<Vec<Record>> {
        self.page_whole(caller, type_name, after, limit).await
    }
    async fn get_many(&self, caller: &Caller, ids: &[String]) -> Result<Vec<Record>> {
        self.whole(caller, ids).await
    }
    fn cut(&self, definition: &RecordType, level: Level, document: Map<String, Value>) -> Map<String, Value> {
        shape::cut(&definition.fields, level, document)
    }
    fn changed_paths(&self, before: &Map<String, Value>, after: &Map<String, Value>, limit: usize) -> Vec<String> {
        patch::changed_paths(before, after, limit)
    }
    fn image(&self, definition: &RecordType, document: &Map<String, Value>) -> Option<String> {
        shape::image(definition, document).map(str::to_owned)
    }
    async fn paths(&self, caller: &Caller, ids: &[String]) -> Result<HashMap<String, Vec<(String, String)>>> {
        let paths = self.paths_of(caller, ids).await?;
        let plain = |path: Vec<Step>| path.into_iter().map(|step| (step.id, step.title)).collect();
        Ok(paths.into_iter().map(|(id, path)| (id, plain(path))).collect())
    }
    async fn twigs(
        &self,
        caller: &Caller,
        type_name: &str,
        under: Option<&str>,
        limit: i64,
    ) -> Result<(Vec<(String, String)>, bool)> {
        match self.branch(caller, type_name, under, None, limit).await {
            Ok(branch) => {
                let twigs = branch.twigs.into_iter().map(|twig| (twig.id, twig.title));
                Ok((twigs.collect(), branch.next.is_some()))
            }
            Err(error) if matches!(error.code(), Code::NotFound | Code::Gone) => Ok((Vec::new(), false)),
            Err(error) => Err(error),
        }
    }
    fn title(&self, definition: &RecordType, document: &Map<String, Value>) -> String {
        shape::title(definition, document)
    }
}

#[async_trait]
impl Holder for Service {
    fn name(&self) -> &'static str {
        "records"
    }
    async fn holds(&self, ids: &[String]) -> Result<Vec<String>> {
        store::sources_among(&self.db, ids).await
    }
}
