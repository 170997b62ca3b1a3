//! Adding, changing and removing members.

use domain::{EventKind, Failure, NamespaceId, Role, Subject, UserId};
use entity::{bot, member, user};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter, Set};
use time::{Date, OffsetDateTime};

use super::{
    Inheritance, Member, MemberFilter, Membership, Place,
    list::{find_in, one},
};
use crate::{
    Result, Store, StoreError, Tx,
    audit_events::{self, Actor, Changes, Entity, Event, Target},
    convert::{self, stored, today},
    refusals::{lock_namespace, lock_project, taken},
    rows,
    users::UserState,
};

/// Who manages members, as far as the rules about granting need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user, where there is one.
    pub user_id: Option<UserId>,
    /// The caller's role in the place, owner for administrators: nobody grants more, nor touches somebody who has more.
    pub role: Role,
}

/// A member to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewMember {
    /// Who, and where.
    pub membership: Membership,
    /// As what.
    pub role: Role,
    /// The first day on which it no longer counts.
    pub expires_at: Option<Date>,
}

/// What to change of a membership; what is `None` stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberChange {
    /// Whose, and where it was given.
    pub membership: Membership,
    /// See [`Member::role`].
    pub role: Option<Role>,
    /// See [`Member::expires_at`]; `Some(None)` makes it last.
    pub expires_at: Option<Option<Date>>,
}

/// Adds a member.
pub async fn add(store: &Store, new: NewMember, caller: Caller, now: OffsetDateTime) -> Result<Member> {
    not_above(caller, new.role)?;
    not_past(new.expires_at, now)?;
    store
        .write((store.actor(), new, caller, now), |tx, (actor, new, caller, now)| {
            Box::pin(async move {
                let member = insert(tx, *new, *caller, *now).await?;
                let mut changes = Changes::default();
                changes.note("access_level", "", title(member.role));
                let message = format!("Membership added with role {}", title(member.role));
                note(tx, actor, (EventKind::MemberCreated, message), &member, &changes, *now).await?;
                Ok(member)
            })
        })
        .await
}

/// A bot is a member of what it was made for alone: whoever may have a new token of it made would else get what it was given
/// elsewhere.
async fn not_a_bot_of_elsewhere(tx: &Tx, membership: Membership, username: &str) -> Result<()> {
    let Some(bot) = bot::Entity::find_by_id(membership.user_id.0).one(tx).await? else { return Ok(()) };
    if (bot.namespace_id, bot.project_id) == columns(membership.place) {
        return Ok(());
    }
    let message =
        format!("User '{username}' belongs to an access token and cannot be a member of anything else");
    Err(Failure::invalid("user_id", message).into())
}

async fn insert(tx: &Tx, new: NewMember, caller: Caller, now: OffsetDateTime) -> Result<Member> {
    let Membership { place, user_id } = new.membership;
    lock(tx, place).await?;
    let user = user::Entity::find_by_id(user_id.0).one(tx).await?;
    let user = user.ok_or_else(|| StoreError::from(Failure::not_found(Subject::User)))?;
    not_a_bot_of_elsewhere(tx, new.membership, &user.username).await?;
    not_below_inherited(tx, new.membership, new.role, now).await?;
    if let Some(old) = stored_row(tx, new.membership).await? {
        if !is_expired(&old, now) {
            return Err(taken("user_id", "Member", &user.username).into());
        }
        old.delete(tx).await?;
    }
    let (namespace_id, project_id) = columns(place);
    let row = member::ActiveModel {
        namespace_id: Set(namespace_id),
        project_id: Set(project_id),
        user_id: Set(user_id.0),
        access_level: Set(new.role.number()),
        expires_at: Set(new.expires_at),
        created_by_id: Set(caller.user_id.map(|id| id.0)),
        created_at: Set(stored(now)),
        ..Default::default()
    };
    row.insert(tx).await?;
    reread(tx, new.membership, now).await
}

/// Changes a member and gives it as it now is.
pub async fn update(
    store: &Store,
    change: MemberChange,
    caller: Caller,
    now: OffsetDateTime,
) -> Result<Member> {
    if let Some(role) = change.role {
        not_above(caller, role)?;
    }
    not_past(change.expires_at.flatten(), now)?;
    store
        .write((store.actor(), change, caller, now), |tx, (actor, change, caller, now)| {
            Box::pin(apply(tx, actor, *change, *caller, *now))
        })
        .await
}

