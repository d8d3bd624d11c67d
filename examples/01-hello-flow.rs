//! A flow: a source, operators, and something that runs it.
//!
//! `cargo run --example 01-hello-flow`

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use millstream::{Error, range};

fn main() -> Result<(), Error> {
    // A plan: nothing runs yet.
    let squares = range(1..=10_u64).filter(|n| n % 2 == 0).map(|n| n * n);

    // `fold` asks for items and returns an outcome: a future, which `wait` blocks for.
    let sum = squares.fold(0, |sum, n| sum + n).wait()?;

    println!("the squares of the even numbers to 10 add up to {sum}");
    assert_eq!(sum, 220);
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
