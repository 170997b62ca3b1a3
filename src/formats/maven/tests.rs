//! Tests of the inspector and the documents by themselves; `protocol` and the modules after it send requests through the
//! router.

/// Compares with a snapshot in this format's folder of them.
macro_rules! assert_snapshot {
    ($name:expr, $value:expr) => {{
        let value = $value;
        insta::with_settings!(
            { snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true },
            { insta::assert_snapshot!($name, value) }
        )
    }};
}

mod checksums;
mod documents;
mod inspection;
mod protocol;
mod snapshots;
mod stage;
