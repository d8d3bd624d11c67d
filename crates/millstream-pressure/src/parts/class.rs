//! `Class`: how an item differs from others in what it is worth and whose it is.

use std::hash::{DefaultHasher, Hash, Hasher as _};

/// What an item is worth, and whose it is. A closure says so where the item enters.
///
/// ```
/// use millstream_pressure::{Class, Criticality};
///
/// let class = Class { criticality: Criticality::Sheddable, ..Class::for_tenant("acme") };
/// assert_eq!(class.tenant, Class::for_tenant("acme").tenant);
/// assert!(class.criticality < Criticality::Critical);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Class {
    /// What goes first when something has to go.
    pub criticality: Criticality,
    /// The index of the item's lane, where there are several.
    pub lane: u32,
    /// Whose item it is: a number, or the hash of a name by [`for_tenant`](Self::for_tenant).
    pub tenant: u64,
}

/// How bad it is to lose an item. What is less is lost first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Criticality {
    /// Lost without harm, such as a prefetch.
    Sheddable,
    /// Anything else.
    #[default]
    Default,
    /// Somebody notices at once.
    Critical,
}

impl Class {
    /// The default class of the tenant with this name or key.
    pub fn for_tenant(key: impl Hash) -> Self {
        // `DefaultHasher::new` has fixed keys, so that the same name is the same tenant in each
        // run.
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        Self { tenant: hasher.finish(), ..Self::default() }
    }
}
