//! `/health/live`, `/health/ready` and `/metrics`; and the checks of the database, its schema and the workers.
//!
//! Health is open to everybody, since balancers ask it; names of components and reasons are shown only to who may read
//! operations. Metrics always need that right: behind a proxy every caller seems to be on this machine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::extract::State as With;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use serde::Serialize;
use utoipa_axum::routes;

use super::{OPERATIONS_READ, Room};
use crate::kernel::access::{Caller, OPEN, Object};
use crate::kernel::db::{Db, Filter};
use crate::kernel::error::Result;
use crate::kernel::http::{Json, RouteSet, Routes};
use crate::kernel::jobs;
use crate::kernel::module::{Health, HealthCheck};
use crate::kernel::{process, telemetry};

/// A check that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(2);

pub(super) fn routes(room: Room) -> Routes {
    RouteSet::new()
        .route(OPEN, routes!(live))
        .route(OPEN, routes!(ready))
        .route(OPERATIONS_READ, routes!(metrics))
        .route(OPERATIONS_READ, routes!(modules))
        .with_state(room)
}

/// The checks every process makes.
pub(super) fn checks(db: &Db) -> Vec<Arc<dyn HealthCheck>> {
    vec![
        Arc::new(Database(db.clone())),
        Arc::new(Schema(db.clone())),
        Arc::new(Workers(db.clone())),
    ]
}

/// Whether the process answers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Live {
    /// `ok`.
    status: &'static str,
}

/// Whether the process can do its work.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Ready {
    /// `ready`, `starting` or `failed`.
    status: &'static str,
    /// Each component, for who may read operations.
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Vec<Component>>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Component {
    pub name: &'static str,
    #[serde(flatten)]
    pub health: Health,
    /// Milliseconds until it answered.
    pub took_ms: u64,
}

/// Answers as long as the process does.
#[utoipa::path(get, path = "/health/live", tag = "operations", responses((status = 200, body = Live)))]
async fn live() -> Json<Live> {
    Json(Live { status: "ok" })
}

/// 200 when every component works, else 503 until it does.
#[utoipa::path(get, path = "/health/ready", tag = "operations", responses((status = 200, body = Ready), (status = 503, body = Ready)))]
async fn ready(With(room): With<Room>, caller: Caller) -> Response {
    let components = look(&room).await;
    let failed = components.iter().any(|c| matches!(c.health, Health::Failed { .. }));
    let starting = components.iter().any(|c| matches!(c.health, Health::Starting { .. }));
    let status = if failed {
        "failed"
    } else if starting {
        "starting"
    } else {
        "ready"
    };
    // Where even this cannot be asked, nothing is shown.
    let may = room
        .kernel
        .access
        .check(&caller, OPERATIONS_READ, &Object::House)
        .await
        .unwrap_or(false);
    let code = if status == "ready" {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = Json(Ready {
        status,
        components: may.then_some(components),
    });
    (code, [(header::CACHE_CONTROL, "no-store")], body).into_response()
}

/// How every component is.
pub(super) async fn look(room: &Room) -> Vec<Component> {
    let checks = room.board.all();
    join_all(checks.iter().map(|check| async move {
        let asked = Instant::now();
        let health = tokio::time::timeout(LIMIT, check.check())
            .await
            .unwrap_or_else(|_| Health::Failed {
                reason: format!("It did not answer within {} s.", LIMIT.as_secs()),
            });
        Component {
            name: check.name(),
            health,
            took_ms: u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }))
    .await
}

/// A module of this process.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ModuleView {
    name: &'static str,
    /// The worst of its components: `ok`, `warning`, `starting` or `failed`.
    state: &'static str,
    /// What is not as it should be.
    reasons: Vec<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ModuleList {
    items: Vec<ModuleView>,
}

/// The modules of the process that answers, and how they are.
#[utoipa::path(get, path = "/api/modules", tag = "operations", responses((status = 200, body = ModuleList)))]
async fn modules(With(room): With<Room>) -> Json<ModuleList> {
    let components = look(&room).await;
    let view = |(name, checks): (&'static str, Vec<&'static str>)| {
        let mut state = (0, "ok");
        let mut reasons = Vec::new();
        for component in components.iter().filter(|c| checks.contains(&c.name)) {
            let (found, reason) = match &component.health {
                Health::Ok => continue,
                Health::Warning { reason } => ((1, "warning"), reason),
                Health::Starting { reason } => ((2, "starting"), reason),
                Health::Failed { reason } => ((3, "failed"), reason),
            };
            state = state.max(found);
            reasons.push(format!("{}: {reason}", component.name));
        }
        ModuleView {
            name,
            state: state.1,
            reasons,
        }
    };
    Json(ModuleList {
        items: room.board.modules().into_iter().map(view).collect(),
    })
}

/// What this process has measured, as text for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, content_type = "text/plain", body = String)))]
async fn metrics(With(room): With<Room>) -> Result<Response> {
    telemetry::measure(&room.kernel).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, telemetry::metrics_text()).into_response())
}

