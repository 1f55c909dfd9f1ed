//! The figures of BENCHMARKS.md: each command measures the program and, in the same run, the raw limit below it, and
//! prints the ratio. Measures the release build; nothing here is linked into it.

mod access;
mod accounts;
mod api;
mod asks;
mod bare_http;
mod bare_index;
mod bare_search;
mod batch;
mod data;
mod engine;
mod files;
mod form;
mod fresh;
mod house;
mod import;
mod jobs;
mod kinds;
mod load;
mod places;
mod postgres_search;
mod record;
mod report;
mod roles;
mod search;
mod server;
mod sql_search;
mod start;
mod table;
mod trees;
mod writes;

use anyhow::{Context, Result, bail};

const HELP: &str = "usage: cargo bench --bench figures -- COMMAND

  make-data N            N museum objects made from the real file, as JSON lines on standard output
  import [FILE]          import into an empty house against parse + bare SQLite + bare tantivy
  search [N]             1,000 queries over N records (100,000) against bare tantivy and PostgreSQL full text
  search-engine [N]      the same mix asked of the engine itself, without HTTP and records
  search-kinds [N]       ten kinds of questions over N records (1,000,000) against bare tantivy, PostgreSQL and SQLite FTS5;
                         the index: MB/s, size, memory
  search-fresh [N]       from a commit to where it is found while N records (100,000) are imported; the slowest bad question
  search-roles [N] [R]   the same search under a filter of R roles (50) and without, over N records (100,000)
  record                 one record by API against a bare handler, on both databases
  access                 a permission check warm and cold, on both databases
  accounts               whose a session is; 40 sign-ins at once beside other requests
  writes                 durable single writes of 64 clients against one commit each
  jobs [N]               N no-op jobs (50,000) end to end against raw SKIP LOCKED batches, and enqueue to start
  table [N]              the table of N records (100,000): the page, and rows anywhere in it
  form                   a form of 60 fields: open it empty and filled, save it
  batch [N]              N records (10,000) changed as one and taken back
  trees [N]              a tree of N records (1,000,000): open, move a part of it, find below a record
  start [N]              cold start empty and with N records (100,000), idle memory, size of the program

The museum file is looked for in VITRINE_TEST_DATA (../shared/data) under museum/; without it an invented one is made.
PostgreSQL is taken from TEST_POSTGRES_URL; `make bench-NAME` sets it.";

fn main() -> Result<()> {
    // Cargo adds `--bench` of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = |at: usize, default: usize| -> Result<usize> {
        arguments.get(at).map_or(Ok(default), |n| {
            n.parse().with_context(|| format!("\"{n}\" is not a number"))
        })
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.first().map(String::as_str) {
        Some("make-data") => data::print(number(1, 100_000)?),
        Some("import") => runtime.block_on(import::measure(arguments.get(1).map(String::as_str))),
        Some("search") => runtime.block_on(search::measure(number(1, 100_000)?)),
        Some("search-engine") => runtime.block_on(engine::measure(number(1, 100_000)?)),
        Some("search-kinds") => runtime.block_on(kinds::measure(number(1, 1_000_000)?)),
        Some("search-fresh") => runtime.block_on(fresh::measure(number(1, 100_000)?)),
        Some("search-roles") => runtime.block_on(roles::measure(number(1, 100_000)?, number(2, 50)?)),
        Some("record") => runtime.block_on(record::measure()),
        Some("access") => runtime.block_on(access::measure()),
        Some("accounts") => runtime.block_on(accounts::measure()),
        Some("writes") => runtime.block_on(writes::measure()),
        Some("jobs") => runtime.block_on(jobs::measure(number(1, 50_000)?)),
        Some("table") => runtime.block_on(table::measure(number(1, 100_000)?)),
        Some("form") => runtime.block_on(form::measure()),
        Some("batch") => runtime.block_on(batch::measure(number(1, 10_000)?)),
        Some("trees") => runtime.block_on(trees::measure(number(1, 1_000_000)?)),
        Some("start") => runtime.block_on(start::measure(number(1, 100_000)?)),
        // The raw limits that answer over HTTP run in a process of their own, as the program does.
        // A worker process of its own.
        Some("jobs-worker") => runtime.block_on(jobs::work(&arguments[1..])),
        Some("bare-record") => runtime.block_on(bare_http::serve_records(&arguments[1..])),
        Some("bare-search") => runtime.block_on(bare_http::serve_search(&arguments[1..])),
        None | Some("help" | "--help" | "-h") => {
            println!("{HELP}");
            Ok(())
        }
        Some(other) => bail!("there is no command \"{other}\"\n\n{HELP}"),
    }
}
