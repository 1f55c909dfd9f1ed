//! Orders to running processes: pause a role, let it go on, log more or less. The page's forms and the API give the same.

use axum::extract::State as With;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::{OPERATIONS_MANAGE, OPERATIONS_READ, Room};
use crate::kernel::error::Result;
use crate::kernel::http::{Form, Json, Path, Query, RouteSet, Routes};
use crate::kernel::ui::Flash;
use crate::kernel::{process, telemetry};

pub(super) fn routes(room: Room) -> Routes {
    RouteSet::new()
        .route(OPERATIONS_MANAGE, routes!(stop))
        .route(OPERATIONS_MANAGE, routes!(start))
        .route(OPERATIONS_READ, routes!(level))
        .route(OPERATIONS_MANAGE, routes!(set_level))
        .page(OPERATIONS_MANAGE, Method::POST, "/operations/roles", post(by_form))
        .page(OPERATIONS_MANAGE, Method::POST, "/logs/level", post(level_by_form))
        .with_state(room)
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only the process with this id; without it every running one that has the role.
    #[serde(default)]
    process: Option<String>,
}

/// What a role was told.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Told {
    role: String,
    paused: bool,
    /// How many processes were told.
    processes: usize,
}

impl Room {
    /// Gives the order, and follows it here at once.
    async fn pause(&self, role: &str, which: Option<&str>, paused: bool) -> Result<usize> {
        let told = process::pause(&self.kernel.db, role, which, paused).await?;
        process::obey(&self.kernel.db, &self.kernel.process, &self.kernel.orders).await?;
        Ok(told)
    }

    async fn log_level(&self, level: &str) -> Result<u64> {
        let told = process::log_level(&self.kernel.db, level).await?;
        process::obey(&self.kernel.db, &self.kernel.process, &self.kernel.orders).await?;
        Ok(told)
    }
}

async fn tell(room: &Room, role: String, which: Which, paused: bool) -> Result<Json<Told>> {
    let processes = room.pause(&role, which.process.as_deref(), paused).await?;
    Ok(Json(Told {
        role,
        paused,
        processes,
    }))
}

/// Pauses a role (`web`, `worker` or `scheduler`) of running processes. Jobs that run are handed back and go on later;
/// a paused web answers health checks and the control socket only. A new start of the process ends the pause.
#[utoipa::path(
    post, path = "/api/roles/{role}/stop", tag = "operations", params(("role" = String, Path), Which),
    responses((status = 200, body = Told), (status = 404, description = "No running process has this role"))
)]
async fn stop(With(room): With<Room>, Path(role): Path<String>, Query(which): Query<Which>) -> Result<Json<Told>> {
    tell(&room, role, which, true).await
}

/// Lets a paused role go on.
#[utoipa::path(
    post, path = "/api/roles/{role}/start", tag = "operations", params(("role" = String, Path), Which),
    responses((status = 200, body = Told), (status = 404, description = "No running process has this role"))
)]
async fn start(With(room): With<Room>, Path(role): Path<String>, Query(which): Query<Which>) -> Result<Json<Told>> {
    tell(&room, role, which, false).await
}

/// How much is logged.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct LogLevel {
    /// A level such as `debug`, or levels of parts such as `info,vitrine::kernel::jobs=trace`. Empty: what the settings
    /// say.
    level: String,
}

fn level_now(room: &Room) -> LogLevel {
    LogLevel {
        level: telemetry::level().unwrap_or_else(|| room.kernel.config.log.level.clone()),
    }
}

/// How much the process that answers logs.
#[utoipa::path(get, path = "/api/log-level", tag = "operations", responses((status = 200, body = LogLevel)))]
async fn level(With(room): With<Room>) -> Json<LogLevel> {
    Json(level_now(&room))
}

/// Makes every running process log more or less, until it is started anew.
#[utoipa::path(
    post, path = "/api/log-level", tag = "operations", request_body = LogLevel,
    responses((status = 200, body = LogLevel), (status = 422, description = "It is no level"))
)]
async fn set_level(With(room): With<Room>, Json(wanted): Json<LogLevel>) -> Result<Json<LogLevel>> {
    room.log_level(wanted.level.trim()).await?;
    Ok(Json(level_now(&room)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleForm {
    role: String,
    process: String,
    paused: bool,
}

async fn by_form(With(room): With<Room>, Form(form): Form<RoleForm>) -> Result<Response> {
    room.pause(&form.role, Some(&form.process), form.paused).await?;
    let said = if form.paused {
        "toast.role-paused"
    } else {
        "toast.role-resumed"
    };
    Ok((Flash::new(said).about(&form.role), to("/operations")).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelForm {
    level: String,
}

async fn level_by_form(With(room): With<Room>, Form(form): Form<LevelForm>) -> Result<Response> {
    room.log_level(form.level.trim()).await?;
    Ok((
        Flash::new("toast.log-level").about(&level_now(&room).level),
        to("/logs"),
    )
        .into_response())
}

fn to(place: &'static str) -> impl IntoResponse {
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)])
}
