//! The command line. The only place that prints.

mod admin;
mod check;
mod migrate;
mod serve;

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{
    config::{Config, Settings},
    stop::Stop,
    telemetry,
};

/// A package registry server. Without a command, it serves.
#[derive(Parser)]
#[command(name = "entrepot", version)]
struct Cli {
    /// A TOML file with settings
    #[arg(long, global = true, env = "ENTREPOT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT
    Serve,
    /// Bring the database up to date, which serve does too
    Migrate(migrate::Arguments),
    /// Print the GraphQL schema
    Schema,
    /// Say whether the configuration, the database and the storage can be used
    Check,
    /// Users and tokens
    #[command(subcommand)]
    Admin(admin::Command),
}

/// Runs the command that the arguments of the process name.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match carry_out(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            // Nobody reads it when this fails.
            let _ = writeln!(std::io::stderr(), "error: {stop}");
            stop.exit_code()
        }
    }
}

fn carry_out(cli: Cli) -> Result<(), Stop> {
    let command = cli.command.unwrap_or(Command::Serve);
    if matches!(command, Command::Schema) {
        return print(&graphql::sdl());
    }
    let config = Config::load(cli.settings, cli.config.as_deref())?;
    telemetry::start(&config.telemetry)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(512) // twice what bodies may hold: see `gateway`'s readers
        .build()
        .map_err(|error| Stop::failed(format!("the runtime cannot be started: {error}")))?;
    let outcome = match command {
        Command::Serve => runtime.block_on(serve::run(config)),
        Command::Migrate(arguments) => runtime.block_on(migrate::run(config, arguments)),
        Command::Schema => Ok(()),
        Command::Check => runtime.block_on(check::run(config)),
        Command::Admin(command) => runtime.block_on(admin::run(config, command)),
    };
    // A thread that still reads for a client that is gone does not keep the process.
    runtime.shutdown_background();
    outcome
}

/// Prints text, with a line break at the end. A reader that has gone away is told nothing.
fn print(text: &str) -> Result<(), Stop> {
    let mut output = std::io::stdout().lock();
    let written = writeln!(output, "{}", text.trim_end()).and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Stop::failed(format!("the output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
