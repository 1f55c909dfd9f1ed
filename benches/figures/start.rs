//! Cold start to ready, empty and full; idle memory; the size of the program.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::report::{Report, megabytes, ms};
use super::server::{APP, Server};
use super::{files, server};

pub async fn measure(count: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let report = Report::new("Start and rest");
    let empty = folder.path().join("empty");
    started(&report, "first start of an empty house", &empty, "0.3 s").await?;
    started(&report, "second start of an empty house", &empty, "0.3 s").await?;
    let full = folder.path().join("full");
    server::import(&full, None, &server::museum(folder.path(), count)?)?;
    started(&report, &format!("start with {count} records"), &full, "1 s").await?;
    report.line("size of the program", &megabytes(std::fs::metadata(APP)?.len()), "");
    Ok(())
}

async fn started(report: &Report, figure: &str, house: &Path, goal: &str) -> Result<()> {
    let mut best = Duration::MAX;
    let mut memory = 0;
    for _ in 0..if figure.starts_with("first") { 1 } else { 5 } {
        let app = Server::app(house, None).await?;
        best = best.min(app.ready_after);
        // Long enough for what a start leaves behind to settle.
        std::thread::sleep(Duration::from_secs(3));
        memory = files::memory(app.pid(), "RssAnon")?;
    }
    report.line(figure, &ms(best), goal);
    report.line(
        &format!("{figure}: idle memory (RssAnon)"),
        &megabytes(memory * 1024),
        "under 80 MB",
    );
    Ok(())
}
