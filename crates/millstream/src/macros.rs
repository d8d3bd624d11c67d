//! Macros that write what is the same in every operator.

/// Implements `Debug` by name alone, because closures, futures and foreign publishers are not
/// `Debug`: `opaque_debug!(Map<P, F>)`.
#[macro_export]
macro_rules! opaque_debug {
    ($name:ident < $($param:ident),+ >) => {
        impl<$($param),+> ::std::fmt::Debug for $name<$($param),+> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

/// Writes the methods of a subscriber that pass a signal on as it is:
/// `forward!(on_subscribe, initial_request, on_next<T>, on_error, on_complete)`, or some of them.
///
/// The subscriber has its downstream in the field `downstream` and, for the first and the third, a
/// `millstream_kernel::Upstream` in `upstream`. The third is for those that may end early: their
/// downstream is a [`Downstream`](crate::parts::downstream::Downstream), which is told after the
/// source was canceled.
/// [`Flow::filter`](crate::Flow::filter) has these methods spelled out.
#[macro_export]
macro_rules! forward {
    ($($method:ident $(<$item:ty>)?),+) => { $($crate::forward!(@$method $($item)?);)+ };
    (@on_subscribe) => {
        fn on_subscribe(&mut self, subscription: ::std::sync::Arc<dyn $crate::Subscription>) {
            if self.upstream.set(&subscription) {
                self.downstream.on_subscribe(subscription);
            }
        }
    };
    (@initial_request) => {
        #[inline]
        fn initial_request(&mut self) -> u64 { self.downstream.initial_request() }
    };
    (@on_next $item:ty) => {
        #[inline]
        fn on_next(&mut self, item: $item) {
            let offer = self.offer(item);
            self.downstream.settle(&self.upstream, offer);
        }
    };
    (@on_error) => { fn on_error(self, error: $crate::Error) { self.downstream.on_error(error); } };
    (@on_complete) => { fn on_complete(self) { self.downstream.on_complete(); } };
}
