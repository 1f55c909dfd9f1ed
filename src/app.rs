//! The composition root: the only file that names every module. Builds the kernel and the modules for the chosen roles.

mod running;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::kernel::access::Access;
use crate::kernel::blobs::Blobs;
use crate::kernel::bus::Bus;
use crate::kernel::clock::Clock;
use crate::kernel::config::{Config, listen_address};
use crate::kernel::data::DataDir;
use crate::kernel::db::{Db, Options};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::new_id;
use crate::kernel::module::{HealthBoard, Module, Wire};
use crate::kernel::process::Orders;
use crate::kernel::search::Search;
use crate::kernel::{Kernel, health, program, telemetry};

pub use running::Running;

/// Every module of this build, in the order in which they are wired: each asks only for ports of those above it.
const MODULES: &[Wire] = &[
    #[cfg(feature = "access")]
    crate::modules::access::wire,
    #[cfg(feature = "messages")]
    crate::modules::messages::wire,
    #[cfg(feature = "accounts")]
    crate::modules::accounts::wire,
    #[cfg(feature = "records")]
    crate::modules::records::wire,
    #[cfg(feature = "operations")]
    crate::modules::operations::wire,
    #[cfg(feature = "history")]
    crate::modules::history::wire,
    #[cfg(feature = "exchange")]
    crate::modules::exchange::wire,
    #[cfg(feature = "search")]
    crate::modules::search::wire,
    #[cfg(feature = "entrance")]
    crate::modules::entrance::wire,
    #[cfg(feature = "docs")]
    crate::modules::docs::wire,
];

/// What this process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Answers requests over the network.
    pub web: bool,
    /// Runs jobs.
    pub worker: bool,
    /// Makes jobs when they are due.
    pub scheduler: bool,
}

impl Roles {
    pub const ALL: Self = Self {
        web: true,
        worker: true,
        scheduler: true,
    };

    /// `web,worker`
    pub fn names(self) -> String {
        let names = [
            (self.web, "web"),
            (self.worker, "worker"),
            (self.scheduler, "scheduler"),
        ];
        names
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, name)| *name)
            .collect::<Vec<_>>()
            .join(",")
    }
}

/// How to build an [`App`].
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub roles: Roles,
    /// Apply pending migrations on PostgreSQL too; SQLite does so by itself.
    pub migrate: bool,
    /// Keep a search index without the web role: a command line that is alone.
    pub index: bool,
    pub clock: Clock,
}

/// Kernel and modules, wired and not yet running.
pub struct App {
    pub kernel: Kernel,
    pub bus: Arc<Bus>,
    pub roles: Roles,
    modules: Vec<Box<dyn Module>>,
    listener: Option<TcpListener>,
}

impl App {
    /// Opens everything and wires the modules.
    ///
    /// # Errors
    /// Unsafe settings, a data folder in use, a taken port, a database that does not answer or does not fit.
    pub async fn build(mut config: Config, plan: Plan) -> Result<Self> {
        config.check()?;
        telemetry::start_metrics();
        let data = DataDir::open(&config.data.dir, !config.database.is_shared())?;
        config.data.dir = data.root().to_owned();
        telemetry::keep_logs(data.folder("logs")?, config.log.keep_bytes)?;
        telemetry::traces::send_from_here();
        // Bound before anything slow, so that a taken port is told at once; and port 0 is known when modules are wired.
        let listener = if plan.roles.web {
            Some(listen(&config.http.bind).await?)
        } else {
            None
        };
        let address = match &listener {
            Some(listener) => Some(listener.local_addr()?),
            None => listen_address(&config.http.bind),
        };
        if config.http.public_url.is_empty() {
            config.http.public_url = format!("http://localhost:{}", address.map_or(8080, |a| a.port()));
        }
        let options = Options {
            readers: config.database.connections,
            ..Options::default()
        };
        let db = Db::open(&config.database.url, data.root(), plan.clock.clone(), options).await?;
        program::admit(&db, plan.migrate).await?;
        let search = if plan.roles.web || plan.index {
            Search::open(data.root(), &config.search, plan.clock.clone())?
        } else {
            Search::default()
        };
        let kernel = Kernel {
            blobs: Blobs::local(data.folder("blobs")?)?,
            config: Arc::new(config),
            data: Arc::new(data),
            db,
            clock: plan.clock,
            search,
            access: Access::default(),
            stop: CancellationToken::new(),
            process: new_id().into(),
            orders: Orders::default(),
        };
        Search::hold_snapshots(&kernel.blobs, &kernel.db);
        let mut bus = Bus::default();
        let board = Arc::new(HealthBoard::default());
        bus.provide::<HealthBoard>(board.clone())?;
        let modules = MODULES
            .iter()
            .map(|wire| wire(&kernel, &mut bus))
            .collect::<Result<Vec<_>>>()?;
        board.add(health::checks(&kernel));
        for module in &modules {
            board.add_module(&**module);
        }
        Ok(Self {
            kernel,
            bus: Arc::new(bus),
            roles: plan.roles,
            modules,
            listener,
        })
    }

    /// The modules of this build, in the order in which they were wired.
    pub fn modules(&self) -> &[Box<dyn Module>] {
        &self.modules
    }

    /// Closes what was opened, for an app that is not started.
    pub async fn close(self) {
        self.kernel.stop.cancel();
        self.kernel.db.close().await;
    }
}

async fn listen(bind: &str) -> Result<TcpListener> {
    let address: SocketAddr = listen_address(bind)
        .ok_or_else(|| Error::invalid("http.bind", format!("\"{bind}\" is not an address with a port")))?;
    TcpListener::bind(address).await.map_err(|e| {
        let why = match e.kind() {
            std::io::ErrorKind::AddrInUse => "is taken by another program".to_owned(),
            std::io::ErrorKind::AddrNotAvailable => "is not an address of this machine".to_owned(),
            std::io::ErrorKind::PermissionDenied => {
                "may not be used by this user (ports below 1024 need more rights)".to_owned()
            }
            _ => format!("cannot be listened on: {e}"),
        };
        let text =
            format!("The address {address} {why}. Choose another one with --bind, APP__HTTP__BIND or http.bind.");
        Error::new(Code::Unavailable, text).caused_by(e)
    })
}
