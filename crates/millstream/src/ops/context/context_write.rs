//! `context_write`: values for everything above.

use millstream_kernel::guard::caught;
use reactive_streams::{Publisher, Subscriber};

use crate::{Context, Flow};

impl<P: Publisher> Flow<P> {
    /// Gives everything above the [`Context`] that `f` makes of the one from below.
    ///
    /// It is written when the flow is subscribed to, and costs nothing as it runs.
    ///
    /// # Demand
    ///
    /// The source's: this stands between source and downstream only while they are connected.
    ///
    /// # Termination
    ///
    /// The source's. If `f` panics, fails with an error of kind `Panicked`, and the source is not
    /// subscribed to.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Context, defer_contextual, just};
    ///
    /// struct Tenant(&'static str);
    ///
    /// let who = defer_contextual(|context: &Context|
    ///     just(context.get::<Tenant>().map(|it| it.0)));
    /// let flow = who
    ///     .retry(3) // subscribes again with the same context
    ///     .context_write(|context| context.with(Tenant("acme")))
    ///     .context_write(|context| context.with(Tenant("not this one: it is further away")));
    /// assert_eq!(flow.first().wait()?, Some(Some("acme")));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn context_write<F>(self, f: F) -> Flow<ContextWrite<P, F>>
    where
        F: FnOnce(Context) -> Context,
        P::Item: 'static,
    {
        Flow { source: ContextWrite { source: self.source, f } }
    }
}

/// `source`, which is subscribed to in the context around this call, whoever does so.
pub(crate) fn in_this_context<P>(source: P) -> impl Publisher<Item = P::Item> + Send + 'static
where
    P: Publisher<Item: 'static> + Send + 'static,
{
    let context = Context::current();
    ContextWrite { source, f: move |_| context }
}

/// Publisher returned by [`Flow::context_write`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ContextWrite<P, F> {
    source: P,
    f: F,
}

impl<P, F> Publisher for ContextWrite<P, F>
where
    P: Publisher<Item: 'static>,
    F: FnOnce(Context) -> Context,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, f } = self;
        match caught(|| f(Context::current())) {
            Ok(context) => context.within(|| source.subscribe(downstream)),
            Err(error) => crate::error(error).subscribe(downstream),
        }
    }
}

backpressure!(ContextWrite<P, F>, PassThrough);
opaque_debug!(ContextWrite<P, F>);
