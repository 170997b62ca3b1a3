//! What clients send: the form of an upload (`form.rs`), and what a reader accepts.

pub(super) mod form;

use domain::Failure;
use http::{HeaderMap, header};

use super::{document::Document, error::parameter};
use crate::shared::excerpt;

/// What a document is answered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Representation {
    /// What it is written in.
    pub(super) document: Document,
    /// The type it is asked for as.
    name: &'static str,
    /// The type it is labelled with.
    pub(super) content_type: &'static str,
}

const HTML: Representation =
    Representation { document: Document::Html, name: "text/html", content_type: "text/html; charset=utf-8" };

/// What there is, each under every name it can be asked for, what is preferred among equals first. "latest" is version 1,
/// and the answer says so (PEP 691).
const REPRESENTATIONS: &[Representation] = &[
    HTML,
    Representation {
        document: Document::Json,
        name: "application/vnd.pypi.simple.v1+json",
        content_type: "application/vnd.pypi.simple.v1+json; charset=utf-8",
    },
    Representation {
        document: Document::Json,
        name: "application/vnd.pypi.simple.latest+json",
        content_type: "application/vnd.pypi.simple.v1+json; charset=utf-8",
    },
    Representation {
        document: Document::Html,
        name: "application/vnd.pypi.simple.v1+html",
        content_type: "application/vnd.pypi.simple.v1+html; charset=utf-8",
    },
    Representation {
        document: Document::Html,
        name: "application/vnd.pypi.simple.latest+html",
        content_type: "application/vnd.pypi.simple.v1+html; charset=utf-8",
    },
];

impl Representation {
    /// What a request asks for: in `?format=` by name, or else what `Accept` rates highest. Something that rates nothing of
    /// what there is gets the page of links, as from GitLab.
    pub(super) fn of(headers: &HeaderMap, format: Option<&str>) -> Result<Self, Failure> {
        if let Some(format) = format {
            // A plus sign in a query is a space unless it is written as %2B.
            let format = &format.replace(' ', "+");
            let known = REPRESENTATIONS.iter().find(|known| known.name.eq_ignore_ascii_case(format));
            return known.copied().ok_or_else(|| {
                let why =
                    format!("does not have a valid value: there is no '{}' of an index", excerpt(format));
                parameter("format", &why)
            });
        }
        let texts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let accept = Accept::parse(texts.flat_map(|text| text.split(',')));
        let mut best = (HTML, 0);
        for known in REPRESENTATIONS {
            let quality = accept.quality(known.name);
            if quality > best.1 {
                best = (*known, quality);
            }
        }
        Ok(best.0)
    }
}

/// The ranges of an `Accept`, with their qualities in thousandths (RFC 9110 §12.5.1).
struct Accept<'a>(Vec<(&'a str, u16)>);

impl<'a> Accept<'a> {
    fn parse(ranges: impl Iterator<Item = &'a str>) -> Self {
        let parse = |range: &'a str| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next()?;
            let stated = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            let quality = stated.map_or(Some(1_000), thousandths)?;
            Some((name, quality))
        };
        Self(ranges.filter_map(parse).collect())
    }

    /// The quality of a type: that of the most specific range that it is in. None of them: zero.
    fn quality(&self, name: &str) -> u16 {
        let kind = name.split('/').next().unwrap_or_default();
        let specificity = |range: &str| {
            if range.eq_ignore_ascii_case(name) {
                Some(2)
            } else if range.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(kind)) {
                Some(1)
            } else {
                (range == "*/*").then_some(0)
            }
        };
        let fitting = self.0.iter().filter_map(|(range, quality)| Some((specificity(range)?, *quality)));
        fitting.max_by_key(|(specificity, _)| *specificity).map_or(0, |(_, quality)| quality)
    }
}

/// A weight between `0` and `1` with at most three digits, in thousandths.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1_000),
        _ => None,
    }
}
