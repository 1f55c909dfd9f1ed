//! Wake-ups without payload: "the ledger grew", "a job is waiting". They may be lost, so every follower also looks by
//! itself now and then; in one process they arrive at the commit, across processes by `LISTEN/NOTIFY`.

use std::sync::Arc;

use tokio::sync::{broadcast, watch};

macro_rules! signals {
    ($($variant:ident = $name:literal $doc:literal),+ $(,)?) => {
        /// What happened, without saying to whom.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Signal { $(#[doc = $doc] $variant),+ }
        impl Signal {
            pub(super) const ALL: &'static [Signal] = &[$(Signal::$variant),+];
            /// The word that travels in a notification.
            pub(super) fn name(self) -> &'static str { match self { $(Signal::$variant => $name),+ } }
            pub(super) fn parse(name: &str) -> Option<Self> { Self::ALL.iter().copied().find(|s| s.name() == name) }
        }
    };
}
signals! {
    Ledger = "ledger" "A change set grew: followers read on.",
    Jobs = "jobs" "A job was queued or became ready.",
    Progress = "progress" "A job moved on, ended or was asked to stop.",
    Access = "access" "Rights or tokens changed.",
    Promoted = "promoted" "What is shown first for some words changed.",
    Orders = "orders" "A process was told to pause a role or to log otherwise.",
}

/// Names that may wait for a slow listener, which then hears that it missed some.
const EXPECTED: usize = 64;

/// The local end of the wake-ups.
#[derive(Clone)]
pub struct Signals {
    raised: Arc<Vec<watch::Sender<u64>>>,
    expected: broadcast::Sender<Arc<str>>,
}

impl Signals {
    pub(super) fn new() -> Self {
        Self {
            raised: Arc::new(Signal::ALL.iter().map(|_| watch::channel(0).0).collect()),
            expected: broadcast::channel(EXPECTED).0,
        }
    }
    /// Wakes local followers.
    pub fn raise(&self, signal: Signal) {
        self.raised[signal as usize].send_modify(|n| *n = n.wrapping_add(1));
    }
    /// A receiver whose `changed()` resolves after the next signal. Subscribe first, then look, then wait.
    pub fn subscribe(&self, signal: Signal) -> watch::Receiver<u64> {
        self.raised[signal as usize].subscribe()
    }
    /// Tells who listens in this process that something comes for the queue of this name.
    pub(super) fn expect(&self, queue: &str) {
        if self.expected.receiver_count() > 0 {
            // Whoever listened a moment ago may have gone.
            let _ = self.expected.send(queue.into());
        }
    }
    /// The names of queues for which something comes, heard as early as [`Tx::expect`](super::Tx::expect) says.
    pub fn expected(&self) -> broadcast::Receiver<Arc<str>> {
        self.expected.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use crate::both;
    use crate::kernel::db::{Engine, Write};
    use crate::kernel::error::{Code, Error};
    use crate::kernel::testing::TestDb;

    /// On SQLite workers hear while it is made, so that their claim is committed with it; on PostgreSQL when it is there.
    async fn workers_expect_what_is_made_for_them(db: TestDb) {
        let mut heard = db.signals().expected();
        let early = db
            .write(Write::interactive("test"), |tx| {
                let mut heard = db.signals().expected();
                Box::pin(async move {
                    tx.expect("loans");
                    Ok(heard.try_recv().is_ok())
                })
            })
            .await
            .unwrap();
        assert_eq!(early, db.engine() == Engine::Sqlite);
        assert_eq!(&*heard.recv().await.unwrap(), "loans");
        let failed = db.write(Write::interactive("test"), |tx| {
            Box::pin(async move {
                tx.expect("loans");
                Err::<(), _>(Error::new(Code::Conflict, "No."))
            })
        });
        failed.await.unwrap_err();
        assert_eq!(heard.try_recv().is_ok(), db.engine() == Engine::Sqlite);
    }
    both!(workers_expect_what_is_made_for_them);
}
