//! Routes: each with its permission, JSON routes also in OpenAPI. The one place that fills an axum router.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use bytes::Bytes;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, OpenApi, RefOr, Schema};
use utoipa_axum::router::UtoipaMethodRouter;

use super::context::{Context, Setup};
use super::stack::{self, Gate, Load};
use super::{csrf, problem, site};
use crate::kernel::access::Permission;
use crate::kernel::error::{Error, Result};

/// One route as guards and the permission table see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteFact {
    pub method: Method,
    pub path: String,
    pub permission: Permission,
    pub in_openapi: bool,
}

struct Entry<S> {
    permission: Permission,
    load: Load,
    /// The operations, for JSON routes.
    paths: Option<Paths>,
    schemas: Vec<(String, RefOr<Schema>)>,
    /// Method and path of each operation or page.
    places: Vec<(Method, String)>,
    router: MethodRouter<S>,
}

/// Routes that share a state. `RouteSet::new().route(READ, routes!(list)).with_state(service)`.
pub struct RouteSet<S = ()>(Vec<Entry<S>>);

impl<S: Clone + Send + Sync + 'static> Default for RouteSet<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Clone + Send + Sync + 'static> RouteSet<S> {
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// JSON operations, for whoever holds the permission. `Idempotency-Key` works on them without their doing.
    #[must_use]
    pub fn route(self, permission: Permission, routes: UtoipaMethodRouter<S>) -> Self {
        self.operations(permission, Load::Ordinary, routes)
    }

    /// As [`RouteSet::route`] for large bodies that are read as they come: the larger limit, no time limit for the
    /// whole (only between two pieces), no `Idempotency-Key`.
    #[must_use]
    pub fn upload(self, permission: Permission, routes: UtoipaMethodRouter<S>) -> Self {
        self.operations(permission, Load::Upload, routes)
    }

    fn operations(mut self, permission: Permission, load: Load, routes: UtoipaMethodRouter<S>) -> Self {
        let (schemas, mut paths, router) = routes;
        let mut places = Vec::new();
        for (path, item) in &mut paths.paths {
            for (method, operation) in operations_of(item) {
                operation
                    .extensions
                    .get_or_insert_default()
                    .insert("x-permission".to_owned(), serde_json::Value::from(permission.0));
                places.push((method, path.clone()));
            }
        }
        self.0.push(Entry {
            permission,
            load,
            paths: Some(paths),
            schemas,
            places,
            router,
        });
        self
    }

    /// A page or an asset: in the permission table only.
    #[must_use]
    pub fn page(self, permission: Permission, method: Method, path: &str, router: MethodRouter<S>) -> Self {
        self.place(permission, Load::Page, method, path, router)
    }

    /// A page's form that sends files: the larger limit, see [`RouteSet::upload`].
    #[must_use]
    pub fn upload_page(self, permission: Permission, method: Method, path: &str, router: MethodRouter<S>) -> Self {
        self.place(permission, Load::Upload, method, path, router)
    }

    fn place(
        mut self,
        permission: Permission,
        load: Load,
        method: Method,
        path: &str,
        router: MethodRouter<S>,
    ) -> Self {
        let places = vec![(method, path.to_owned())];
        self.0.push(Entry {
            permission,
            load,
            paths: None,
            schemas: Vec::new(),
            places,
            router,
        });
        self
    }

    /// Hands the state over.
    pub fn with_state(self, state: S) -> Routes {
        let entries = self.0.into_iter().map(|entry| Entry {
            permission: entry.permission,
            load: entry.load,
            paths: entry.paths,
            schemas: entry.schemas,
            places: entry.places,
            router: entry.router.with_state(state.clone()),
        });
        Routes(entries.collect())
    }
}

fn operations_of(item: &mut PathItem) -> Vec<(Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::DELETE, &mut item.delete),
        (Method::OPTIONS, &mut item.options),
        (Method::HEAD, &mut item.head),
        (Method::PATCH, &mut item.patch),
        (Method::TRACE, &mut item.trace),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| operation.as_mut().map(|o| (method, o)))
        .collect()
}

/// The routes of a module, or of all of them.
#[derive(Default)]
pub struct Routes(Vec<Entry<()>>);

/// The web as built: the router with its whole middleware, and what it consists of.
pub struct Web {
    pub router: Router,
    pub openapi: OpenApi,
    pub table: Vec<RouteFact>,
    pub context: Arc<Context>,
}

impl Routes {
    pub fn new() -> Self {
        Self::default()
    }

