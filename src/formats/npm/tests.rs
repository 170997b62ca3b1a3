//! Tests of the parts that need no server: documents, the inspector, the decoder. Those of the protocol go through the
//! router of `testkit`.
