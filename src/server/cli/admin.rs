//! `entrepot admin`: what an administrator does on the machine itself, with the right to read the database. A running server
//! need not be stopped.

use std::io::{BufRead as _, Read as _};

use clap::Subcommand;
use domain::{Clock as _, Failure, Scope, Scopes, SystemClock, TokenLimits};
use store::{
    Secret, Store, StoreError,
    access_tokens::{self, NewAccessToken},
    audit_events::Actor,
    passwords,
    users::{self, NewUser, User},
};
use time::{Duration, OffsetDateTime};

use super::print;
use crate::{
    boot,
    config::{Config, Database, reason},
    first_run::{ROOT, TOKEN_FILE, token_for, write_token},
    stop::Stop,
};

/// Most that is read of a password, in bytes: more than the longest has.
const LONGEST_LINE: u64 = 4096;

/// What to do.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Create a user
    CreateUser {
        /// The user name
        username: String,
        /// The name people read [default: the user name]
        #[arg(long)]
        name: Option<String>,
        /// The mail address
        #[arg(long)]
        email: Option<String>,
        /// Let the user administer the instance
        #[arg(long)]
        admin: bool,
    },
    /// Create a personal access token of a user, and print it
    CreateToken {
        /// The user name
        username: String,
        /// The name people read
        #[arg(long, default_value = "Made on the command line")]
        name: String,
        /// How far it goes
        #[arg(long, value_delimiter = ',', default_value = "api")]
        scopes: Vec<String>,
        /// After how many days it no longer counts [default: never]
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
        days: Option<u16>,
    },
    /// List the tokens of a user
    ListTokens {
        /// The user name
        username: String,
    },
    /// Revoke a token
    RevokeToken {
        /// Its number, as list-tokens shows it
        id: i64,
    },
    /// Refuse every credential of a user
    BlockUser {
        /// The user name
        username: String,
    },
    /// Accept the credentials of a blocked user again
    UnblockUser {
        /// The user name
        username: String,
    },
    /// Set the password of a user to the first line of the standard input, and end the user's sessions
    SetPassword {
        /// The user name
        username: String,
    },
    /// Revoke every token of root and write a new one to the file admin-token
    ResetRootToken,
    /// Remove stored bytes that nothing refers to any more, at once
    Collect {
        /// Say what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Does it.
pub(super) async fn run(config: Config, command: Command) -> Result<(), Stop> {
    if let Database::Sqlite { file, .. } = &config.database
        && !file.exists()
    {
        return Err(Stop::failed(format!(
            "there is no database at {}: run entrepot serve first",
            file.display()
        )));
    }
    let store = boot::open_database(&config).await?.on_behalf_of(Actor::system("Command line"));
    let outcome = match migration::pending(store.migration_connection()).await {
        Ok(pending) if pending.is_empty() => carry_out(&store, &config, command).await,
        Ok(_) => Err(Stop::failed("the database is not up to date: run entrepot migrate first")),
        Err(error) => Err(Stop::failed(format!("the database does not answer: {error}"))),
    };
    if let Err(error) = store.close().await {
        tracing::warn!(%error, "the database was not closed cleanly");
    }
    outcome
}

async fn carry_out(store: &Store, config: &Config, command: Command) -> Result<(), Stop> {
    let now = SystemClock.now();
    match command {
        Command::CreateUser { username, name, email, admin } => {
            let name = name.unwrap_or_else(|| username.clone());
            let user = users::create(store, NewUser { username, name, email, admin }, now).await;
            let user = user.map_err(refused)?;
            print(&format!("user {} was created, number {}", user.username, user.id))
        }
        Command::CreateToken { username, name, scopes, days } => {
            let user = find(store, &username).await?;
            let new = NewAccessToken {
                scopes: read_scopes(&scopes)?,
                limits: TokenLimits::none(),
                expires_at: days.map(|days| (now + Duration::days(days.into())).date()),
                ..token_for(&user, &name)
            };
            let (_, secret) = access_tokens::create(store, new, now).await.map_err(refused)?;
            print(secret.expose())
        }
        Command::ListTokens { username } => list_tokens(store, &username, now).await,
        Command::RevokeToken { id } => {
            let token =
                access_tokens::revoke(store, domain::AccessTokenId(id), now).await.map_err(refused)?;
            print(&format!("token {} ({}) is revoked", token.id, token.name))
        }
        Command::BlockUser { username } => {
            let user = find(store, &username).await?;
            users::block(store, user.id, now).await.map_err(refused)?;
            print(&format!("user {username} is blocked"))
        }
        Command::UnblockUser { username } => {
            let user = find(store, &username).await?;
            users::unblock(store, user.id, now).await.map_err(refused)?;
            print(&format!("user {username} may use the instance again"))
        }
        Command::SetPassword { username } => {
            let user = find(store, &username).await?;
            passwords::set(store, user.id, read_password()?, None, now).await.map_err(refused)?;
            print(&format!("the password of {username} is set"))
        }
        Command::ResetRootToken => reset_root_token(store, config, now).await,
        Command::Collect { dry_run } => collect(store, config, dry_run).await,
    }
}

/// The password, from where neither the list of processes nor the history of a shell shows it.
fn read_password() -> Result<Secret, Stop> {
    let mut line = String::new();
    let read = std::io::stdin().lock().take(LONGEST_LINE).read_line(&mut line);
    read.map_err(|error| Stop::failed(format!("the password cannot be read: {}", reason(&error))))?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    Ok(Secret::given(password.strip_suffix('\r').unwrap_or(password)))
}

async fn list_tokens(store: &Store, username: &str, now: OffsetDateTime) -> Result<(), Stop> {
    let user = find(store, username).await?;
    let tokens = access_tokens::list(store, user.id).await.map_err(refused)?;
    let lines = tokens.iter().map(|token| {
        let state = if token.is_active(now) { "active" } else { "revoked or expired" };
        format!("{}\t{}\t{}\t{state}", token.id, token.name, token.scopes.to_text())
    });
    print(&lines.collect::<Vec<_>>().join("\n"))
}

async fn reset_root_token(store: &Store, config: &Config, now: OffsetDateTime) -> Result<(), Stop> {
    let root = find(store, ROOT).await?;
    let path = config.data_dir.join(TOKEN_FILE);
    let new = token_for(&root, "Made by reset-root-token");
    let (fresh, secret) = access_tokens::create(store, new, now).await.map_err(refused)?;
    write_token(&path, &secret)?;
    for token in access_tokens::list(store, root.id).await.map_err(refused)? {
        if token.id != fresh.id && token.is_active(now) {
            access_tokens::revoke(store, token.id, now).await.map_err(refused)?;
        }
    }
    print(&format!("root has a new token, in {}", path.display()))
}

/// Without the hour that the servers wait in between: a publish of the same bytes that is under way may have to be repeated.
async fn collect(store: &Store, config: &Config, dry_run: bool) -> Result<(), Stop> {
    let failed = |failure: Failure| Stop::failed(failure.message);
    let blobs = boot::open_storage(&config.storage).await?;
    let hours = config.keep_deleted.whole_hours();
    if dry_run {
        let (unreferenced, unknown) =
            graphql::collectable(store, &*blobs, &SystemClock, config.keep_deleted).await.map_err(failed)?;
        return print(&format!(
            "nothing was removed; for {hours} hours no file has referred to {} contents with {} bytes, \
             and {} contents with {} bytes have no row",
            unreferenced.contents, unreferenced.bytes, unknown.contents, unknown.bytes
        ));
    }
    let rules = graphql::CollectionRules { keep_deleted: config.keep_deleted, grace: time::Duration::ZERO };
    let collected = graphql::collect(store, &*blobs, &SystemClock, rules).await.map_err(failed)?;
    print(&format!("{} contents with {} bytes were removed", collected.removed, collected.removed_bytes))
}

async fn find(store: &Store, username: &str) -> Result<User, Stop> {
    let user = users::find_by_username(store, username).await.map_err(refused)?;
    user.ok_or_else(|| Stop::failed(format!("there is no user '{username}'")))
}

fn read_scopes(names: &[String]) -> Result<Scopes, Stop> {
    let known: Vec<&str> = Scope::PERSONAL.iter().map(|scope| scope.name()).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(Scopes::from_text(&names.join(" "))),
        Some(odd) => Err(Stop::usage(format!("there is no scope '{odd}'; there are: {}", known.join(", ")))),
    }
}

fn refused(error: StoreError) -> Stop {
    Stop::failed(Failure::from(error).message)
}
