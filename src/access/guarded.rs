//! A value that was loaded and not yet allowed.

use crate::{Action, Denied, Facts, Viewer, decide};

/// A value together with the facts that decide about it. There is no way to the value but [`Guarded::authorize`].
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
        decide(viewer, action, &self.facts).map(|()| self.value)
    }

    /// Whether `viewer` may do `action`: for telling people what they may do, not for letting them.
    pub fn permits(&self, viewer: &Viewer, action: Action) -> bool {
        decide(viewer, action, &self.facts).is_ok()
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
