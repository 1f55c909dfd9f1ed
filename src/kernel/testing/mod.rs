//! What tests stand on: throw-away databases on both engines. Behind the feature `testing`, never in a release build.

mod app;
mod archive;
mod database;
mod dice;
mod kernel;
mod mail;

pub use app::{Answer, TestApp};
pub use archive::{gzip, tar};
pub use database::{TestDb, postgres, postgres_url, sqlite};
pub use dice::Dice;
pub use kernel::kernel;
pub use mail::{MailServer, Received};

/// How often something is tried: `short` in the suite, `long` where `VITRINE_LONG` is set, as `make torture` does.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by their runner how long they may take"
)]
pub fn rounds(short: usize, long: usize) -> usize {
    if std::env::var_os("VITRINE_LONG").is_some() {
        long
    } else {
        short
    }
}

/// Runs an `async fn story(db: TestDb)` as two tests, one on each engine: `both!(story);`
#[macro_export]
macro_rules! both {
    ($($story:ident),+ $(,)?) => { $(
        mod $story {
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_sqlite() {
                super::$story($crate::kernel::testing::sqlite().await).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_postgres() {
                super::$story($crate::kernel::testing::postgres().await).await;
            }
        }
    )+ };
}
