//! A permission check of somebody with fifty roles: warm, and cold after a change of rights; on PostgreSQL beside one bare round
//! trip, since each check there asks first whether what is remembered is today's.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, anyhow};
use vitrine::contract::access::{Grants, Role};
use vitrine::kernel::access::{Caller, Object, Permission, Subject};
use vitrine::kernel::db::{Write, sql};

use super::postgres_search;
use super::report::{Report, percentile, us};
use super::server::inside;

const ROLES: usize = 50;
const WARM: usize = 200_000;
const ROUND_TRIPS: usize = 5_000;
const COLD: usize = 500;
const WRITE: Permission = Permission("records.write");

pub async fn measure() -> Result<()> {
    let report = Report::new("A permission check");
    let folder = tempfile::tempdir()?;
    engine(&report, "SQLite", &folder.path().join("sqlite"), None).await?;
    if let Some(url) = postgres_search::database("access").await? {
        engine(&report, "PostgreSQL", &folder.path().join("postgres"), Some(&url)).await?;
        postgres_search::remove(&url).await?;
    }
    Ok(())
}

async fn engine(report: &Report, name: &str, house: &Path, database: Option<&str>) -> Result<()> {
    let app = inside(house, database).await?;
    let (db, access) = (app.kernel.db.clone(), app.kernel.access.clone());
    // Whoever measures has no accounts: everybody is there.
    access.install_directory(Box::new(Everybody));
    let grants = app.bus.port::<dyn Grants>().map_err(|e| anyhow!("{e}"))?;
    let operator = Caller::operator();
    let give = async |subject: &str, place: &str| {
        let (grants, operator) = (&grants, &operator);
        db.write(Write::interactive("bench"), |tx| {
            Box::pin(async move { grants.grant(tx, operator, subject, Role::Editor, place).await })
        })
        .await
        .map_err(|e| anyhow!("{e}"))
    };
    for n in 0..ROLES {
        give("account:anna", &format!("type:t{n}")).await?;
    }
    let anna = Caller {
        subject: Subject::Account {
            id: "anna".to_owned(),
            name: "Anna".to_owned(),
            scope: None,
        },
        request_id: None,
    };
    let check = async || {
        access
            .check(&anna, WRITE, &Object::Type("t7"))
            .await
            .map_err(|e| anyhow!("{e}"))
    };
    anyhow::ensure!(check().await?, "she has the role");
    let times = if database.is_some() { ROUND_TRIPS } else { WARM };
    let started = Instant::now();
    for _ in 0..times {
        check().await?;
    }
    let warm = started.elapsed() / u32::try_from(times)?;
    report.line(&format!("{name}, warm"), &us(warm), "5 us on SQLite");
    if database.is_some() {
        let started = Instant::now();
        for _ in 0..ROUND_TRIPS {
            let (_,): (i64,) = sql("SELECT epoch FROM access_epoch WHERE id = 1")
                .one(&db)
                .await
                .map_err(|e| anyhow!("{e}"))?;
        }
        let bare = started.elapsed() / u32::try_from(ROUND_TRIPS)?;
        report.line(&format!("{name}, one bare round trip"), &us(bare), "");
    }
    let mut cold = Vec::with_capacity(COLD);
    for n in 0..COLD {
        give(&format!("account:{n}"), "type:other").await?;
        let started = Instant::now();
        check().await?;
        cold.push(started.elapsed());
    }
    cold.sort_unstable();
    report.line(
        &format!("{name}, cold, p50"),
        &us(percentile(&cold, 0.5)),
        "200 us on SQLite",
    );
    app.close().await;
    Ok(())
}

/// Knows everybody.
struct Everybody;

#[async_trait::async_trait]
impl vitrine::kernel::access::Directory for Everybody {
    async fn people(
        &self,
        ids: &[String],
    ) -> vitrine::kernel::error::Result<std::collections::HashMap<String, vitrine::kernel::access::Person>> {
        let person = |id: &String| vitrine::kernel::access::Person {
            id: id.clone(),
            name: id.clone(),
            login: id.clone(),
            active: true,
        };
        Ok(ids.iter().map(|id| (id.clone(), person(id))).collect())
    }
    async fn is_active_in(
        &self,
        _tx: &mut vitrine::kernel::db::Tx<'_>,
        _id: &str,
    ) -> vitrine::kernel::error::Result<bool> {
        Ok(true)
    }
    async fn find(
        &self,
        _text: &str,
        _limit: usize,
    ) -> vitrine::kernel::error::Result<Vec<vitrine::kernel::access::Person>> {
        Ok(Vec::new())
    }
}
