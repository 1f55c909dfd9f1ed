//! What a module is to the house.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;

use super::Kernel;
use super::access::Permission;
use super::bus::Bus;
use super::error::Result;
use super::http::Routes;
use super::jobs::JobHandler;
use super::schedule::Schedule;
use super::search::IndexSource;

/// An entry of the main navigation.
#[derive(Clone, Copy, Debug)]
pub struct NavEntry {
    /// Key of its label in the locale files.
    pub label: &'static str,
    pub href: &'static str,
    /// Shown to whom this permits.
    pub permission: Permission,
    /// Smaller comes first, and says where it stands: see [`NavEntry::place`].
    pub order: u16,
}

/// Where in the header an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NavPlace {
    /// In the line, for everybody.
    Line,
    /// In the menu of those who look after the house.
    House,
    /// In the menu of one's own account.
    Account,
}

impl NavEntry {
    /// By its order: from 50 the menu of the house, from 90 the end of the line, from 100 one's own account.
    pub fn place(&self) -> NavPlace {
        match self.order {
            50..90 => NavPlace::House,
            100.. => NavPlace::Account,
            _ => NavPlace::Line,
        }
    }
}

/// How a component is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Health {
    Ok,
    /// Works, but somebody should look.
    Warning {
        reason: String,
    },
    /// Catching up or starting: not ready yet.
    Starting {
        reason: String,
    },
    Failed {
        reason: String,
    },
}

/// One component's state, asked by `/health/ready` and `app doctor`.
#[async_trait]
pub trait HealthCheck: Send + Sync {
    fn name(&self) -> &'static str;
    async fn check(&self) -> Health;
}

/// Every component's check, in the order they were added, and whose it is. Offered on the bus before the modules are wired
/// and filled after it: by the modules and by the parts of the kernel that this process runs.
#[derive(Default)]
pub struct HealthBoard(RwLock<Board>);

#[derive(Default)]
struct Board {
    checks: Vec<Arc<dyn HealthCheck>>,
    /// Each module with the names of its checks.
    modules: Vec<(&'static str, Vec<&'static str>)>,
}

impl HealthBoard {
    pub fn add(&self, checks: impl IntoIterator<Item = Arc<dyn HealthCheck>>) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .checks
            .extend(checks);
    }
    pub fn add_module(&self, module: &dyn Module) {
        let checks = module.health();
        let names = checks.iter().map(|check| check.name()).collect();
        let mut board = self.0.write().unwrap_or_else(PoisonError::into_inner);
        board.modules.push((module.name(), names));
        board.checks.extend(checks);
    }
    pub fn all(&self) -> Vec<Arc<dyn HealthCheck>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).checks.clone()
    }
    /// The modules of this process with the names of their checks.
    pub fn modules(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).modules.clone()
    }
}

/// One module. Everything but the name is optional.
pub trait Module: Send + Sync + 'static {
    fn name(&self) -> &'static str;
    /// JSON routes and pages, each with its permission.
    fn routes(&self) -> Routes {
        Routes::new()
    }
    fn jobs(&self) -> Vec<JobHandler> {
        Vec::new()
    }
    fn schedules(&self) -> Vec<Schedule> {
        Vec::new()
    }
    /// What of this module the search index holds.
    fn index_sources(&self) -> Vec<Arc<dyn IndexSource>> {
        Vec::new()
    }
    /// Every permission the module's routes and services ask for.
    fn permissions(&self) -> &'static [Permission] {
        &[]
    }
    fn navigation(&self) -> Vec<NavEntry> {
        Vec::new()
    }
    fn health(&self) -> Vec<Arc<dyn HealthCheck>> {
        Vec::new()
    }
}

/// Builds a module and offers its ports. Modules are wired in the order of `app.rs` and ask only for ports of earlier ones.
pub type Wire = fn(&Kernel, &mut Bus) -> Result<Box<dyn Module>>;
