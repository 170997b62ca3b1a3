//! Why the program ends before its time.

use std::process::ExitCode;

use thiserror::Error;

/// Why a command could not be carried out, in one line that says what to do.
#[derive(Debug, Error)]
pub(crate) enum Stop {
    /// What was asked for cannot be: a setting is wrong. Exit code 2, like a flag that does not exist.
    #[error("{0}")]
    Usage(String),
    /// What was asked for did not work. Exit code 1.
    #[error("{0}")]
    Failed(String),
}

impl Stop {
    /// A wrong setting.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// Something that did not work.
    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    /// What the process answers.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::from(1),
        }
    }
}
