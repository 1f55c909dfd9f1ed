//! The running app: starts what the roles ask for and ends it in order.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use super::{App, Roles};
use crate::kernel::blobs;
use crate::kernel::bus::Bus;
use crate::kernel::control::{self, Asked, ControlSocket};
use crate::kernel::db::Engine;
use crate::kernel::error::Result;
use crate::kernel::http::{self, Routes, Setup, SitemapSource, Web};
use crate::kernel::jobs::{self, JobHandler, Worker, WorkerOptions};
use crate::kernel::process::{self, Registration, SCHEDULER, WORKER, Watermark};
use crate::kernel::schedule::{self, Schedule};
use crate::kernel::{Kernel, program, telemetry};

/// The least time between two snapshots of the search index.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(3_600);

/// What runs in the background of a started app.
pub struct Running {
    pub kernel: Kernel,
    pub roles: Roles,
    /// Where the web listens, if it does.
    pub address: Option<SocketAddr>,
    /// The control socket.
    pub socket: PathBuf,
    /// The ports of the modules.
    pub bus: Arc<Bus>,
    tasks: TaskTracker,
}

impl App {
    /// The web as these modules make it, for the network and the control socket alike.
    ///
    /// # Errors
    /// Two routes at one place.
    pub fn web(&self) -> Result<Web> {
        let routes = self
            .modules
            .iter()
            .fold(Routes::new(), |routes, module| routes.merge(module.routes()));
        let mut navigation: Vec<_> = self.modules.iter().flat_map(|module| module.navigation()).collect();
        navigation.sort_by_key(|entry| entry.order);
        let sitemap = self.bus.find::<dyn SitemapSource>();
        routes.into_router(Setup {
            kernel: self.kernel.clone(),
            navigation,
            sitemap,
        })
    }

    /// Starts the roles and the control socket.
    ///
    /// # Errors
    /// A control socket that cannot be opened; modules that do not fit together.
    pub async fn start(self) -> Result<Running> {
        let web = self.web()?;
        let tasks = TaskTracker::new();
        self.start_search(&tasks);
        let (mut queues, mut kinds) = self.start_worker(&tasks)?;
        if self.answers_alone(&queues) {
            kinds = self.start_beside_index(&tasks)?;
            queues.push(jobs::INDEX.to_owned());
        }
        self.start_scheduler(&tasks);
        self.start_beating(&tasks, queues, kinds);
        let Self {
            kernel,
            roles,
            listener,
            bus,
            ..
        } = self;
        let address = listener.as_ref().map(tokio::net::TcpListener::local_addr).transpose()?;
        tasks.spawn(telemetry::upkeep(kernel.clone()));
        let control = ControlSocket::bind(&kernel.data.run()?, &kernel.process).await?;
        let socket = control.path().to_owned();
        let (local, stop) = (http::local(web.router.clone()), kernel.stop.clone());
        tasks.spawn(async move {
            let (listener, _file) = control.into_parts();
            told(http::serve(listener, local, stop).await);
        });
        if let Some(listener) = listener {
            let stop = kernel.stop.clone();
            tasks.spawn(async move { told(http::serve(listener, web.router, stop).await) });
        }
        info!(
            version = program::VERSION,
            commit = program::COMMIT,
            roles = roles.names(),
            "started"
        );
        Ok(Running {
            kernel,
            roles,
            address,
            socket,
            bus,
            tasks,
        })
    }
}

impl App {
    /// Follows the ledger into this process's index, where it keeps one.
    fn start_search(&self, tasks: &TaskTracker) {
        let kernel = &self.kernel;
        let sources = self.modules.iter().flat_map(|module| module.index_sources()).collect();
        if kernel.db.engine() == Engine::Postgres {
            // Where there can be many processes, a new one need not read everything.
            kernel.search.keep_snapshots(kernel.blobs.clone(), SNAPSHOT_EVERY);
        }
        if let Some(following) = kernel.search.start(sources, &kernel.db, kernel.stop.clone()) {
            tasks.spawn(async move {
                if let Err(error) = following.await {
                    error!(%error, "the search index is no longer followed");
                }
            });
        }
    }

    /// Works off the queues, where this process has the role. Answers which ones, and the kinds of jobs it can run.
    fn start_worker(&self, tasks: &TaskTracker) -> Result<(Vec<String>, Vec<String>)> {
        if !self.roles.worker {
            return Ok(Default::default());
        }
        let kernel = &self.kernel;
        let options = WorkerOptions::from_config(&kernel.config);
        let queues = options.queues.clone();
        // Made at once, so that modules that do not fit together are told of at the start.
        let first = Worker::new(&kernel.db, &kernel.process, self.handlers(), options.clone())?;
        let kinds = first.kinds().into_iter().map(str::to_owned).collect();
        let mut first = Some(first);
        let (kernel, handlers) = (kernel.clone(), self.handlers());
        tasks.spawn(async move {
            let work = kernel.orders.work(WORKER, &kernel.stop, |stop| {
                // A worker runs once: after a pause there is a new one.
                let worker = first.take().map_or_else(
                    || Worker::new(&kernel.db, &kernel.process, handlers.clone(), options.clone()),
                    Ok,
                );
                async move {
                    match worker {
                        Ok(worker) => worker.run(stop).await,
                        Err(error) => error!(?error, "no worker runs"),
                    }
                }
            });
            work.await;
        });
        Ok((queues, kinds))
    }

