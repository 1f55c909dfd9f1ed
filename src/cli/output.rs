//! What commands print: lines, tables, JSON, complaints, progress. Never asks anything.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, pin_mut};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tokio::io::AsyncWriteExt;

use crate::kernel::error::{Error, Result};

/// Prints to standard output as it is. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// An output that cannot be written, such as a full disk.
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// Prints a line.
///
/// # Errors
/// See [`print`].
pub fn line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}

/// Prints a value as JSON, indented.
///
/// # Errors
/// See [`print`].
pub fn json(value: &impl Serialize) -> Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// Prints rows under their headings, in columns as wide as they need.
///
/// # Errors
/// See [`print`].
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let mut widths: Vec<usize> = headings.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let headings: Vec<String> = headings.iter().map(|h| (*h).to_owned()).collect();
    for row in std::iter::once(&headings).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    print(&text)
}

/// Says something to the person beside the output that programs read.
pub fn note(text: &str) {
    // Nobody to say it to.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints an error to standard error: the sentence, then each wrong value on a line of its own.
pub fn complain(error: &Error) {
    let mut text = format!("error: {error}\n");
    if error.fields().len() > 1 {
        for field in error.fields() {
            text.push_str(&format!("  {}: {}\n", field.path, field.message));
        }
    }
    if let Some(source) = error
        .source()
        .filter(|_| error.code() == crate::kernel::error::Code::Internal)
    {
        text.push_str(&format!("  cause: {source:#}\n"));
    }
    // Nowhere to complain to: the exit code still says it.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes what arrives to a file, which appears whole or not at all, or to standard output.
///
/// # Errors
/// A place that cannot be written; a stream that breaks off.
pub async fn save(pieces: impl Stream<Item = Result<Bytes>>, path: Option<&Path>) -> Result<()> {
    pin_mut!(pieces);
    let Some(path) = path else {
        while let Some(piece) = pieces.next().await {
            let mut out = std::io::stdout().lock();
            match out.write_all(&piece?) {
                Err(e) if e.kind() == ErrorKind::BrokenPipe => return Ok(()),
                done => done?,
            }
        }
        return print("");
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = Path::new(&beside);
    let written = async {
        let mut file = tokio::fs::File::create(beside).await?;
        while let Some(piece) = pieces.next().await {
            file.write_all(&piece?).await?;
        }
        file.sync_all().await?;
        tokio::fs::rename(beside, path).await?;
        Ok(())
    };
    let written: Result<()> = written.await;
    if written.is_err() {
        // What was begun is of no use to anybody.
        let _ = tokio::fs::remove_file(beside).await;
    }
    written
}

/// Gives a bar whose total has become known its percentage and time to go.
pub fn measured(bar: &ProgressBar) {
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {human_pos}/{human_len} {per_sec} {eta}") {
        bar.set_style(style.progress_chars("=> "));
    }
}

/// A progress bar on standard error; silent when that is no terminal. Without a total it is a spinner.
pub fn progress(total: Option<u64>, what: &str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(total, target).with_message(what.to_owned());
    let template = match total {
        Some(_) => "{msg} [{bar:30}] {human_pos}/{human_len} {per_sec} {eta}",
        None => "{msg} {spinner} {human_pos} {per_sec} {elapsed}",
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}
