//! Creating groups.

use domain::{
    EventKind, Failure, NamespaceId, Role, UserId, Visibility,
    namespace::{
        MAX_DESCRIPTION, validate_description, validate_display_name, validate_segment, validate_top_level,
    },
};
use entity::{member, namespace, namespace_ancestor};
use sea_orm::{ActiveModelTrait, Set};
use time::OffsetDateTime;

use super::{Group, NamespaceKind};
use crate::{
    Result, Store, StoreError, Tx,
    address::path_key,
    audit_events::{self, Actor, Entity, Event},
    convert::stored,
    refusals::{lock_namespace, path_is_free, taken, within_parent},
    rows,
};

/// A group to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGroup {
    /// The group above; none for a group at the top.
    pub parent_id: Option<NamespaceId>,
    /// The last segment of its full path.
    pub path: String,
    /// The name people read.
    pub name: String,
    /// What people wrote about it.
    pub description: String,
    /// Who may know it.
    pub visibility: Visibility,
    /// Who creates it, and becomes its first owner.
    pub creator_id: Option<UserId>,
}

/// Creates a group. Whoever creates it becomes its owner.
pub async fn create(store: &Store, new: NewGroup, now: OffsetDateTime) -> Result<Group> {
    match new.parent_id {
        Some(_) => validate_segment("path", &new.path)?,
        None => validate_top_level("path", &new.path)?,
    }
    validate_display_name("name", &new.name)?;
    validate_description(&new.description, MAX_DESCRIPTION)?;
    store
        .write((store.actor(), new, stored(now)), |tx, (actor, new, now)| {
            Box::pin(insert(tx, actor, new, *now))
        })
        .await
}

async fn insert(tx: &Tx, actor: &Actor, new: &NewGroup, now: OffsetDateTime) -> Result<Group> {
    let parent = match new.parent_id {
        Some(id) => Some(lock_namespace(tx, id.0).await?),
        None => None,
    };
    let mut full_path = new.path.clone();
    if let Some(parent) = &parent {
        if parent.kind != NamespaceKind::Group.number() {
            let message = format!("'{}' is a user's namespace, which can't hold groups", parent.full_path);
            return Err(Failure::invalid("parent_id", message).into());
        }
        within_parent(new.visibility, parent)?;
        full_path = format!("{}/{}", parent.full_path, new.path);
    }
    let full_path_key = path_key(&full_path);
    path_is_free(tx, &full_path_key, &new.path).await?;
    let row = namespace::ActiveModel {
        kind: Set(NamespaceKind::Group.number()),
        parent_id: Set(parent.as_ref().map(|parent| parent.id)),
        owner_id: Set(None),
        path: Set(new.path.clone()),
        name: Set(new.name.clone()),
        full_path: Set(full_path),
        full_path_key: Set(full_path_key),
        description: Set(new.description.clone()),
        visibility: Set(new.visibility.number()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let inserted = row.insert(tx).await.map_err(StoreError::from);
    let group = inserted.map_err(|error| error.unique_as(|| taken("path", "Path", &new.path)))?;
    place_in_tree(tx, &group).await?;
    if let Some(creator) = new.creator_id {
        first_owner(tx, group.id, creator, now).await?;
    }
    let event = Event::about(EventKind::GroupCreated, Entity::namespace(&group), "Added group");
    audit_events::write(tx, actor, event, now).await?;
    group.try_into()
}

/// Writes down which groups stand above `group`.
async fn place_in_tree(tx: &Tx, group: &namespace::Model) -> Result<()> {
    namespace_ancestor::ActiveModel {
        ancestor_id: Set(group.id),
        descendant_id: Set(group.id),
        depth: Set(0),
    }
    .insert(tx)
    .await?;
    if let Some(parent_id) = group.parent_id {
        let sql = "INSERT INTO namespace_ancestors (ancestor_id, descendant_id, depth) \
                   SELECT ancestor_id, $1, depth + 1 FROM namespace_ancestors WHERE descendant_id = $2";
        rows::execute(tx, sql, [group.id.into(), parent_id.into()]).await?;
    }
    Ok(())
}

async fn first_owner(tx: &Tx, group: i64, creator: UserId, now: OffsetDateTime) -> Result<()> {
    member::ActiveModel {
        namespace_id: Set(Some(group)),
        user_id: Set(creator.0),
        access_level: Set(Role::Owner.number()),
        created_by_id: Set(Some(creator.0)),
        created_at: Set(now),
        ..Default::default()
    }
    .insert(tx)
    .await?;
    Ok(())
}
