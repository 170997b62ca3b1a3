//! A value that was loaded and not yet allowed.

use crate::{Action, Denied, Facts, Packages, Viewer, decide_about};

/// A value together with the facts that decide about it. There is no way to the value but [`Guarded::authorize`] and its two
/// siblings, which say what packages it is about: who does not say so is refused whatever a limited token asks for.
#[derive(Clone, Debug)]
pub struct Guarded<T> {
    value: T,
    facts: Facts,
}

impl<T> Guarded<T> {
    /// Guards `value`, which belongs to the resource that `facts` describe.
    pub const fn new(value: T, facts: Facts) -> Self {
        Self { value, facts }
    }

    /// The value, if `viewer` may do `action` with it.
    pub fn authorize(self, viewer: &Viewer, action: Action) -> Result<T, Denied> {
        self.authorize_about(viewer, action, &Packages::All)
    }

    /// The value, if `viewer` may do `action` with it as far as `packages` go.
    pub fn authorize_about(
        self,
        viewer: &Viewer,
        action: Action,
        packages: &Packages<'_>,
    ) -> Result<T, Denied> {
        decide_about(viewer, action, &self.facts, packages).map(|()| self.value)
    }

    /// The value, if `viewer` may do `action` with it as far as those packages go that `packages` finds in it.
    pub fn authorize_with(
        self,
        viewer: &Viewer,
        action: Action,
        packages: impl FnOnce(&T) -> Packages<'_>,
    ) -> Result<T, Denied> {
        decide_about(viewer, action, &self.facts, &packages(&self.value)).map(|()| self.value)
    }

    /// Whether `viewer` may do `action`: for telling people what they may do, not for letting them.
    pub fn permits(&self, viewer: &Viewer, action: Action) -> bool {
        self.permits_about(viewer, action, &Packages::All)
    }

    /// Whether `viewer` may do `action` as far as `packages` go: as [`Guarded::permits`].
    pub fn permits_about(&self, viewer: &Viewer, action: Action, packages: &Packages<'_>) -> bool {
        decide_about(viewer, action, &self.facts, packages).is_ok()
    }

    /// The same guard around what `change` makes of the value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Guarded<U> {
        Guarded { value: change(self.value), facts: self.facts }
    }

    /// The facts, for handing them on to values that belong to the same resource.
    pub const fn facts(&self) -> Facts {
        self.facts
    }
}
