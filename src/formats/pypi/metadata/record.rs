//! `RECORD` of a wheel: every file with its hash (PEP 376, 427).

use std::{collections::HashMap, io::Read};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Failure;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{paths, refuse};
use crate::shared::excerpt;

/// Largest `RECORD`.
pub(super) const MAX_SIZE: u64 = 32 * 1024 * 1024;

/// What it says of a file.
#[derive(Debug)]
struct Line {
    hash: Option<(Algorithm, Vec<u8>)>,
    size: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

/// A `RECORD`, from which what has been found is taken.
#[derive(Debug)]
pub(super) struct Record(HashMap<String, Line>);

impl Record {
    /// Reads a `RECORD`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("RECORD is not valid UTF-8"))?;
        let mut lines = HashMap::new();
        for row in rows(text)? {
            let [path, hash, size] = row.as_slice() else {
                return Err(refuse(format_args!(
                    "RECORD has a line without three columns: '{}'",
                    excerpt(&row.join(","))
                )));
            };
            let path = paths::checked(path)?;
            let line = Line { hash: hash_of(hash, &path)?, size: size_of(size, &path)? };
            if lines.insert(path.clone(), line).is_some() {
                return Err(refuse(format_args!("RECORD lists '{}' twice", excerpt(&path))));
            }
        }
        Ok(Self(lines))
    }

    /// Takes the line of a file, whatever it says: `RECORD` itself and signatures of it have no hash.
    pub(super) fn pass(&mut self, path: &str) {
        self.0.remove(path);
    }

    /// Takes the line of a file and compares it with the content.
    pub(super) fn check(&mut self, path: &str, size: u64, content: &mut dyn Read) -> Result<(), Failure> {
        let line = self
            .0
            .remove(path)
            .ok_or_else(|| refuse(format_args!("RECORD does not list '{}'", excerpt(path))))?;
        let (algorithm, expected) =
            line.hash.ok_or_else(|| refuse(format_args!("RECORD has no hash of '{}'", excerpt(path))))?;
        if line.size.is_some_and(|stated| stated != size) {
            return Err(refuse(format_args!(
                "RECORD states another size of '{}' than {size}",
                excerpt(path)
            )));
        }
        let actual = match algorithm {
            Algorithm::Sha256 => digest::<Sha256>(content),
            Algorithm::Sha384 => digest::<Sha384>(content),
            Algorithm::Sha512 => digest::<Sha512>(content),
        };
        let actual = actual.map_err(|error| super::zip::damaged(path, &error))?;
        if actual == expected {
            return Ok(());
        }
        Err(refuse(format_args!(
            "RECORD states another hash of '{}' than {}",
            excerpt(path),
            URL_SAFE_NO_PAD.encode(actual)
        )))
    }

    /// Nothing is left when every line was of a file.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self.0.keys().min() {
            Some(path) => {
                Err(refuse(format_args!("RECORD lists '{}', which is not in the archive", excerpt(path))))
            }
            None => Ok(()),
        }
    }
}

fn digest<D: Digest>(content: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut hasher = D::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_vec()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// `sha256=<urlsafe base64>`; none when the column is empty.
fn hash_of(column: &str, path: &str) -> Result<Option<(Algorithm, Vec<u8>)>, Failure> {
    if column.is_empty() {
        return Ok(None);
    }
    let bad =
        || refuse(format_args!("RECORD has no SHA-2 hash of '{}': '{}'", excerpt(path), excerpt(column)));
    let (name, encoded) = column.split_once('=').ok_or_else(bad)?;
    let algorithm = match name {
        "sha256" => Algorithm::Sha256,
        "sha384" => Algorithm::Sha384,
        "sha512" => Algorithm::Sha512,
        _ => return Err(bad()),
    };
    let hash = URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).map_err(|_| bad())?;
    Ok(Some((algorithm, hash)))
}

fn size_of(column: &str, path: &str) -> Result<Option<u64>, Failure> {
    if column.is_empty() {
        return Ok(None);
    }
    let size = column.parse();
    size.map(Some).map_err(|_| {
        refuse(format_args!("RECORD states no size of '{}': '{}'", excerpt(path), excerpt(column)))
    })
}

/// The rows of a text of comma-separated values, with quotes around values that need them.
fn rows(text: &str) -> Result<Vec<Vec<String>>, Failure> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut value = String::new();
    let (mut letters, mut is_quoted) = (text.chars().peekable(), false);
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                value.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            '"' if value.is_empty() => is_quoted = true,
            ',' if !is_quoted => row.push(std::mem::take(&mut value)),
            '\r' if !is_quoted && letters.peek() == Some(&'\n') => {}
            '\n' if !is_quoted => {
                if !(row.is_empty() && value.is_empty()) {
                    row.push(std::mem::take(&mut value));
                    rows.push(std::mem::take(&mut row));
                }
            }
            other => value.push(other),
        }
    }
    if is_quoted {
        return Err(refuse("RECORD ends within a quoted value"));
    }
    if !(row.is_empty() && value.is_empty()) {
        row.push(value);
        rows.push(row);
    }
    Ok(rows)
}
