//! The rules of the house, read from the sources and from the composed app. Each guard is a function from sources to
//! findings, so that a planted violation can show that it still bites.

mod budgets;
mod composed;
mod connections;
mod databases;
mod dialects;
mod filters;
mod forms;
mod literals;
mod locales;
mod manual;
mod migrations;
mod models;
pub mod openapi;
mod sentences;
pub mod sources;
mod statements;
mod templates;
mod walls;
mod words;
