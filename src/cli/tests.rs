//! The definition of the command line.

use clap::CommandFactory;

use super::Cli;

#[test]
fn the_definition_is_valid() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_is_explained_with_an_example() {
    for command in Cli::command().get_subcommands() {
        assert!(
            command.get_about().is_some(),
            "{} has no description",
            command.get_name()
        );
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(examples.contains("app "), "{} has no example", command.get_name());
    }
}