async fn apply(
    tx: &Tx,
    actor: &Actor,
    change: MemberChange,
    caller: Caller,
    now: OffsetDateTime,
) -> Result<Member> {
    lock(tx, change.membership.place).await?;
    let old = existing(tx, change.membership, now).await?;
    not_above(caller, convert::role(old.access_level)?)?;
    let ends = change.expires_at.flatten().is_some();
    if change.role.is_some_and(|role| role < Role::Owner) || ends {
        leaves_an_owner(tx, &old, now).await?;
    }
    let mut row = old.clone().into_active_model();
    if let Some(role) = change.role {
        not_below_inherited(tx, change.membership, role, now).await?;
        row.access_level = Set(role.number());
    }
    if let Some(expires_at) = change.expires_at {
        row.expires_at = Set(expires_at);
    }
    row.updated_at = Set(Some(stored(now)));
    row.update(tx).await?;
    let member = reread(tx, change.membership, now).await?;
    let mut changes = Changes::default();
    changes.note("access_level", title(convert::role(old.access_level)?), title(member.role));
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    changes.note("expiry", day(old.expires_at), day(member.expires_at));
    if !changes.is_empty() {
        let what = (EventKind::MemberUpdated, "Membership changed".to_owned());
        note(tx, actor, what, &member, &changes, now).await?;
    }
    Ok(member)
}

/// Removes a membership given in `place`. Everybody may remove themselves, whatever their role.
pub async fn remove(
    store: &Store,
    membership: Membership,
    caller: Caller,
    now: OffsetDateTime,
) -> Result<()> {
    store
        .write((store.actor(), membership, caller, now), |tx, (actor, membership, caller, now)| {
            Box::pin(async move {
                lock(tx, membership.place).await?;
                let old = existing(tx, *membership, *now).await?;
                if caller.user_id != Some(membership.user_id) {
                    not_above(*caller, convert::role(old.access_level)?)?;
                }
                leaves_an_owner(tx, &old, *now).await?;
                let member = reread(tx, *membership, *now).await?;
                let what = (EventKind::MemberDestroyed, "Membership destroyed".to_owned());
                note(tx, actor, what, &member, &Changes::default(), *now).await?;
                old.delete(tx).await?;
                Ok(())
            })
        })
        .await
}

/// Writes down what became of a membership.
async fn note(
    tx: &Tx,
    actor: &Actor,
    (kind, message): (EventKind, String),
    member: &Member,
    changes: &Changes,
    now: OffsetDateTime,
) -> Result<()> {
    let entity = match member.place {
        Place::Group(id) => Entity::namespace(&lock_namespace(tx, id.0).await?),
        Place::Project(id) => Entity::project(&lock_project(tx, id.0).await?),
    };
    let target = Target::new("User", member.user.id.0, &member.user.username);
    audit_events::write(tx, actor, Event::about(kind, entity, message).on(target).with(changes), now).await
}

/// Locks the place's row: who is the last owner must not change while it is asked.
async fn lock(tx: &Tx, place: Place) -> Result<()> {
    match place {
        Place::Group(id) => lock_namespace(tx, id.0).await.map(|_| ()),
        Place::Project(id) => lock_project(tx, id.0).await.map(|_| ()),
    }
}

const fn columns(place: Place) -> (Option<i64>, Option<i64>) {
    match place {
        Place::Group(id) => (Some(id.0), None),
        Place::Project(id) => (None, Some(id.0)),
    }
}

async fn stored_row(tx: &Tx, Membership { place, user_id }: Membership) -> Result<Option<member::Model>> {
    let in_place = match place {
        Place::Group(id) => member::COLUMN.namespace_id.eq(id.0),
        Place::Project(id) => member::COLUMN.project_id.eq(id.0),
    };
    let rows = member::Entity::find().filter(in_place).filter(member::COLUMN.user_id.eq(user_id.0));
    Ok(rows.one(tx).await?)
}

fn is_expired(row: &member::Model, now: OffsetDateTime) -> bool {
    row.expires_at.is_some_and(|day| day <= today(now))
}

