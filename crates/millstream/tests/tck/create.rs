//! Sources under the TCK.

use millstream::{
    Error, byte_lines, create, create_on, defer, empty, error, from_fn, from_future, from_iter,
    from_stream, from_stream_on, generate, just, lines, never, range, scheduler::Immediate, using,
    using_async_on,
};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::pool;

publisher_tests!(
    create,
    |n| create(move |mut out| async move {
        for i in 0..n {
            out.send(i).await?;
        }
        Ok::<_, Error>(())
    }),
    Capabilities::new().asynchronous()
);
publisher_tests!(create_immediate, |n| create_on(&Immediate, move |mut out| async move {
    let mut i = 0;
    while i < n && out.send(i).await.is_ok() {
        i += 1;
    }
})
.capacity(3));
publisher_tests!(range, |n| range(0..n));
publisher_tests!(from_iter, |n| from_iter((0..n).collect::<Vec<_>>()));
publisher_tests!(just, |_| just(1), Capabilities::new().exact_length(1));
publisher_tests!(from_fn, |_| from_fn(|| 1), Capabilities::new().exact_length(1));
publisher_tests!(empty, |_| empty::<u8>(), Capabilities::new().exact_length(0));
publisher_tests!(never, |_| never::<u8>(), Capabilities::new().exact_length(0).never_completes());
publisher_tests!(error, |_| error::<u8>(Error::message("no")), Capabilities::new().fails());
publisher_tests!(generate, |n| generate(0, move |next| {
    let item = *next;
    *next += 1;
    Ok((item < n).then_some(item))
}));
publisher_tests!(
    lines,
    |n| lines(std::io::Cursor::new("x\n".repeat(n as usize))),
    Capabilities::new().max_length(10_000)
);
publisher_tests!(
    from_stream,
    |n| from_stream(futures::stream::iter(0..n)),
    Capabilities::new().asynchronous()
);
publisher_tests!(defer, |n| defer(move || range(0..n)));
publisher_tests!(
    byte_lines,
    |n| byte_lines(std::io::Cursor::new("x\n".repeat(n as usize))),
    Capabilities::new().max_length(10_000)
);
publisher_tests!(from_stream_immediate, |n| from_stream_on(
    &Immediate,
    futures::stream::iter(0..n)
));
publisher_tests!(
    from_future,
    |_| from_future(async { 1 }),
    Capabilities::new().exact_length(1).asynchronous()
);
publisher_tests!(using, |n| using(|| Ok::<_, Error>(()), move |()| range(0..n), |()| {}));
publisher_tests!(
    using_async,
    |n| using_async_on(
        &pool(),
        || async { Ok::<_, Error>(()) },
        move |()| range(0..n),
        |(), _| async { Ok::<_, Error>(()) }
    ),
    Capabilities::new().asynchronous()
);
