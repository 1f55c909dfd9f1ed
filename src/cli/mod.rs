//! The command line: one file per subcommand. Speaks to the house only through its API (over the control socket) or by
//! starting it; holds no rules of its own.

mod answer;
mod change;
pub mod client;
mod config;
mod dina;
mod doctor;
mod export;
mod folder;
mod grant;
mod health;
mod import;
mod job;
mod jobs;
mod logs;
mod man;
mod mapping;
mod messages;
mod migrate;
mod models;
mod orders;
pub mod output;
mod preview;
mod providers;
mod ps;
mod reading;
mod roles;
mod schedule;
mod search;
mod serve;
pub mod session;
pub mod settings;
mod setup_link;
mod support_bundle;
mod surroundings;
#[cfg(test)]
mod tests;
mod token;
mod types;
mod user;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::kernel::error::{Code, Error, Result};
use crate::kernel::program;
use settings::Settings;

const ABOUT: &str = "Vitrine: the whole collection house in one binary.";

const AFTER_HELP: &str = "\
Examples:
  app serve --sample               a collection in the browser, on SQLite, with nothing to configure
  app import objects.csv --type object --infer --key id
  app token create --name script --json
  app doctor

Exit codes:
  0  done
  1  failed
  2  the command line or a setting is wrong
  3  done, but something was refused or needs a look
  4  not available: in use by another process, no database, taken port, full disk
  130  stopped by Ctrl-C or SIGTERM before it was done

Settings: `app config default` explains each; APP__HTTP__BIND sets http.bind, and so on.";

/// The whole command line.
#[derive(Parser)]
#[command(name = "app", version = program::VERSION_WITH_COMMIT, about = ABOUT, after_help = AFTER_HELP)]
#[command(disable_help_subcommand = true, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the house: web, worker and scheduler in one process
    Serve(serve::Args),
    /// Run jobs only, beside other processes on one PostgreSQL
    Worker(roles::WorkerArgs),
    /// Make jobs when they are due, beside other processes on one PostgreSQL
    Scheduler(roles::SchedulerArgs),
    /// Read a file of records
    Import(Box<import::Args>),
    /// Write records to a file
    Export(export::Args),
    /// Do the same to many records
    Change(Box<change::Args>),
    /// Move the database's schema
    Migrate(migrate::Args),
    /// List the processes of this installation
    Ps(ps::Args),
    /// Pause a role of running processes
    Stop(orders::Args),
    /// Let a paused role go on
    Start(orders::Args),
    /// See what runs, waits and failed; stop it or try it again
    Jobs(jobs::Args),
    /// See what runs by the clock; run it now, pause it
    Schedule(schedule::Args),
    /// Show what the processes have logged
    Logs(logs::Args),
    /// Say what is wrong and what to do about it
    Doctor(doctor::Args),
    /// Write one file that helps others to help, without secrets
    SupportBundle(support_bundle::Args),
    /// Say in one line whether it is ready, for watchdogs
    Health(health::Args),
    /// Make, list and end tokens for programs
    Token(token::Args),
    /// Accounts of people and programs
    User(user::Args),
    /// Give roles, take them away, and say why somebody sees something
    Grant(grant::Args),
    /// Keep groups of accounts
    Group(grant::GroupArgs),
    /// Outgoing mail: what was sent, and a test
    Messages(messages::Args),
    /// Make a one-time link that makes an administrator
    SetupLink(setup_link::Args),
    /// Look after the search index
    Search(search::Args),
    /// Delete a collection as a whole
    Type(types::Args),
    /// Types as text: sets to begin with, export, plan, apply
    Types(models::Args),
    /// Take the sample away again
    Sample(types::SampleArgs),
    /// Show, check and explain the settings
    Config(config::Args),
    /// Print what completes commands in a shell
    Completion(CompletionArgs),
    /// Print pages for man
    Man(man::Args),
}

/// `app completion SHELL`
#[derive(clap::Args)]
#[command(after_help = "Example:\n  app completion bash > ~/.local/share/bash-completion/completions/app")]
struct CompletionArgs {
    shell: clap_complete::Shell,
}

/// How a command ended, when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    /// It has said itself what failed.
    Failed,
    /// Done, but something was refused or needs a look.
    Partly,
}

/// Parses the command line, runs the command and answers the exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Failed) => ExitCode::FAILURE,
        Ok(Exit::Partly) => ExitCode::from(3),
        Err(error) => {
            output::complain(&error);
            ExitCode::from(code(&error))
        }
    }
}

fn run(cli: Cli) -> Result<Exit> {
    let settings = cli.settings;
    match cli.command {
        Command::Serve(args) => block_on(serve::run(args, settings)),
        Command::Worker(args) => block_on(roles::worker(args, settings)),
        Command::Scheduler(args) => block_on(roles::scheduler(args, settings)),
        Command::Import(args) => block_on(import::run(*args, settings)),
        Command::Export(args) => block_on(export::run(args, settings)),
        Command::Change(args) => block_on(change::run(*args, settings)),
        Command::Migrate(args) => block_on(migrate::run(args, settings)),
        Command::Ps(args) => block_on(ps::run(args, settings)),
        Command::Stop(args) => block_on(orders::run(args, settings, "stop")),
        Command::Start(args) => block_on(orders::run(args, settings, "start")),
        Command::Jobs(args) => block_on(jobs::run(args, settings)),
        Command::Schedule(args) => block_on(schedule::run(args, settings)),
        Command::Logs(args) => block_on(logs::run(args, settings)),
        Command::Doctor(args) => block_on(doctor::run(args, settings)),
        Command::SupportBundle(args) => block_on(support_bundle::run(args, settings)),
        Command::Health(args) => block_on(health::run(args, settings)),
        Command::Token(args) => block_on(token::run(args, settings)),
        Command::User(args) => block_on(user::run(args, settings)),
        Command::Grant(args) => block_on(grant::run(args, settings)),
        Command::Group(args) => block_on(grant::groups(args, settings)),
        Command::Messages(args) => block_on(messages::run(args, settings)),
        Command::SetupLink(args) => block_on(setup_link::run(args, settings)),
        Command::Search(args) => block_on(search::run(args, settings)),
        Command::Type(args) => block_on(types::run(args, settings)),
        Command::Types(args) => block_on(models::run(args, settings)),
        Command::Sample(args) => block_on(types::sample(args, settings)),
        Command::Config(args) => config::run(&args, &settings),
        Command::Completion(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "app", &mut script);
            output::print(&String::from_utf8_lossy(&script))?;
            Ok(Exit::Done)
        }
        Command::Man(args) => man::run(&args),
    }
}

fn block_on(command: impl Future<Output = Result<Exit>>) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(command);
    runtime.block_on(crate::kernel::telemetry::traces::end());
    // What is left belongs to nobody any more: readers of a standard input that never ends, for example.
    runtime.shutdown_background();
    outcome
}

/// The exit code of an error, as the help promises it.
fn code(error: &Error) -> u8 {
    match error.code() {
        _ if error.extra().contains_key("interrupted") => 130,
        Code::Invalid | Code::BadRequest => 2,
        Code::Unavailable | Code::Busy | Code::DiskFull => 4,
        Code::Conflict if error.extra().contains_key("in_use") => 4,
        _ => 1,
    }
}
