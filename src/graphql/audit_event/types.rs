//! An event as it is read.

use async_graphql::{Json, Object};
use domain::{AuthorType, UserId};
use serde_json::{Value, json};
use store::audit_events;

use crate::{
    package::PackageTypeEnum,
    relay::global_id::{AuditEventID, UserID},
    scalars::Time,
};

/// Something that was changed, or that somebody was refused.
pub(crate) struct AuditEvent(pub(super) audit_events::AuditEvent);

/// Something that was changed, or that somebody was refused to change (ours: GitLab shows these in its REST API).
#[Object]
impl AuditEvent {
    async fn id(&self) -> AuditEventID {
        self.0.id.into()
    }
    /// The name of its kind.
    async fn event_name(&self) -> &str {
        &self.0.name
    }
    /// What happened, for reading.
    async fn message(&self) -> &str {
        &self.0.message
    }
    /// The user who did it. Null for deploy tokens and for the server itself.
    async fn author_id(&self) -> Option<UserID> {
        let id = self.0.author_id.filter(|_| self.0.author == AuthorType::User)?;
        Some(UserId(id).into())
    }
    /// What whoever did it was called.
    async fn author_name(&self) -> &str {
        &self.0.author_name
    }
    /// What kind of author that was, in GitLab's words.
    async fn author_class(&self) -> &str {
        self.0.author.class()
    }
    /// What kind of thing it belongs to: `Group`, `Project`, `User` or `Gitlab::Audit::InstanceScope`.
    async fn entity_type(&self) -> &str {
        self.0.entity_type.name()
    }
    /// The number of what it belongs to. Null for the instance.
    async fn entity_id(&self) -> Option<i64> {
        self.0.entity_id
    }
    /// The full path of what it belongs to, as it was.
    async fn entity_path(&self) -> &str {
        &self.0.entity_path
    }
    /// The class of what was changed, in GitLab's words, such as `Packages::Npm::Package`.
    async fn target_type(&self) -> &str {
        &self.0.target_type
    }
    /// The number of what was changed.
    async fn target_id(&self) -> Option<i64> {
        self.0.target_id
    }
    /// What was changed, for reading.
    async fn target_details(&self) -> &str {
        &self.0.target_details
    }
    /// The type of the package it is about.
    async fn package_type(&self) -> Option<PackageTypeEnum> {
        self.0.package_format.map(Into::into)
    }
    /// The name of the package it is about.
    async fn package_name(&self) -> Option<&str> {
        self.0.package_name.as_deref()
    }
    /// Everything there is to say, under GitLab's keys: among them `change`, `from` and `to`, and `auth_token_type`.
    async fn details(&self) -> Json<Value> {
        Json(self.details_of())
    }
    /// When it happened.
    async fn created_at(&self) -> Time {
        self.0.created_at.into()
    }
}

impl AuditEvent {
    fn details_of(&self) -> Value {
        let event = &self.0;
        let mut details = json!({
            "event_name": event.name,
            "author_name": event.author_name,
            "author_class": event.author.class(),
            "target_id": event.target_id,
            "target_type": event.target_type,
            "target_details": event.target_details,
            "custom_message": event.message,
            "ip_address": null,
            "entity_path": event.entity_path,
        });
        if let (Value::Object(all), Value::Object(own)) = (&mut details, &event.details) {
            all.extend(own.clone());
        }
        details
    }
}
