//! The composed app of a test, on a database and in a folder of its own: wired as the program wires it, not started.

use vitrine::app::{App, Plan, Roles};
use vitrine::kernel::clock::Clock;
use vitrine::kernel::config::{Sources, load};
use vitrine::kernel::http::{Routes, Setup, Web};
use vitrine::kernel::testing::TestDb;

/// See the module's text.
pub struct House {
    pub app: App,
    _folder: tempfile::TempDir,
}

impl House {
    pub async fn new(db: &TestDb) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sources = Sources::default()
            .flag("data.dir", folder.path().to_string_lossy(), "the test")
            .flag("http.bind", "127.0.0.1:0", "the test")
            .flag("database.url", db.url(), "the test");
        let config = load(&sources).expect("settings").config;
        let plan = Plan {
            roles: Roles::ALL,
            clock: Clock::system(),
            ..Plan::default()
        };
        let app = App::build(config, plan).await.expect("the app is wired");
        Self { app, _folder: folder }
    }

    /// The web with everything around it, as the modules make it.
    pub fn web(&self) -> Web {
        let routes = self
            .app
            .modules()
            .iter()
            .fold(Routes::new(), |routes, module| routes.merge(module.routes()));
        routes
            .into_router(Setup::new(self.app.kernel.clone()))
            .expect("the routes fit together")
    }
}
