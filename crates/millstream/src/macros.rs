//! `Debug` for types that hold closures.

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
