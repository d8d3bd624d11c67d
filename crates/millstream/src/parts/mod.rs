//! What several operators, hubs and bridges share.
//!
//! | part | does | used by |
//! |---|---|---|
//! | [`downstream`] | A subscriber that can be ended before its source, and an item right before the end | `take`, `take_while`, `scan`, `buffer`, `handle` |
//! | [`inlet`] | A bounded queue between an upstream that pushes and an operator that pulls | every operator with a queue |
//! | [`inlet_pool`] | Inlets for many upstreams, one after the other | `fan_in`, `concat_map` |
//! | [`outlet`] | The consumer half of a queue, as a publisher for one subscriber | `hub::unicast`, `window` |
//! | [`fan_in`] | Many inlets for one gate, in turns or in order | `flat_map`, `merge` and the others that join flows |
//! | [`junction`] | One source for many subscribers that come and go | `share`, `replay`, `cache`, `multicast_processor` |
//! | [`sequence`] | One source after another for one downstream | `concat`, `repeat`, `retry`, `on_error_resume`, `materialize` |
//! | [`shed`] | A queue behind a source that sends without being asked | the overflow operators, `debounce`, `sample` |
//! | [`start`] | A source that is held back until everything around it is subscribed | operators with several sources |
//! | [`terminal`] | The subscriber at the end of a flow that runs for its result | `fold`, `collect`, `for_each` and the others that return an `Outcome` |
//!
//! No part imports from `ops`, `hub` or `bridge`.

pub(crate) mod downstream;
pub(crate) mod fan_in;
pub(crate) mod inlet;
pub(crate) mod inlet_pool;
pub(crate) mod junction;
pub(crate) mod outlet;
pub(crate) mod sequence;
pub(crate) mod shed;
pub(crate) mod start;
pub(crate) mod terminal;
