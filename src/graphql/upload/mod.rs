//! Bytes on their way in and out: uploads that wait for a publish, tickets that give the right to read.

mod begin;
pub(crate) mod claim;
mod transfer;

pub(crate) use begin::UploadMutation;
pub(crate) use transfer::{open, presign, stage, stage_at_door, stage_writer};
