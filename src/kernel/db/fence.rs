//! A statement that stands before every write of a task and must touch a row, in the same transaction: whoever has lost
//! the right to go on writes nothing, and what was written is noted with it.

use std::sync::Arc;

use super::{Stmt, Tx};
use crate::kernel::error::{Error, Result};

/// See the module's text.
pub struct Fence {
    pub statement: Stmt,
    /// What a write answers that does not pass.
    pub closed: fn() -> Error,
}

tokio::task_local! {
    static FENCE: Arc<Fence>;
}

impl Fence {
    /// Runs `work`, each of whose writes passes this fence first. Tasks that it spawns are not behind it.
    pub async fn around<T>(self, work: impl Future<Output = T>) -> T {
        FENCE.scope(Arc::new(self), work).await
    }
}

/// Lets a transaction pass, where there is a fence.
pub(super) async fn pass(tx: &mut Tx<'_>) -> Result<()> {
    let Ok(fence) = FENCE.try_with(Arc::clone) else {
        return Ok(());
    };
    if fence.statement.clone().exec(tx).await? == 0 {
        return Err((fence.closed)());
    }
    Ok(())
}
