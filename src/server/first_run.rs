//! The first start: an administrator, a token, and where to find it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use domain::{ErrorCode, Failure, Scope, Scopes, TokenLimits};
use store::{
    Secret, Store, StoreError,
    access_tokens::{self, NewAccessToken},
    users::{self, NewUser, User},
};
use time::OffsetDateTime;

use crate::{
    config::{Config, reason},
    stop::Stop,
};

/// The first administrator.
pub(crate) const ROOT: &str = "root";
/// The file with the first administrator's token, in the data folder.
pub(crate) const TOKEN_FILE: &str = "admin-token";
/// What the token is called in lists.
const TOKEN_NAME: &str = "First administrator";

/// What the first start made.
pub(crate) struct FirstRun {
    /// The file with the token.
    pub(crate) token_file: PathBuf,
}

/// Makes the administrator and the token, unless they are there. A start that broke off in between is finished: the file
/// is written before the database accepts the token, and read again.
pub(crate) async fn prepare(
    store: &Store,
    config: &Config,
    now: OffsetDateTime,
) -> Result<Option<FirstRun>, Stop> {
    let (root, is_new) = root(store, now).await.map_err(unmade)?;
    let path = config.data_dir.join(TOKEN_FILE);
    let is_without_token = is_new || access_tokens::list(store, root.id).await.map_err(unmade)?.is_empty();
    let secret = match &config.admin_token {
        Some(chosen) => chosen.clone(),
        None if is_without_token => match left_over(&path)? {
            Some(secret) => secret,
            None => draw()?,
        },
        None => return Ok(None),
    };
    if is_without_token {
        write_token(&path, &secret)?;
    }
    match access_tokens::create_given(store, token_for(&root, TOKEN_NAME), &secret, now).await {
        Ok(_) => {}
        Err(StoreError::Failure(failure)) if !is_without_token => {
            tracing::warn!(reason = %failure.message, "ENTREPOT_ADMIN_TOKEN is set and is not accepted");
        }
        Err(error) => return Err(refused(error)),
    }
    Ok(is_without_token.then_some(FirstRun { token_file: path }))
}

/// The administrator, and whether it was made just now.
async fn root(store: &Store, now: OffsetDateTime) -> Result<(User, bool), StoreError> {
    if let Some(user) = users::find_by_username(store, ROOT).await? {
        return Ok((user, false));
    }
    let new =
        NewUser { username: ROOT.to_owned(), name: "Administrator".to_owned(), email: None, admin: true };
    match users::create(store, new, now).await {
        Ok(user) => Ok((user, true)),
        // Another replica was faster.
        Err(error) => match users::find_by_username(store, ROOT).await? {
            Some(user) => Ok((user, false)),
            None => Err(error),
        },
    }
}

/// A personal access token that may do everything its user may.
pub(crate) fn token_for(user: &User, name: &str) -> NewAccessToken {
    NewAccessToken {
        user_id: user.id,
        name: name.to_owned(),
        description: String::new(),
        scopes: Scopes::from_text(Scope::Api.name()),
        limits: TokenLimits::none(),
        expires_at: None,
    }
}

/// A token that an earlier start wrote down, when there is one.
fn left_over(path: &Path) -> Result<Option<Secret>, Stop> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => Ok(Some(Secret::given(text.trim()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Stop::failed(format!("{} cannot be read: {}", path.display(), reason(&error)))),
    }
}

/// A fresh token.
fn draw() -> Result<Secret, Stop> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Stop::failed(format!("the system gives no random bytes: {error}")))?;
    Ok(Secret::given(format!("{}{:032x}", access_tokens::PREFIX, u128::from_be_bytes(bytes))))
}

/// Writes the token where only the owner can read it: whole, or not at all.
pub(crate) fn write_token(path: &Path, secret: &Secret) -> Result<(), Stop> {
    let write = || -> io::Result<()> {
        let fresh = path.with_extension("new");
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&fresh)?;
        writeln!(file, "{}", secret.expose())?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    };
    write().map_err(|error| Stop::failed(format!("{} cannot be written: {}", path.display(), reason(&error))))
}

fn unmade(error: StoreError) -> Stop {
    Stop::failed(format!("the first administrator cannot be made: {}", Failure::from(error).message))
}

fn refused(error: StoreError) -> Stop {
    let failure = Failure::from(error);
    let text = format!("the first administrator's token is refused: {}", failure.message);
    if failure.code == ErrorCode::Invalid { Stop::usage(text) } else { Stop::failed(text) }
}
