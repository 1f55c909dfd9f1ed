//! A kernel around a test's database, with the default settings and a data folder beside it. No module is wired and
//! nothing runs; tests of a module's routes build their router from it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::TestDb;
use crate::kernel::Kernel;
use crate::kernel::access::Access;
use crate::kernel::blobs::Blobs;
use crate::kernel::config::{Sources, load};
use crate::kernel::data::DataDir;
use crate::kernel::id::new_id;
use crate::kernel::process::Orders;
use crate::kernel::search::Search;

/// See the module's text.
///
/// # Panics
/// When the folder cannot be made.
pub fn kernel(db: &TestDb) -> Kernel {
    let data = DataDir::open(&db.folder().join("data"), true).expect("a data folder");
    let mut config = load(&Sources::default()).expect("the default settings").config;
    config.http.public_url = "http://localhost".to_owned();
    Kernel {
        config: Arc::new(config),
        blobs: Blobs::local(data.folder("blobs").expect("a folder for blobs")).expect("a store of blobs"),
        data: Arc::new(data),
        db: (**db).clone(),
        clock: db.clock().clone(),
        search: Search::default(),
        access: Access::default(),
        stop: CancellationToken::new(),
        process: new_id().into(),
        orders: Orders::default(),
    }
}
