//! Answers a download: conditional requests (RFC 9110 §13), one range (§14), HEAD, and headers that keep an artefact from
//! being taken for a page of this site.

use axum::{body::Body, response::Response};
use domain::Failure;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use time::OffsetDateTime;

use crate::{Call, OpenedBlob, range::Wanted};

/// What a download must know of the file besides its bytes.
#[derive(Clone, Debug)]
pub struct Download<'a> {
    /// The ticket the model issued.
    pub ticket: &'a str,
    /// The name to save it under: the last segment of the file name.
    pub file_name: &'a str,
    /// Length in bytes.
    pub size: u64,
    /// A strong entity tag, without quotes: a digest of the content.
    pub etag: &'a str,
    /// When it was published.
    pub modified: Option<OffsetDateTime>,
    /// Its media type. The answer is an attachment in a sandbox whatever it is.
    pub content_type: &'a str,
}

/// From this size on a download is sent on to the storage, where it is configured so. Below, a second round trip takes the
/// client longer than the bytes.
const SENT_ON_FROM: u64 = 1024 * 1024;

/// What RFC 8187 lets stand unescaped in an extended parameter.
const EXTENDED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'*')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'{')
    .add(b'}');

/// `attachment` with the file name, plain and extended (RFC 6266).
pub fn content_disposition(file_name: &str) -> HeaderValue {
    let name = file_name.rsplit('/').next().unwrap_or(file_name);
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\') || c == ' ' { c } else { '_' })
        .collect();
    let extended = utf8_percent_encode(name, EXTENDED);
    HeaderValue::try_from(format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{extended}"))
        .expect("only visible ASCII is left")
}

/// Whether the caller's copy, known by `etag` and `modified`, is still good (`If-None-Match` before `If-Modified-Since`).
pub fn is_not_modified(headers: &HeaderMap, etag: &str, modified: Option<OffsetDateTime>) -> bool {
    if let Some(tags) = headers.get(header::IF_NONE_MATCH) {
        return names(tags, |tag| tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"') == etag);
    }
    matches!((date(headers, &header::IF_MODIFIED_SINCE), modified), (Some(since), Some(modified)) if since >= whole(modified))
}

/// Whether the caller asked for another representation than this one (`If-Match` before `If-Unmodified-Since`, RFC 9110 §13.2.2).
fn is_another(headers: &HeaderMap, download: &Download<'_>) -> bool {
    if let Some(tags) = headers.get(header::IF_MATCH) {
        return !names(tags, |tag| {
            tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) == Some(download.etag)
        });
    }
    let since = date(headers, &header::IF_UNMODIFIED_SINCE);
    matches!((since, download.modified), (Some(since), Some(modified)) if whole(modified) > since)
}

/// Whether a list of entity tags is `*`, or holds one that `is_it`.
fn names(tags: &HeaderValue, is_it: impl Fn(&str) -> bool) -> bool {
    tags.to_str().is_ok_and(|tags| tags.split(',').map(str::trim).any(|tag| tag == "*" || is_it(tag)))
}

/// The instant that a header names. A header that is no date is ignored.
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<OffsetDateTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok().map(Into::into)
}

/// An instant as HTTP can name it.
fn whole(instant: OffsetDateTime) -> OffsetDateTime {
    instant.replace_nanosecond(0).unwrap_or(instant)
}

fn wanted_range(headers: &HeaderMap, download: &Download<'_>) -> Wanted {
    let Some(value) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else {
        return Wanted::Everything;
    };
    if let Some(condition) = headers.get(header::IF_RANGE).and_then(|value| value.to_str().ok()) {
        let unchanged = condition.trim_matches('"') == download.etag
            || download
                .modified
                .is_some_and(|modified| httpdate::fmt_http_date(modified.into()) == condition);
        if !unchanged {
            return Wanted::Everything;
        }
    }
    Wanted::parse(value, download.size)
}

