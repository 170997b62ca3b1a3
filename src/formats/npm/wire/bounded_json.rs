//! Reads JSON as a stream, with a bound on everything that stays in memory.

use std::{
    cell::Cell,
    io::{self, BufReader, Read},
    rc::Rc,
};

use domain::{ErrorCode, Failure};
use serde_json::{Map, Value};
use struson::reader::{
    JsonReader, JsonReaderPosition, JsonStreamReader, JsonSyntaxError, ReaderError, ReaderSettings,
    SyntaxErrorKind, ValueType,
};

use crate::shared::excerpt;

/// Bytes of the body besides attachments. The largest come from `npm deprecate`, which sends back the whole packument.
const TOTAL: u64 = 128 * 1024 * 1024;

/// Bytes of one name, number or punctuation with the space around it. struson holds these whole.
const TOKEN: u64 = 64 * 1024;

/// Weight of the values that are kept: their text, and what a value costs beside it.
const KEPT: usize = 8 * 1024 * 1024;

/// What a kept value weighs beside its text, about its size in memory.
const VALUE_WEIGHT: usize = 64;

/// Nesting, which is also how deep [`BoundedJson::value`] recurses. The inspector's and the schema's readers go to 128.
const DEPTH: u32 = 96;

/// Bytes read from the body at once. Each read of a body hops to the runtime and back.
const BUFFER: usize = 64 * 1024;

/// What may still be read, shared by the reader of bytes and the reader of JSON on top of it.
struct Meter {
    total: Cell<u64>,
    token: Cell<u64>,
    attachment: Cell<bool>,
    exceeded: Cell<bool>,
    source_failed: Cell<bool>,
}

struct Metered<'r> {
    source: BufReader<&'r mut dyn Read>,
    meter: Rc<Meter>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let meter = &self.meter;
        let allowed =
            if meter.attachment.get() { u64::MAX } else { meter.token.get().min(meter.total.get()) };
        if allowed == 0 {
            meter.exceeded.set(true);
            return Err(io::Error::other("the bound was reached"));
        }
        let length = buffer.len().min(usize::try_from(allowed).unwrap_or(usize::MAX));
        let read = self.source.read(&mut buffer[..length]).inspect_err(|_| meter.source_failed.set(true))?;
        if !meter.attachment.get() {
            meter.token.set(meter.token.get().saturating_sub(read as u64));
            meter.total.set(meter.total.get().saturating_sub(read as u64));
        }
        Ok(read)
    }
}

/// A reader of one JSON document. Failures say what is wrong with the body, and end the reading.
pub(super) struct BoundedJson<'r> {
    json: JsonStreamReader<Metered<'r>>,
    meter: Rc<Meter>,
    kept: usize,
}

impl<'r> BoundedJson<'r> {
    /// A reader of `source`.
    pub(super) fn new(source: &'r mut dyn Read) -> Self {
        let meter = Rc::new(Meter {
            total: Cell::new(TOTAL),
            token: Cell::new(TOKEN),
            attachment: Cell::new(false),
            exceeded: Cell::new(false),
            source_failed: Cell::new(false),
        });
        let source = BufReader::with_capacity(BUFFER, source);
        let settings =
            ReaderSettings { max_nesting_depth: Some(DEPTH), track_path: false, ..ReaderSettings::default() };
        let json = JsonStreamReader::new_custom(Metered { source, meter: Rc::clone(&meter) }, settings);
        Self { json, meter, kept: 0 }
    }

    /// Whether the next value is of this type.
    pub(super) fn next_is(&mut self, wanted: ValueType) -> Result<bool, Failure> {
        let found = self.bounded(TOKEN, JsonReader::peek)?;
        Ok(found == wanted)
    }

    /// Enters an object.
    pub(super) fn begin_object(&mut self) -> Result<(), Failure> {
        self.bounded(TOKEN, JsonReader::begin_object)
    }

    /// Leaves an object.
    pub(super) fn end_object(&mut self) -> Result<(), Failure> {
        self.bounded(TOKEN, JsonReader::end_object)
    }

    /// The name of the object's next member, while it has one.
    pub(super) fn next_name(&mut self) -> Result<Option<String>, Failure> {
        if !self.bounded(TOKEN, JsonReader::has_next)? {
            return Ok(None);
        }
        self.bounded(TOKEN, JsonReader::next_name_owned).map(Some)
    }

    /// Passes over the next value.
    pub(super) fn skip(&mut self) -> Result<(), Failure> {
        self.bounded(TOTAL, JsonReader::skip_value)
    }

