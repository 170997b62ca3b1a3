//! Members: the rules about who may grant what, and lists with inherited ones.

use access::Holder;
use domain::{ErrorCode, Role, Scope, TokenLimits, UserId, Visibility};
use time::{Duration, macros::date};

use super::{
    NOW,
    accounts::refusal,
    test_store,
    world::{OWNER, group, member, project, user},
};
use crate::{
    PageRequest, Store,
    groups::Group,
    members::{self, Caller, Inheritance, Member, MemberChange, MemberFilter, Membership, NewMember, Place},
    resource_tokens::{self, NewResourceToken},
    users,
};

async fn all(store: &Store, place: Place, inheritance: Inheritance) -> Vec<Member> {
    let filter = MemberFilter { place, inheritance, search: None, user_id: None };
    let page = members::list(store, &filter, &PageRequest::first(100), NOW).await.expect("a list");
    let count = members::count(store, &filter, NOW).await.expect("a count");
    assert_eq!(usize::try_from(count), Ok(page.rows.len()));
    page.rows
}

const fn in_group(group: &Group, user_id: UserId) -> Membership {
    Membership { place: Place::Group(group.id), user_id }
}

const fn role(membership: Membership, role: Role) -> MemberChange {
    MemberChange { membership, role: Some(role), expires_at: None }
}

#[tokio::test]
async fn of_inherited_members_the_highest_role_counts() {
    let store = test_store().await;
    let (ann, ben) = (user(&store, "ann").await.id, user(&store, "ben").await.id);
    let top = group(&store, None, "top", Visibility::Private).await;
    let sub = group(&store, Some(top.id), "sub", Visibility::Private).await;
    let tool = project(&store, sub.id, "tool", Visibility::Private).await;
    member(&store, Place::Group(top.id), ann, Role::Developer).await;
    member(&store, Place::Group(sub.id), ann, Role::Maintainer).await;
    member(&store, Place::Project(tool.id), ben, Role::Guest).await;
    let direct = all(&store, Place::Project(tool.id), Inheritance::Direct).await;
    assert_eq!(direct.iter().map(|member| member.user.id).collect::<Vec<_>>(), [ben]);
    let inherited = all(&store, Place::Project(tool.id), Inheritance::Inherited).await;
    let seen: Vec<_> = inherited.iter().map(|member| (member.user.id, member.role, member.place)).collect();
    assert_eq!(
        seen,
        [(ann, Role::Maintainer, Place::Group(sub.id)), (ben, Role::Guest, Place::Project(tool.id))]
    );
    let membership = Membership { place: Place::Project(tool.id), user_id: ann };
    let found = members::find(&store, membership, Inheritance::Direct, NOW).await.expect("a search");
    assert_eq!(found, None);
    let found = members::find(&store, membership, Inheritance::Inherited, NOW).await.expect("a search");
    assert_eq!(found.expect("it is there").role, Role::Maintainer);
}

#[tokio::test]
async fn a_role_is_not_lower_than_the_inherited_one() {
    let store = test_store().await;
    let ann = user(&store, "ann").await.id;
    let top = group(&store, None, "top", Visibility::Private).await;
    let tool = project(&store, top.id, "tool", Visibility::Private).await;
    member(&store, Place::Group(top.id), ann, Role::Developer).await;
    let membership = Membership { place: Place::Project(tool.id), user_id: ann };
    let new = |role| NewMember { membership, role, expires_at: None };
    let refused = refusal(members::add(&store, new(Role::Reporter), OWNER, NOW).await);
    assert_eq!(refused.field.as_deref(), Some("access_level"));
    assert!(
        refused.message.contains("greater than or equal to Developer inherited membership from group top"),
        "{refused}"
    );
    members::add(&store, new(Role::Maintainer), OWNER, NOW).await.expect("higher");
    let again = refusal(members::add(&store, new(Role::Maintainer), OWNER, NOW).await);
    assert_eq!(
        (again.code, again.message.as_ref()),
        (ErrorCode::Duplicate, "Member 'ann' has already been taken")
    );
    let lower = members::update(&store, role(membership, Role::Guest), OWNER, NOW).await;
    assert_eq!(refusal(lower).field.as_deref(), Some("access_level"));
}

