//! Wake-ups without payload: "the ledger grew", "a job is waiting". They may be lost, so every follower also looks by
//! itself now and then; in one process they arrive at the commit, across processes by `LISTEN/NOTIFY`.

use tokio::sync::watch;

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
    Orders = "orders" "A process was told to pause a role or to log otherwise.",
}

/// The local end of the wake-ups.
#[derive(Clone)]
pub struct Signals(std::sync::Arc<Vec<watch::Sender<u64>>>);

impl Signals {
    pub(super) fn new() -> Self {
        Self(std::sync::Arc::new(
            Signal::ALL.iter().map(|_| watch::channel(0).0).collect(),
        ))
    }
    /// Wakes local followers.
    pub fn raise(&self, signal: Signal) {
        self.0[signal as usize].send_modify(|n| *n = n.wrapping_add(1));
    }
    /// A receiver whose `changed()` resolves after the next signal. Subscribe first, then look, then wait.
    pub fn subscribe(&self, signal: Signal) -> watch::Receiver<u64> {
        self.0[signal as usize].subscribe()
    }
}