    /// The next value, a whole number, if it is one.
    pub(super) fn number(&mut self) -> Result<Option<u64>, Failure> {
        if self.next_is(ValueType::Number)? {
            let text = self.bounded(TOKEN, JsonReader::next_number_as_string)?;
            return Ok(text.parse().ok());
        }
        self.skip()?;
        Ok(None)
    }

    /// The next value, a text.
    pub(super) fn text(&mut self) -> Result<String, Failure> {
        // The text is in memory before it can be weighed: what may be kept bounds what may be read.
        let allowed = (KEPT - self.kept) as u64;
        let text = self.bounded(allowed.max(1), JsonReader::next_string)?;
        self.keep(text.len())?;
        Ok(text)
    }

    /// The next value if it is a text; any other is passed over.
    pub(super) fn optional_text(&mut self) -> Result<Option<String>, Failure> {
        if self.next_is(ValueType::String)? {
            return self.text().map(Some);
        }
        self.skip()?;
        Ok(None)
    }

    /// The next value as it is, refusing objects that name a member twice: two readers would see two values.
    pub(super) fn value(&mut self) -> Result<Value, Failure> {
        match self.bounded(TOKEN, JsonReader::peek)? {
            ValueType::Object => self.object_without(&[]).map(Value::Object),
            ValueType::Array => {
                self.bounded(TOKEN, JsonReader::begin_array)?;
                let mut items = Vec::new();
                while self.bounded(TOKEN, JsonReader::has_next)? {
                    items.push(self.value()?);
                }
                self.bounded(TOKEN, JsonReader::end_array)?;
                self.keep(0)?;
                Ok(Value::Array(items))
            }
            ValueType::String => self.text().map(Value::String),
            ValueType::Number => {
                let text = self.bounded(TOKEN, JsonReader::next_number_as_string)?;
                self.keep(0)?;
                serde_json::from_str(&text)
                    .map_err(|_| invalid("The request body has a number that is out of range"))
            }
            ValueType::Boolean => {
                self.keep(0)?;
                self.bounded(TOKEN, JsonReader::next_bool).map(Value::Bool)
            }
            ValueType::Null => {
                self.keep(0)?;
                self.bounded(TOKEN, JsonReader::next_null)?;
                Ok(Value::Null)
            }
        }
    }

    /// The next value, an object, without the members called `dropped`, which are not held either.
    pub(super) fn object_without(&mut self, dropped: &[&str]) -> Result<Map<String, Value>, Failure> {
        self.begin_object()?;
        let mut members = Map::new();
        while let Some(name) = self.next_name()? {
            if dropped.contains(&name.as_str()) {
                self.skip()?;
                continue;
            }
            if members.contains_key(&name) {
                return Err(twice(&name));
            }
            self.keep(name.len())?;
            let value = self.value()?;
            members.insert(name, value);
        }
        self.end_object()?;
        self.keep(0)?;
        Ok(members)
    }

    /// Gives the next value, a text, to `take` piece by piece. Nothing of it is kept and no bound applies. Each piece fills
    /// `buffer` but for the last one.
    pub(super) fn stream_text(
        &mut self,
        buffer: &mut [u8],
        mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.meter.attachment.set(true);
        let mut text = self.json.next_string_reader().map_err(|error| explain(&self.meter, &error))?;
        loop {
            let mut filled = 0;
            while filled < buffer.len() {
                match text.read(&mut buffer[filled..]).map_err(|error| explain_text(&self.meter, &error))? {
                    0 => break,
                    read => filled += read,
                }
            }
            if filled > 0 {
                take(&buffer[..filled])?;
            }
            if filled < buffer.len() {
                break;
            }
        }
        drop(text);
        self.meter.attachment.set(false);
        Ok(())
    }

    /// Checks that the document ends here.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Self { json, meter, .. } = self;
        meter.token.set(TOKEN);
        json.consume_trailing_whitespace().map_err(|error| explain(&meter, &error))
    }

    /// Counts a value of `length` bytes of text that is kept.
    pub(super) fn keep(&mut self, length: usize) -> Result<(), Failure> {
        self.kept = self.kept.saturating_add(length).saturating_add(VALUE_WEIGHT);
        if self.kept < KEPT { Ok(()) } else { Err(too_large()) }
    }

    fn bounded<T>(
        &mut self,
        allowed: u64,
        read: impl FnOnce(&mut JsonStreamReader<Metered<'r>>) -> Result<T, ReaderError>,
    ) -> Result<T, Failure> {
        self.meter.token.set(allowed);
        read(&mut self.json).map_err(|error| explain(&self.meter, &error))
    }
}

/// The body is malformed.
pub(super) fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::invalid("body", message)
}

