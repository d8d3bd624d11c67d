//! What several operators, hubs and bridges share.
//!
//! | part | does | used by |
//! |---|---|---|
//! | [`downstream`] | A subscriber that can be ended before its source | `take`, `take_while`, `scan`, `flatten_results` |
//! | [`closing`] | An item right before the end | `buffer`, `buffer_until`, `handle` |
//! | [`inlet`] | A bounded queue between an upstream that pushes and an operator that pulls | every operator with a queue |
//! | [`outlet`] | The consumer half of a queue, as a publisher for one subscriber | `hub::unicast`, `window` |
//! | [`fan_in`] | Many inlets for one gate, in turns or in order | `flat_map`, `merge` and the others that join flows |
//! | [`junction`] | One source for many subscribers that come and go | `share`, `replay`, `cache`, `multicast_processor` |
//! | [`sequence`] | One source after another for one downstream | `concat`, `repeat`, `retry`, `on_error_resume`, `materialize` |
//! | [`shed`] | A queue behind a source that sends without being asked | the overflow operators, `debounce`, `sample` |
//! | [`terminal`] | The subscriber at the end of a flow that runs for its result | `fold`, `collect`, `for_each` and the others that return an `Outcome` |
//!
//! No part imports from `ops`, `hub` or `bridge`.

pub(crate) mod closing;
pub(crate) mod downstream;
pub(crate) mod fan_in;
pub(crate) mod inlet;
pub(crate) mod junction;
pub(crate) mod outlet;
pub(crate) mod sequence;
pub(crate) mod shed;
pub(crate) mod terminal;
