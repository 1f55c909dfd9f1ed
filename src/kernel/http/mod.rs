//! The web: routes with permissions, extractors, problem documents, the middleware stack.

use super::access::Permission;

/// A module's routes. JSON routes go through utoipa and stand in OpenAPI; pages stand in the permission table.
#[derive(Default)]
pub struct Routes {
    /// Method, path and permission of every route.
    pub table: Vec<(String, String, Permission)>,
}

impl Routes {
    pub fn new() -> Self {
        Self::default()
    }
}