/// The body names a member twice.
pub(super) fn twice(name: &str) -> Failure {
    invalid(format!("The request body has the member '{}' twice", excerpt(name)))
}

fn too_large() -> Failure {
    Failure {
        field: Some("body".into()),
        ..Failure::new(ErrorCode::Invalid, "The package metadata is too large")
    }
}

fn ended_early() -> Failure {
    invalid("The request body ended early")
}

fn explain(meter: &Meter, error: &ReaderError) -> Failure {
    if meter.exceeded.get() {
        return too_large();
    }
    if meter.source_failed.get() {
        return ended_early();
    }
    match error {
        ReaderError::SyntaxError(error) => explain_syntax(error),
        ReaderError::UnexpectedValueType { expected, actual, location } => invalid(format!(
            "The request body has {} where {} belongs, at {}",
            kind_of(*actual),
            kind_of(*expected),
            place(location)
        )),
        ReaderError::MaxNestingDepthExceeded { .. } => invalid("The request body is nested too deeply"),
        ReaderError::UnsupportedNumberValue { .. } => {
            invalid("The request body has a number that is out of range")
        }
        // struson checks the encoding of names and texts while it reads them.
        ReaderError::IoError { .. } => invalid("The request body is not valid UTF-8"),
        // What only readers of values in other ways run into.
        _ => invalid("The request body is not the JSON that a client of npm sends"),
    }
}

/// A type of values, in words.
const fn kind_of(value: ValueType) -> &'static str {
    match value {
        ValueType::Array => "an array",
        ValueType::Object => "an object",
        ValueType::String => "a text",
        ValueType::Number => "a number",
        ValueType::Boolean => "true or false",
        ValueType::Null => "null",
    }
}

/// A place in the body, as editors count lines and columns.
fn place(location: &JsonReaderPosition) -> String {
    match &location.line_pos {
        Some(position) => {
            format!("line {}, column {}", position.line.saturating_add(1), position.column.saturating_add(1))
        }
        None => "an unknown place".to_owned(),
    }
}

fn explain_syntax(error: &JsonSyntaxError) -> Failure {
    match error.kind {
        SyntaxErrorKind::IncompleteDocument => ended_early(),
        kind => {
            let place = place(&error.location);
            invalid(format!("The request body is not valid JSON: {}, at {place}", offence(kind)))
        }
    }
}

/// What breaks the grammar of JSON (RFC 8259), in words.
const fn offence(kind: SyntaxErrorKind) -> &'static str {
    match kind {
        SyntaxErrorKind::CommentsNotEnabled
        | SyntaxErrorKind::IncompleteComment
        | SyntaxErrorKind::BlockCommentNotClosed => "a comment",
        SyntaxErrorKind::InvalidLiteral | SyntaxErrorKind::TrailingDataAfterLiteral => {
            "a word that is not true, false or null"
        }
        SyntaxErrorKind::UnexpectedClosingBracket => "a bracket that closes nothing",
        SyntaxErrorKind::UnexpectedComma | SyntaxErrorKind::TrailingCommaNotEnabled => {
            "a comma without a value behind it"
        }
        SyntaxErrorKind::MissingComma => "a missing comma",
        SyntaxErrorKind::UnexpectedColon => "a colon that belongs to no name",
        SyntaxErrorKind::MissingColon => "a missing colon",
        SyntaxErrorKind::MalformedNumber | SyntaxErrorKind::TrailingDataAfterNumber => "a malformed number",
        SyntaxErrorKind::ExpectingMemberNameOrObjectEnd => "a missing name or closing bracket",
        SyntaxErrorKind::MalformedJson => "a character that begins no value",
        SyntaxErrorKind::NotEscapedControlCharacter => "a control character that is not escaped",
        SyntaxErrorKind::UnknownEscapeSequence | SyntaxErrorKind::MalformedEscapeSequence => {
            "a malformed escape sequence"
        }
        SyntaxErrorKind::UnpairedSurrogatePairEscapeSequence => "half of a surrogate pair",
        SyntaxErrorKind::IncompleteDocument => "an early end",
        SyntaxErrorKind::TrailingData => "data behind its end",
        _ => "something that JSON does not have",
    }
}

/// What a reader of a text fails with is wrapped once more.
fn explain_text(meter: &Meter, error: &io::Error) -> Failure {
    let inner = error.get_ref();
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<ReaderError>()) {
        return explain(meter, error);
    }
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<JsonSyntaxError>()) {
        return explain_syntax(error);
    }
    if meter.source_failed.get() { ended_early() } else { invalid("The request body is not valid UTF-8") }
}