/// Answers the download. `extra` headers (checksums, say) are added to every answer, 304 included.
pub async fn file(call: &Call, download: Download<'_>, extra: HeaderMap) -> Result<Response, Failure> {
    if is_another(&call.headers, &download) {
        let mut response = with_headers(extra, StatusCode::PRECONDITION_FAILED);
        add_validators(response.headers_mut(), &download)?;
        return Ok(response);
    }
    if is_not_modified(&call.headers, download.etag, download.modified) {
        let mut response = with_headers(extra, StatusCode::NOT_MODIFIED);
        add_validators(response.headers_mut(), &download)?;
        if call.method == Method::HEAD {
            // A body of unknown length: nobody adds a Content-Length of 0, which would be said of the file.
            *response.body_mut() =
                Body::from_stream(futures::stream::empty::<std::io::Result<bytes::Bytes>>());
        }
        return Ok(response);
    }
    let disposition = content_disposition(download.file_name);
    let content_type = HeaderValue::try_from(download.content_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    // The client sends its Range there too, and the storage answers it.
    if call.method == Method::GET
        && download.size >= SENT_ON_FROM
        && let Some(address) = call.gateway.presign(download.ticket, &disposition, &content_type).await?
    {
        return sent_on(&address, extra);
    }
    let mut response = with_headers(extra, StatusCode::OK);
    let headers = response.headers_mut();
    add_validators(headers, &download)?;
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::CONTENT_TYPE, content_type);
    let Some((range, length)) = select_range(call, &download, &mut response)? else { return Ok(response) };
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if call.method == Method::HEAD {
        return Ok(response);
    }
    *response.body_mut() = match call.gateway.open(download.ticket, range).await? {
        OpenedBlob::Full(bytes) => Body::from(bytes),
        OpenedBlob::Stream { stream, .. } => Body::from_stream(stream),
    };
    Ok(response)
}

/// Sends the client to `address`, which nobody else may learn and which is good for a while only.
pub fn sent_on(address: &str, extra: HeaderMap) -> Result<Response, Failure> {
    let mut response = with_headers(extra, StatusCode::FOUND);
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::try_from(address).map_err(|_| Failure::internal())?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

fn with_headers(headers: HeaderMap, status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.headers_mut() = headers;
    *response.status_mut() = status;
    response
}

/// What clients ask with the next time.
fn add_validators(headers: &mut HeaderMap, download: &Download<'_>) -> Result<(), Failure> {
    let etag = format!("\"{}\"", download.etag);
    headers.insert(header::ETAG, HeaderValue::try_from(etag).map_err(|_| Failure::internal())?);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, max-age=0, must-revalidate"));
    if let Some(modified) = download.modified {
        let text = httpdate::fmt_http_date(modified.into());
        headers.insert(header::LAST_MODIFIED, HeaderValue::try_from(text).map_err(|_| Failure::internal())?);
    }
    Ok(())
}

/// A range, or everything, and how many bytes that is.
type Part = (Option<std::ops::Range<u64>>, u64);

/// What to send, if anything. Says in the head of `response` what it is.
fn select_range(
    call: &Call,
    download: &Download<'_>,
    response: &mut Response,
) -> Result<Option<Part>, Failure> {
    let (text, status, part) = match wanted_range(&call.headers, download) {
        Wanted::Everything => return Ok(Some((None, download.size))),
        Wanted::Range(range) => {
            let text = format!("bytes {}-{}/{}", range.start, range.end - 1, download.size);
            let length = range.end - range.start;
            (text, StatusCode::PARTIAL_CONTENT, Some((Some(range), length)))
        }
        Wanted::Unsatisfiable => {
            (format!("bytes */{}", download.size), StatusCode::RANGE_NOT_SATISFIABLE, None)
        }
    };
    let value = HeaderValue::try_from(text).map_err(|_| Failure::internal())?;
    response.headers_mut().insert(header::CONTENT_RANGE, value);
    *response.status_mut() = status;
    Ok(part)
}