    /// Whether jobs that ask the index would find nobody here although this process keeps one: its worker serves other
    /// queues, or it has none while workers elsewhere keep no index.
    fn answers_alone(&self, queues: &[String]) -> bool {
        let elsewhere = self.roles.worker || self.kernel.db.engine() == Engine::Postgres;
        self.roles.web && elsewhere && !queues.iter().any(|queue| queue == jobs::INDEX)
    }

    /// Works off what asks the index, one job at a time, beside what else this process does. Answers the kinds of jobs.
    fn start_beside_index(&self, tasks: &TaskTracker) -> Result<Vec<String>> {
        let kernel = &self.kernel;
        let options = WorkerOptions {
            queues: vec![jobs::INDEX.to_owned()],
            concurrency: 1,
            limits: Default::default(),
            ..WorkerOptions::from_config(&kernel.config)
        };
        let worker = Worker::new(&kernel.db, &kernel.process, self.handlers(), options)?;
        let kinds = worker.kinds().into_iter().map(str::to_owned).collect();
        let stop = kernel.stop.clone();
        tasks.spawn(async move { worker.run(stop).await });
        Ok(kinds)
    }

    /// Every job handler of the modules, of the bus and of the kernel.
    pub fn handlers(&self) -> Vec<JobHandler> {
        let mut handlers = self.bus.handlers();
        handlers.push(blobs::handler(&self.kernel.blobs, &self.kernel.db));
        handlers.extend(self.modules.iter().flat_map(|module| module.jobs()));
        handlers
    }

    /// Every schedule of the modules and of the kernel.
    pub fn schedules(&self) -> Vec<Schedule> {
        let modules = self.modules.iter().flat_map(|module| module.schedules());
        modules.chain([blobs::schedule()]).collect()
    }

    fn start_scheduler(&self, tasks: &TaskTracker) {
        if self.roles.scheduler {
            let kernel = &self.kernel;
            let (kernel, schedules) = (kernel.clone(), self.schedules());
            tasks.spawn(async move {
                let start = |stop| schedule::run(kernel.db.clone(), schedules.clone(), stop);
                kernel.orders.work(SCHEDULER, &kernel.stop, start).await;
            });
        }
    }

    /// Keeps this process's line in the registry, with how far its index is.
    fn start_beating(&self, tasks: &TaskTracker, queues: Vec<String>, kinds: Vec<String>) {
        let kernel = &self.kernel;
        let mut roles: Vec<String> = self
            .roles
            .names()
            .split(',')
            .filter(|r| !r.is_empty())
            .map(str::to_owned)
            .collect();
        if roles.is_empty() {
            roles.push("cli".to_owned());
        }
        let me = Registration {
            id: kernel.process.clone(),
            roles,
            queues,
            kinds,
        };
        let watermark = Watermark::default();
        if let Some(mut positions) = kernel.search.positions() {
            let (watermark, stop) = (watermark.clone(), kernel.stop.clone());
            tasks.spawn(async move {
                while stop
                    .run_until_cancelled(positions.changed())
                    .await
                    .is_some_and(|seen| seen.is_ok())
                {
                    watermark.set(*positions.borrow_and_update());
                }
            });
        }
        tasks.spawn(process::run(
            kernel.db.clone(),
            me,
            watermark,
            kernel.orders.clone(),
            kernel.stop.clone(),
        ));
    }
}

fn told(outcome: Result<()>) {
    if let Err(error) = outcome {
        error!(?error, "the server ended");
    }
}

impl Running {
    /// Runs until somebody asks the process to end, then ends in order.
    pub async fn until(self, mut asked: Asked) {
        control::notify("READY=1");
        let signal = asked.wait().await;
        info!(signal, "stopping");
        control::notify("STOPPING=1");
        self.stop().await;
    }

    /// Stops accepting and claiming, waits for what runs up to the limit, closes the database.
    pub async fn stop(self) {
        self.kernel.stop.cancel();
        self.tasks.close();
        // The workers keep their own limit and hand jobs back at its end; this one is for whoever does not.
        let limit = Duration::from_secs(self.kernel.config.jobs.stop_seconds + 5);
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_err() {
            warn!(
                tasks = self.tasks.len(),
                "some work did not end in time and is left behind"
            );
        }
        self.kernel.db.close().await;
        info!("stopped");
    }
}
