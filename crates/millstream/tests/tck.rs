//! Every source and operator under the TCK, one line each.

use millstream::{
    Error, Order, byte_lines, concat_all, defer, empty, error, from_fn, from_future, from_iter,
    from_stream, from_stream_on, generate, just, lines, never, range,
    scheduler::{Immediate, Pool},
};
use reactive_streams_tck::{Capabilities, publisher_tests};

fn pool() -> Pool {
    Pool::new(1)
}

publisher_tests!(range, |n| range(0..n));
publisher_tests!(from_iter, |n| from_iter((0..n).collect::<Vec<_>>()));
publisher_tests!(just, |_| just(1), Capabilities::new().exact_length(1));
publisher_tests!(from_fn, |_| from_fn(|| 1), Capabilities::new().exact_length(1));
publisher_tests!(empty, |_| empty::<u8>(), Capabilities::new().exact_length(0));
publisher_tests!(never, |_| never::<u8>(), Capabilities::new().exact_length(0).never_completes());
publisher_tests!(error, |_| error::<u8>(Error::message("no")), Capabilities::new().fails());
publisher_tests!(generate, |n| generate(n, |left| {
    let item = *left;
    *left = left.saturating_sub(1);
    Ok((item > 0).then_some(item))
}));
publisher_tests!(
    lines,
    |n| lines(std::io::Cursor::new("x\n".repeat(n as usize))),
    Capabilities::new().max_length(10_000)
);
publisher_tests!(map, |n| range(0..n).map(|n| n + 1));
publisher_tests!(
    filter,
    |n| range(0..2 * n).filter(|n| n % 2 == 0),
    Capabilities::new().max_length(1 << 40)
);
publisher_tests!(filter_map, |n| range(0..n).filter_map(Some));
publisher_tests!(inspect, |n| range(0..n).inspect(|_| {}));
publisher_tests!(scan, |n| range(0..n).scan((), |(), n| Some(n)));
publisher_tests!(take, |n| range(0..).take(n));
publisher_tests!(take_while, |n| range(0..).take_while(move |i| *i < n));
publisher_tests!(skip, |n| range(0..n.saturating_add(3)).skip(3));
publisher_tests!(skip_while, |n| range(0..n.saturating_add(3)).skip_while(|i| *i < 3));
publisher_tests!(enumerate, |n| range(0..n).enumerate());
publisher_tests!(concat, |n| range(0..n / 2).concat(range(0..n - n / 2)));
publisher_tests!(concat_all, |n| concat_all((0..n).map(just)));
publisher_tests!(repeat, |n| just(1).repeat(n).take(n));
publisher_tests!(retry, |n| range(0..n).retry(3));
publisher_tests!(on_error_resume, |n| range(0..n).on_error_resume(|_| empty()));
publisher_tests!(on_error_return, |n| range(0..n).on_error_return(|_| 0));
publisher_tests!(flatten_results, |n| range(0..n).map(Ok::<_, Error>).flatten_results());
publisher_tests!(concat_map, |n| range(0..n).concat_map(just));
publisher_tests!(flat_map_iter, |n| range(0..n).flat_map_iter(Some));
publisher_tests!(limit_rate, |n| range(0..n).limit_rate(4));
publisher_tests!(publish_on_immediate, |n| range(0..n).publish_on(&Immediate, 4));
publisher_tests!(subscribe_on_immediate, |n| range(0..n).subscribe_on(&Immediate));
publisher_tests!(map_async_immediate, |n| range(0..n).map_async_on(
    &Immediate,
    4,
    Order::Source,
    |n| async move { n }
));
publisher_tests!(
    publish_on,
    |n| range(0..n).publish_on(&pool(), 4),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    subscribe_on,
    |n| range(0..n).subscribe_on(&pool()),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    map_async,
    |n| range(0..n).map_async_on(&pool(), 4, Order::Source, |n| async move { n }),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    from_stream,
    |n| from_stream(futures::stream::iter(0..n)),
    Capabilities::new().asynchronous()
);
publisher_tests!(defer, |n| defer(move || range(0..n)));
publisher_tests!(boxed, |n| range(0..n).boxed());
publisher_tests!(boxed_clone, |n| range(0..n).boxed_clone());
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
publisher_tests!(
    map_async_ambient,
    |n| range(0..n).map_async(4, |n| async move { n }),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    map_async_unordered,
    |n| range(0..n).map_async_unordered(4, |n| async move { n }),
    Capabilities::new().asynchronous()
);
