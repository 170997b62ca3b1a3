//! The form of an upload: fields before and after the file, in chunks of any size, with flat memory.

use std::io;

use bytes::Bytes;
use domain::Failure;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use proptest::prelude::*;
use testkit::artefacts::pypi::{BOUNDARY, content_type, form};

use crate::pypi::wire::form::{Fields, UploadForm};

/// What a form turned out to have: the fields, and the name and bytes of the file.
type Read = (Fields, Option<(String, Vec<u8>)>);

async fn read(body: Vec<u8>, chunk: usize, maximum_size: u64) -> Result<Read, Failure> {
    let chunks: Vec<io::Result<Bytes>> =
        body.chunks(chunk).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let mut form = UploadForm::new(stream::iter(chunks).boxed(), &content_type(), maximum_size)?;
    let mut file = None;
    while let Some(next) = form.next_file().await? {
        let content: Result<Vec<Bytes>, _> = next.content.try_collect().await;
        let content = content.map_err(|error| Failure::invalid("content", error.to_string()))?;
        file = Some((next.name, content.concat()));
    }
    Ok((form.fields, file))
}

fn fields(name: &str, version: &str) -> Fields {
    Fields { name: Some(name.to_owned()), version: Some(version.to_owned()), ..Fields::default() }
}

#[tokio::test]
async fn fields_stand_before_and_after_the_file() {
    let end = format!("--{BOUNDARY}--\r\n");
    let file = form(&[], Some(("a-1.0.tar.gz", b"\r\n--almost a boundary\r\n")));
    let file = file.strip_suffix(end.as_bytes()).expect("the end");
    let after = form(&[("name", "a"), ("version", "1.0"), ("classifiers", "x"), ("classifiers", "y")], None);
    let body = [file, &after].concat();
    for chunk in [1, 2, 7, 64, 10_000] {
        let (read, file) = read(body.clone(), chunk, 1_000).await.expect("a form");
        assert_eq!(read, fields("a", "1.0"));
        assert_eq!(
            file,
            Some(("a-1.0.tar.gz".to_owned(), b"\r\n--almost a boundary\r\n".to_vec())),
            "{chunk}"
        );
    }
}

#[tokio::test]
async fn what_is_no_form_of_an_upload_is_refused() {
    let long = "x".repeat(5_000);
    let mut broken = form(&[("name", "a")], Some(("a", b"x")));
    broken.truncate(broken.len() - 3);
    let headers = format!("--{BOUNDARY}\r\nX-Long: {}", "x".repeat(200_000)).into_bytes();
    let unnamed = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nx\r\n--{BOUNDARY}--\r\n"
    );
    let latin = form(&[("name", "")], None);
    let position = latin.windows(4).position(|window| window == b"\r\n\r\n").expect("a field") + 4;
    let latin = [&latin[..position], b"\xe4", &latin[position..]].concat();
    for (body, reason) in [
        (form(&[("name", &long)], None), "name is too long"),
        (form(&[("name", "a"), ("name", "b")], None), "name is given twice"),
        (unnamed.into_bytes(), "content is invalid: it has no file name"),
        (latin, "name is not valid UTF-8"),
        (headers, "The form cannot be read: send the file in a part called 'content'"),
        (broken, "The upload broke off before its end; send it again"),
        (b"nothing".to_vec(), "The upload broke off before its end; send it again"),
        (Vec::new(), "The upload broke off before its end; send it again"),
    ] {
        let failure = read(body, 1_000, 1_000).await.expect_err(reason);
        assert_eq!(failure.message, reason);
    }
    let no_form =
        UploadForm::new(stream::empty().boxed(), "application/json", 1).map(drop).expect_err("no form");
    assert_eq!(
        no_form.message,
        "content is missing: the Content-Type is 'application/json', not multipart/form-data with a boundary"
    );
}

#[tokio::test]
async fn no_more_is_read_than_is_needed() {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let head = Bytes::from(form(&[("name", "a")], Some(("a-1.0.tar.gz", b""))));
    let head = head.slice(..head.len() - BOUNDARY.len() - 8);
    let endless = stream::repeat_with(|| Ok(Bytes::from(vec![b'x'; 1_000])));
    let body = stream::iter([Ok(head)]).chain(endless).inspect(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let mut form = UploadForm::new(body.boxed(), &content_type(), u64::MAX / 2).expect("a form");
    let mut file = form.next_file().await.expect("a form").expect("a file");
    assert!(taken.load(Ordering::Relaxed) <= 2, "the head, and not much more");
    for read in 1..100 {
        file.content.next().await.expect("endless").expect("readable");
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken <= read + 2, "{taken} chunks for {read} pieces");
    }
}

proptest! {
    #[test]
    fn any_file_comes_out_as_it_went_in(content in proptest::collection::vec(any::<u8>(), 0..2_000), chunk in 1..500_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let body = form(&[("name", "a"), ("version", "1.0")], Some(("a-1.0.tar.gz", &content)));
        let (read, file) = runtime.block_on(read(body, chunk, 10_000)).expect("a form");
        prop_assert_eq!(read, fields("a", "1.0"));
        prop_assert_eq!(file, Some(("a-1.0.tar.gz".to_owned(), content)));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in any::<prop::sample::Index>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let good = form(&[("name", "a")], Some(("a-1.0.tar.gz", b"content")));
        let _ = runtime.block_on(read([&good[..cut.index(good.len())], &bytes].concat(), 50, 10_000));
    }
}