#[tokio::test]
async fn nobody_grants_or_touches_more_than_their_own_role() {
    let store = test_store().await;
    let (ann, ben) = (user(&store, "ann").await.id, user(&store, "ben").await.id);
    let top = group(&store, None, "top", Visibility::Private).await;
    let tool = project(&store, top.id, "tool", Visibility::Private).await;
    member(&store, Place::Project(tool.id), ann, Role::Owner).await;
    let caller = Caller { user_id: Some(ben), role: Role::Maintainer };
    let place = Place::Project(tool.id);
    let new =
        NewMember { membership: Membership { place, user_id: ben }, role: Role::Owner, expires_at: None };
    let refused = refusal(members::add(&store, new, caller, NOW).await);
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Forbidden, Some("access_level")));
    let ann = Membership { place, user_id: ann };
    let demote = members::update(&store, role(ann, Role::Guest), caller, NOW).await;
    assert_eq!(refusal(demote).code, ErrorCode::Forbidden);
    assert_eq!(refusal(members::remove(&store, ann, caller, NOW).await).code, ErrorCode::Forbidden);
    let leaving = Caller { user_id: Some(ann.user_id), role: Role::Guest };
    members::remove(&store, ann, leaving, NOW).await.expect("everybody may leave a project");
    let gone = refusal(members::remove(&store, ann, OWNER, NOW).await);
    assert_eq!(gone.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn the_last_owner_of_a_group_stays() {
    let store = test_store().await;
    let (ann, ben) = (user(&store, "ann").await.id, user(&store, "ben").await.id);
    let top = group(&store, None, "top", Visibility::Private).await;
    let sub = group(&store, Some(top.id), "sub", Visibility::Private).await;
    member(&store, Place::Group(top.id), ann, Role::Owner).await;
    let first = in_group(&top, ann);
    let demote = members::update(&store, role(first, Role::Maintainer), OWNER, NOW).await;
    assert!(refusal(demote).message.contains("at least one owner"));
    assert!(refusal(members::remove(&store, first, OWNER, NOW).await).message.contains("last one"));
    let end = MemberChange { membership: first, role: None, expires_at: Some(Some(date!(2027 - 01 - 01))) };
    assert_eq!(refusal(members::update(&store, end, OWNER, NOW).await).code, ErrorCode::Invalid);
    member(&store, Place::Group(sub.id), ben, Role::Owner).await;
    members::remove(&store, in_group(&sub, ben), OWNER, NOW).await.expect("the group above has an owner");
    member(&store, Place::Group(top.id), ben, Role::Owner).await;
    let demoted = members::update(&store, role(first, Role::Guest), OWNER, NOW).await.expect("two owners");
    assert_eq!(demoted.role, Role::Guest);
    assert!(
        refusal(members::remove(&store, in_group(&top, ben), OWNER, NOW).await).message.contains("owner")
    );
}

#[tokio::test]
async fn bots_and_blocked_users_are_no_owners_to_leave_a_group_to() {
    let store = test_store().await;
    let (ann, ben) = (user(&store, "ann").await.id, user(&store, "ben").await.id);
    let top = group(&store, None, "top", Visibility::Private).await;
    member(&store, Place::Group(top.id), ann, Role::Owner).await;
    let new = NewResourceToken {
        holder: Holder::Group(top.id),
        name: "bot".to_owned(),
        description: String::new(),
        scopes: [Scope::Api].into_iter().collect(),
        limits: TokenLimits::none(),
        expires_at: None,
        role: Role::Owner,
    };
    let (token, _) = resource_tokens::create(&store, new, OWNER, NOW).await.expect("a token");
    member(&store, Place::Group(top.id), ben, Role::Owner).await;
    users::block(&store, ben, NOW).await.expect("blocked");
    let demote = members::update(&store, role(in_group(&top, ann), Role::Maintainer), OWNER, NOW).await;
    assert!(refusal(demote).message.contains("last one"));
    assert!(
        refusal(members::remove(&store, in_group(&top, ann), OWNER, NOW).await).message.contains("last one")
    );
    for nobody in [token.token.user_id, ben] {
        members::remove(&store, in_group(&top, nobody), OWNER, NOW).await.expect("it takes no owner away");
    }
}

#[tokio::test]
async fn an_expired_membership_counts_no_more_and_can_be_given_again() {
    let store = test_store().await;
    let ann = user(&store, "ann").await.id;
    let top = group(&store, None, "top", Visibility::Private).await;
    let membership = in_group(&top, ann);
    let new = |expires_at| NewMember { membership, role: Role::Developer, expires_at };
    let past = members::add(&store, new(Some(NOW.date())), OWNER, NOW).await;
    assert_eq!(refusal(past).field.as_deref(), Some("expires_at"));
    members::add(&store, new(Some(date!(2026 - 11 - 24))), OWNER, NOW).await.expect("until tomorrow");
    let tomorrow = NOW + Duration::DAY;
    let find =
        async |now| members::find(&store, membership, Inheritance::Direct, now).await.expect("a search");
    assert!(find(NOW).await.is_some());
    assert!(find(tomorrow).await.is_none());
    let viewer = super::world::viewer(ann);
    let group = crate::groups::find(&store, &viewer, crate::IdOrPath::Id(top.id.0), tomorrow).await;
    let group = group.expect("a search").expect("it is there");
    assert!(!group.permits(&viewer, access::Action::View), "an expired role opens nothing");
    members::add(&store, new(None), OWNER, tomorrow).await.expect("given again");
    assert!(find(tomorrow + Duration::days(400)).await.is_some());
}