struct Database(Db);

#[async_trait]
impl HealthCheck for Database {
    fn name(&self) -> &'static str {
        "database"
    }
    async fn check(&self) -> Health {
        let asked: Result<Vec<(String,)>> = Filter::new("SELECT name FROM fact")
            .end("ORDER BY name", 1)
            .all(&self.0)
            .await;
        match asked {
            Ok(_) => Health::Ok,
            Err(error) => Health::Failed {
                reason: error.detail().to_owned(),
            },
        }
    }
}

struct Schema(Db);

#[async_trait]
impl HealthCheck for Schema {
    fn name(&self) -> &'static str {
        "migrations"
    }
    async fn check(&self) -> Health {
        match self.0.migrations().await {
            Ok(all) => match all.iter().filter(|m| !m.applied).count() {
                0 => Health::Ok,
                n => Health::Failed {
                    reason: format!("{n} migrations are not applied: app migrate latest"),
                },
            },
            Err(error) => Health::Failed {
                reason: error.detail().to_owned(),
            },
        }
    }
}

/// Does somebody run the jobs? Pages and searches work without, so it is a warning.
struct Workers(Db);

#[async_trait]
impl HealthCheck for Workers {
    fn name(&self) -> &'static str {
        "workers"
    }
    async fn check(&self) -> Health {
        let reason = match self.wrong().await {
            Ok(None) => return Health::Ok,
            Ok(Some(reason)) => reason,
            Err(error) => {
                return Health::Failed {
                    reason: error.detail().to_owned(),
                };
            }
        };
        Health::Warning { reason }
    }
}

impl Workers {
    /// What waits and would go on waiting, if anything does.
    async fn wrong(&self) -> Result<Option<String>> {
        let served = process::served_queues(&self.0).await?;
        let counts = jobs::counts(&self.0).await?;
        let unserved = counts.into_iter().map(|c| c.queue).find(|q| !served.queues.contains(q));
        if let Some(queue) = unserved {
            return Ok(Some(format!(
                "Jobs wait in the queue {queue}, which no living worker serves. app ps tells who lives and who pauses."
            )));
        }
        // What asks the search index is done by processes that are no workers.
        if served.queues.iter().all(|queue| queue == jobs::INDEX) {
            return Ok(Some("No living worker runs jobs.".to_owned()));
        }
        for queue in served.queues.iter().collect::<BTreeSet<_>>() {
            let kinds = jobs::front_kinds(&self.0, queue).await?;
            if let Some(kind) = kinds.into_iter().find(|kind| !served.knows(queue, kind)) {
                return Ok(Some(format!(
                    "Jobs of the kind {kind} wait, which no running program knows. Another version of it may: app jobs list --kind {kind}"
                )));
            }
        }
        Ok(None)
    }
}