async fn existing(tx: &Tx, membership: Membership, now: OffsetDateTime) -> Result<member::Model> {
    let row = stored_row(tx, membership).await?.filter(|row| !is_expired(row, now));
    row.ok_or_else(|| Failure::not_found(Subject::Member).into())
}

async fn reread(tx: &Tx, membership: Membership, now: OffsetDateTime) -> Result<Member> {
    let member = find_in(tx, &one(membership, Inheritance::Direct), now).await?;
    member.ok_or_else(|| Failure::not_found(Subject::Member).into())
}

/// Refuses a role above the caller's own.
pub(crate) fn not_above(caller: Caller, role: Role) -> Result<()> {
    if role <= caller.role {
        return Ok(());
    }
    let message = format!("'{}' is more than your own role, '{}'", title(role), title(caller.role));
    Err(Failure { field: Some("access_level".into()), ..Failure::forbidden(message) }.into())
}

fn not_past(expires_at: Option<Date>, now: OffsetDateTime) -> Result<()> {
    match expires_at {
        Some(day) if day <= today(now) => {
            Err(Failure::invalid("expires_at", format!("'{day}' cannot be a date in the past")).into())
        }
        _ => Ok(()),
    }
}

/// Refuses a role lower than the one that holds here anyway (`GitLab`'s rule): it would say less than is true.
async fn not_below_inherited(tx: &Tx, membership: Membership, role: Role, now: OffsetDateTime) -> Result<()> {
    let above = match membership.place {
        Place::Group(id) => lock_namespace(tx, id.0).await?.parent_id,
        Place::Project(id) => Some(lock_project(tx, id.0).await?.namespace_id),
    };
    let Some(above) = above else { return Ok(()) };
    let filter =
        MemberFilter { place: Place::Group(NamespaceId(above)), ..one(membership, Inheritance::Inherited) };
    let Some(inherited) = find_in(tx, &filter, now).await?.filter(|inherited| inherited.role > role) else {
        return Ok(());
    };
    let Place::Group(group) = inherited.place else { return Ok(()) };
    let group = lock_namespace(tx, group.0).await?;
    let message = format!(
        "Access level '{}' should be greater than or equal to {} inherited membership from group {}",
        title(role),
        title(inherited.role),
        group.full_path
    );
    Err(Failure::invalid("access_level", message).into())
}

#[derive(sea_orm::FromQueryResult)]
struct Owners {
    own: i64,
    others: i64,
}

/// Refuses to take away the last owner of a group, counting those of the groups above: people who can sign in, for a bot ends with
/// its token and a blocked user decides nothing.
async fn leaves_an_owner(tx: &Tx, old: &member::Model, now: OffsetDateTime) -> Result<()> {
    let Some(namespace_id) = old.namespace_id.filter(|_| old.access_level == Role::Owner.number()) else {
        return Ok(());
    };
    let sql = "SELECT COUNT(CASE WHEN m.id = $3 THEN 1 END) AS own, COUNT(CASE WHEN m.id <> $3 THEN 1 END) AS others \
               FROM members m JOIN namespace_ancestors a ON a.ancestor_id = m.namespace_id \
               JOIN users u ON u.id = m.user_id LEFT JOIN bots b ON b.user_id = m.user_id \
               WHERE a.descendant_id = $1 AND m.access_level = $2 AND (m.expires_at IS NULL OR m.expires_at > $4) \
               AND u.state = $5 AND b.user_id IS NULL";
    let values = [
        namespace_id.into(),
        Role::Owner.number().into(),
        old.id.into(),
        today(now).into(),
        (UserState::Active as i16).into(),
    ];
    let owners: Option<Owners> = rows::one_sql(tx, sql, values).await?;
    if owners.is_some_and(|owners| owners.own == 0 || owners.others > 0) {
        return Ok(());
    }
    Err(Failure::invalid("access_level", "A group must have at least one owner: this is the last one").into())
}

const fn title(role: Role) -> &'static str {
    match role {
        Role::Guest => "Guest",
        Role::Reporter => "Reporter",
        Role::Developer => "Developer",
        Role::Maintainer => "Maintainer",
        Role::Owner => "Owner",
    }
}