    /// These and the others.
    #[must_use]
    pub fn merge(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Every route with its permission.
    pub fn table(&self) -> Vec<RouteFact> {
        let facts = self.0.iter().flat_map(|entry| {
            entry.places.iter().map(|(method, path)| RouteFact {
                method: method.clone(),
                path: path.clone(),
                permission: entry.permission,
                in_openapi: entry.paths.is_some(),
            })
        });
        facts.collect()
    }

    /// Builds the router: every route behind its permission, the middleware around all, and the OpenAPI document.
    ///
    /// # Errors
    /// Two routes with the same method and path.
    pub fn into_router(self, setup: Setup) -> Result<Web> {
        let routes = self.merge(site::routes());
        let table = routes.table();
        let mut taken = BTreeSet::new();
        for fact in &table {
            if !taken.insert((fact.method.as_str(), fact.path.as_str())) {
                let text = format!("{} {} is registered twice", fact.method, fact.path);
                return Err(Error::internal(anyhow::anyhow!(text)));
            }
        }
        let openapi = routes.openapi();
        let json = Bytes::from(openapi.to_json()?);
        let context = Arc::new(Context::new(setup, table.clone(), json));
        let mut router = Router::new();
        for entry in routes.0 {
            let gate = Arc::new(Gate::new(&context, entry.permission, entry.load));
            let guarded = entry.router.route_layer(from_fn_with_state(gate, stack::guard));
            router = entry
                .places
                .iter()
                .map(|(_, path)| path.as_str())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .fold(router, |router, path| place(router, path, guarded.clone()));
        }
        let router = router
            .method_not_allowed_fallback(site::no_such_method)
            .fallback(site::nothing_here)
            .layer(from_fn_with_state(context.clone(), stack::around))
            .layer(stack::compression());
        Ok(Web {
            router,
            openapi,
            table,
            context,
        })
    }

    fn openapi(&self) -> OpenApi {
        let mut document = utoipa::openapi::OpenApiBuilder::new().info(info()).build();
        let mut schemas: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
        for entry in &self.0 {
            let Some(paths) = &entry.paths else { continue };
            schemas.extend(entry.schemas.iter().cloned());
            for (path, item) in &paths.paths {
                match document.paths.paths.get_mut(path) {
                    Some(there) => there.merge_operations(item.clone()),
                    None => {
                        document.paths.paths.insert(path.clone(), item.clone());
                    }
                }
            }
        }
        problem::describe(&mut schemas);
        let mut components = Components::new();
        components.schemas.extend(schemas);
        describe_security(&mut components);
        document.components = Some(components);
        finish_operations(&mut document);
        document
    }
}

fn info() -> utoipa::openapi::Info {
    let mut info = utoipa::openapi::Info::new("Vitrine", env!("CARGO_PKG_VERSION"));
    info.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
    info
}

/// Names every operation uniquely (`records.list`) and adds what all have in common: the problem answer and how a
/// caller says who it is.
fn finish_operations(document: &mut OpenApi) {
    let mut names = BTreeSet::new();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations_of(item) {
            let tag = operation
                .tags
                .as_ref()
                .and_then(|tags| tags.first().cloned())
                .unwrap_or_default();
            let verb = operation
                .operation_id
                .take()
                .unwrap_or_else(|| method.as_str().to_ascii_lowercase());
            let mut name = if tag.is_empty() { verb } else { format!("{tag}.{verb}") };
            if !names.insert(name.clone()) {
                name = format!(
                    "{name}.{}{}",
                    method.as_str().to_ascii_lowercase(),
                    path.replace(['/', '{', '}'], ".")
                );
                names.insert(name.clone());
            }
            operation.operation_id = Some(name);
            problem::describe_answer(operation);
            name_answers(operation);
            operation.security.get_or_insert_with(security_choices);
        }
    }
}

/// An answer without words of its own says what its status says.
fn name_answers(operation: &mut Operation) {
    for (status, answer) in &mut operation.responses.responses {
        if let RefOr::T(answer) = answer
            && answer.description.is_empty()
        {
            let status = status
                .parse::<u16>()
                .ok()
                .and_then(|code| axum::http::StatusCode::from_u16(code).ok());
            answer.description = status.and_then(|s| s.canonical_reason()).unwrap_or("Answer").to_owned();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that registers routes, with their permission"
)]
fn place(router: Router, path: &str, methods: MethodRouter) -> Router {
    router.route(path, methods)
}

/// How callers say who they are, for the OpenAPI document.
fn describe_security(components: &mut utoipa::openapi::Components) {
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token: app token create"))
        .build();
    components.add_security_scheme("token", SecurityScheme::Http(token));
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
        csrf::cookie_name(true),
        "A browser that has signed in; `session` over plain http",
    ));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
}

/// A token, a session, or nobody: what each may do is said by `x-permission`.
fn security_choices() -> Vec<SecurityRequirement> {
    let nothing: [&str; 0] = [];
    vec![
        SecurityRequirement::new("token", nothing),
        SecurityRequirement::new("session", nothing),
        SecurityRequirement::default(),
    ]
}
