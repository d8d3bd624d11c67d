//! Windows: so many items at a time. Groups: a flow for each key, of which a limited number is
//! open.
//!
//! `cargo run --example 07-windows-and-groups`

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use millstream::{Error, from_iter, range};

fn main() -> Result<(), Error> {
    let sums: Vec<_> =
        range(1..=10_u32).buffer(4).map(|window| window.iter().sum::<u32>()).collect().wait()?;
    println!("sums of four numbers each: {sums:?}");
    assert_eq!(sums, [10, 26, 19]);

    let lines = ["GET /a 12", "GET /b 7", "POST /a 40", "GET /a 3"];
    let parsed = from_iter(lines).filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?.parse::<u64>().ok()?))
    });
    let mut by_path: Vec<_> = parsed
        .group_by(|(path, _)| *path)
        .flat_map(|group| {
            let path = *group.key();
            let times = group.scan((0, 0), |(n, total), (_, ms)| {
                *n += 1;
                *total += ms;
                Some((*n, *total))
            });
            times.take_last(1).map(move |(n, total)| format!("{path}: {n} calls, {total} ms"))
        })
        .collect()
        .wait()?;
    by_path.sort();
    println!("{by_path:#?}");
    assert_eq!(by_path, ["/a: 3 calls, 55 ms", "/b: 1 calls, 7 ms"]);
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
