//! A bounded walk through an XML document: no document types, no entities but XML's own five, no namespaces.

use domain::Failure;
use quick_xml::{Reader, events::Event};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 100;

/// Longest text of one element that is kept, in bytes. What is longer is cut off: only descriptions are.
const MAX_TEXT: usize = 64 * 1024;

/// Calls `element` at the end of each element, with the local names from the root to it, and its own text without the spaces
/// around it. `what` names the document in failures.
pub(super) fn walk(
    what: &'static str,
    bytes: &[u8],
    mut element: impl FnMut(&[String], &str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let text = decoded(what, bytes)?;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let mut path: Vec<String> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    let mut is_complete = false;
    loop {
        let event = reader.read_event().map_err(|error| malformed(what, &error))?;
        match event {
            Event::Start(_) if is_complete => return Err(malformed(what, &"there is more than one root")),
            Event::Start(_) if path.len() == MAX_DEPTH => {
                return Err(malformed(what, &format_args!("it is nested deeper than {MAX_DEPTH} elements")));
            }
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                texts.push(String::new());
            }
            Event::End(_) => {
                let own = texts.pop().unwrap_or_default();
                element(&path, own.trim())?;
                path.pop();
                is_complete = path.is_empty();
            }
            Event::Text(part) => keep(&mut texts, &part.xml10_content()),
            Event::CData(part) => keep(&mut texts, &part.xml10_content()),
            Event::GeneralRef(reference) => keep(&mut texts, &resolved(what, &reference)?),
            Event::DocType(_) => {
                return Err(malformed(what, &"it has a document type declaration, which is not read"));
            }
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if is_complete => return Ok(()),
            Event::Eof => return Err(malformed(what, &"it ends before its root does")),
        }
    }
}

fn keep(texts: &mut [String], part: &str) {
    if let Some(text) = texts.last_mut() {
        let room = MAX_TEXT.saturating_sub(text.len()).min(part.len());
        text.push_str(&part[..part.floor_char_boundary(room)]);
    }
}

/// A character reference or one of XML's own entities as what it stands for. Others stay as they are written: published POMs
/// have `&oslash;` in people's names, and Maven lets them.
fn resolved(what: &'static str, reference: &quick_xml::events::BytesRef<'_>) -> Result<String, Failure> {
    let character = reference.resolve_char_ref().map_err(|error| malformed(what, &error))?;
    if let Some(character) = character {
        return Ok(character.to_string());
    }
    let name = reference.xml10_content();
    Ok(quick_xml::escape::resolve_xml_entity(&name).map_or_else(|| format!("&{name};"), ToOwned::to_owned))
}

/// The text of a document. Of encodings that begin as ASCII does only ASCII is understood, which is enough for what is
/// compared; a description may then have replacement characters.
fn decoded(what: &'static str, bytes: &[u8]) -> Result<String, Failure> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xfe, 0xff, rest @ ..] => return Ok(utf16(rest, u16::from_be_bytes)),
        [0xff, 0xfe, rest @ ..] => return Ok(utf16(rest, u16::from_le_bytes)),
        _ => {}
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) if declares_another_encoding(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        Err(error) => Err(malformed(what, &format_args!("it is not UTF-8 at byte {}", error.valid_up_to()))),
    }
}

/// Whether the declaration at the beginning names an encoding that is not UTF-8.
fn declares_another_encoding(bytes: &[u8]) -> bool {
    let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).to_ascii_lowercase();
    let declaration = beginning.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    declaration.is_some_and(|(declaration, _)| {
        declaration.contains("encoding") && !declaration.contains("utf-8") && !declaration.contains("utf8")
    })
}

fn malformed(what: &'static str, why: &dyn std::fmt::Display) -> Failure {
    Failure::invalid("files", format!("{what} cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::walk;

    fn walked(xml: &[u8]) -> Result<Vec<String>, String> {
        let mut seen = Vec::new();
        walk("The document", xml, |path, text| {
            seen.push(format!("{}={text}", path.join("/")));
            Ok(())
        })
        .map(|()| seen)
        .map_err(|failure| failure.message.into_owned())
    }

    #[test]
    fn elements_come_with_their_path_and_text() {
        let seen = walked(b"<?xml version=\"1.0\"?>\n<a x='1'><!-- no --> b &lt;<c> d&#x41;&oslash; </c><e/><![CDATA[<f>]]></a>\n");
        assert_eq!(seen, Ok(vec!["a/c=dA&oslash;".to_owned(), "a/e=".to_owned(), "a=b <<f>".to_owned()]));
        assert_eq!(
            walked(b"<m:a xmlns:m='x'><m:b>1</m:b></m:a>"),
            Ok(vec!["a/b=1".to_owned(), "a=".to_owned()])
        );
    }

    #[test]
    fn every_encoding_in_use_is_read() {
        assert_eq!(walked(b"\xef\xbb\xbf<a>1</a>"), Ok(vec!["a=1".to_owned()]));
        let latin = walked(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>J\xfcrgen</a>");
        assert_eq!(latin, Ok(vec!["a=J\u{fffd}rgen".to_owned()]));
        let wide: Vec<u8> =
            std::iter::once(0xfeff).chain("<a>ü</a>".encode_utf16()).flat_map(u16::to_be_bytes).collect();
        assert_eq!(walked(&wide), Ok(vec!["a=ü".to_owned()]));
        assert_eq!(
            walked(b"<a>J\xfc</a>"),
            Err("The document cannot be read: it is not UTF-8 at byte 4".to_owned())
        );
    }

    #[test]
    fn what_could_hurt_is_refused() {
        let laughs = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;&b;\">]><a>&c;</a>";
        let deep = format!("{}{}", "<a>".repeat(101), "</a>".repeat(101));
        for (xml, told) in [
            (laughs, "document type declaration"),
            (deep.as_str(), "nested deeper than 100 elements"),
            ("<a/><b/>", "more than one root"),
            ("<a><b></a></b>", "cannot be read"),
            ("<a>", "ends before its root does"),
            ("", "ends before its root does"),
            ("no xml", "ends before its root does"),
            ("<a>&#xD800;</a>", "cannot be read"),
        ] {
            let message = walked(xml.as_bytes()).expect_err(xml);
            assert!(message.contains(told), "{xml}: {message}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "(<[a-c/!?]{0,3}>?|&[a#x0-9;]{0,4}|\\PC){0,40}") {
            let _ = walked(&bytes);
            let _ = walked(text.as_bytes());
        }

        #[test]
        fn text_comes_back(text in "[^<>&\\x00-\\x1f\\x7f-\\x9f\\u2028]{0,40}") {
            let xml = format!("<a>{text}</a>");
            prop_assert_eq!(walked(xml.as_bytes()), Ok(vec![format!("a={}", text.trim())]));
        }
    }
}
