//! What a generic archive says of itself: nothing. Its bytes are opaque, so all there is to check is the claim.

use domain::{
    Failure,
    rules::{Inspection, Publication},
};
use serde_json::Value;

/// Accepts any file, and no metadata: what would be dropped in silence is refused.
pub(crate) fn inspect(publication: &Publication<'_>) -> Result<Inspection, Failure> {
    if publication.files.is_empty() {
        return Err(Failure::invalid(
            "files",
            "A generic package is made of files: name at least one upload",
        ));
    }
    let nothing_said = match &publication.metadata {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => false,
    };
    if !nothing_said {
        return Err(Failure::invalid("metadata", "Generic packages keep no metadata: leave it out"));
    }
    Ok(Inspection::default())
}
