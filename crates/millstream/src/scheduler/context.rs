//! `Context`: values that travel with a subscription, from the downstream to the source.

use std::{
    any::{Any, TypeId, type_name},
    cell::{Cell, RefCell},
    fmt,
    future::poll_fn,
    pin::pin,
    sync::Arc,
};

/// Typed values that a downstream has for everything above it: a tenant, a deadline, a trace.
///
/// [`Flow::context_write`](crate::Flow::context_write) adds to it, for what is subscribed to above;
/// [`defer_contextual`](crate::defer_contextual) and
/// [`Flow::through_contextual`](crate::Flow::through_contextual) read it. It has at most one value
/// of a type: make types of your own for what is written.
///
/// A context is a handle, one pointer wide, to a list of values that do not change; adding a value
/// makes another context. A subscription without one pays for a look at a flag of the thread.
/// Items pay nothing, but where a flow is made of each: that is a subscription.
///
/// # How it travels
///
/// It surrounds the call of `subscribe`, and goes wherever that goes: on to the worker of a
/// `subscribe_on`, to the flows that `flat_map` and its kind make of items, and to those that a
/// `retry`, `repeat` or `concat` subscribes to later. A hub, and what is behind a
/// [`share`](crate::Flow::share), has the context of whoever made it connect. A flow that is run
/// for its result, by `collect` or another operator that ends one, begins with an empty one.
///
/// # Examples
///
/// ```
/// use millstream::{Context, defer_contextual, just};
///
/// #[derive(Clone)]
/// struct Tenant(&'static str);
///
/// let orders = defer_contextual(|context: &Context| {
///     just(context.get::<Tenant>().map_or("nobody", |tenant| tenant.0))
/// });
/// let flow = orders.flat_map(just).context_write(|context| context.with(Tenant("acme")));
/// assert_eq!(flow.first().wait()?, Some("acme"));
/// # Ok::<(), millstream::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Context(Option<Arc<Entry>>);

struct Entry {
    key: TypeId,
    name: &'static str,
    value: Box<dyn Any + Send + Sync>,
    next: Context,
}

impl Context {
    /// A context without a value.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// This context with `value`, in place of the one of its type, if there is one.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(self, value: T) -> Self {
        let (key, name) = (TypeId::of::<T>(), type_name::<T>());
        Self(Some(Arc::new(Entry { key, name, value: Box::new(value), next: self })))
    }

    /// The value of this type.
    #[must_use]
    pub fn get<T: 'static>(&self) -> Option<&T> {
        let key = TypeId::of::<T>();
        let entry = self.entries().find(|entry| entry.key == key)?;
        entry.value.downcast_ref()
    }

    /// Returns whether it has no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The context around this call: in closures that make flows as they are subscribed to, and in
    /// futures that run [inside](Self::inside) of one.
    #[must_use]
    pub fn current() -> Self {
        if !IS_SET.get() {
            return Self::new();
        }
        CURRENT.with_borrow(Self::clone)
    }

    /// Runs `f` with this context around it.
    pub fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        if self.is_empty() && !IS_SET.get() {
            return f();
        }
        let _restored = Restored::after(self.clone());
        f()
    }

    /// Has `future` run with this context around it, wherever it is polled, so that it reads
    /// [`current`](Self::current).
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Context, range};
    ///
    /// struct Factor(u64);
    ///
    /// async fn scaled(n: u64) -> u64 {
    ///     Context::current().get::<Factor>().map_or(0, |factor| factor.0) * n
    /// }
    ///
    /// let flow = range(1..=3_u64)
    ///     .through_contextual(|flow, context| {
    ///         let context = context.clone();
    ///         flow.map_async(2, move |n| context.inside(scaled(n)))
    ///     })
    ///     .context_write(|context| context.with(Factor(10)));
    /// assert_eq!(flow.collect::<Vec<_>>().wait()?, [10, 20, 30]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn inside<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let context = self.clone();
        async move {
            let mut future = pin!(future);
            poll_fn(|cx| context.within(|| future.as_mut().poll(cx))).await
        }
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        std::iter::successors(self.0.as_deref(), |entry| entry.next.0.as_deref())
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries().map(|entry| entry.name)).finish()
    }
}

thread_local! {
    /// Whether `CURRENT` has a value: alone, because it needs no destructor and is looked at often.
    static IS_SET: Cell<bool> = const { Cell::new(false) };
    static CURRENT: RefCell<Context> = const { RefCell::new(Context::new()) };
}

/// Puts the context back that was there before.
struct Restored(Context);

impl Restored {
    fn after(context: Context) -> Self {
        IS_SET.set(!context.is_empty());
        Self(CURRENT.replace(context))
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        let before = std::mem::take(&mut self.0);
        IS_SET.set(!before.is_empty());
        // Not while it is borrowed: a value is the user's, and its drop may look at the context.
        drop(CURRENT.replace(before));
    }
}
