//! The house as a whole: the program as people run it, the app as clients meet it, and what goes wrong around it.

mod client;
mod disk;
mod figures;
mod manual;
mod models;
mod orders;
mod outage;
mod people;
mod program;
#[path = "../../torture/server.rs"]
mod server;
mod serving;
mod traces;
