//! `rs-tck adapters`: what hosts subjects of other languages, and how each is used.

use std::process::ExitCode;

use clap::Args;

use super::{Answer, say};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Say how this one is used
    name: Option<String>,
}

/// An adapter that ships.
struct Adapter {
    name: &'static str,
    what: &'static str,
    how: &'static str,
}

const ADAPTERS: &[Adapter] = &[
    Adapter {
        name: "rust",
        what: "subjects of `reactive-streams-tck` in another process; the reference",
        how: "\
Folder: tck/adapters/rust. Needs: cargo.
An adapter for subjects of your own is a `main` that ends with
    reactive_streams_tck::remote::serve(vec![Subject::of(...)])
and is judged with
    rs-tck judge -- target/debug/my-adapter
The one that ships hosts the mistakes and oddities of the self-test:
    cargo build -p rs-tck-adapter
    rs-tck judge oddity-1 -- target/debug/rs-tck-adapter",
    },
    Adapter {
        name: "jvm",
        what: "`org.reactivestreams` and `java.util.concurrent.Flow`, Java 17 or later",
        how: "\
Folder: tck/adapters/jvm. Needs: Java 17, Maven.
A subject is named by its class and a public static factory method, which takes the number of items or
nothing; a class alone names all of its factories. @Subject declares what a factory makes.
    mvn -f tck/adapters/jvm package
    rs-tck judge -- java -XX:+UseSerialGC -cp 'tck/adapters/jvm/target/adapter-0.1.0.jar:MY.jar:...' \\
        millstream.tck.Adapter my.Publishers#range",
    },
    Adapter {
        name: "node",
        what: "`Readable`, the web's `ReadableStream`, async iterables, and objects with the four signals; Node 18 or later",
        how: "\
Folder: tck/adapters/node. Needs: node.
A subject is named by its module and a factory in it, which takes the number of items; a module alone names
all that it exports. What demand means to a stream stands in tck/adapters/node/streams.mjs.
    rs-tck judge -- node tck/adapters/node/rs-tck-adapter.mjs ./my-module.mjs#myFactory",
    },
    Adapter {
        name: "python",
        what: "async iterators, and objects with subscribe, request and cancel; Python 3.9 or later",
        how: "\
Folder: tck/adapters/python. Needs: python3.
A subject is named by its module and a factory in it, which takes the number of items; a module alone names
all that declare something. An async iterator is asked for an item where one was requested, and never ahead.
    rs-tck judge -- python3 tck/adapters/python/rs_tck_adapter.py my_module:my_factory",
    },
];

pub(crate) fn run(options: &Options) -> Answer {
    let Some(name) = &options.name else {
        ADAPTERS.iter().for_each(|adapter| say!("{:<8}{}", adapter.name, adapter.what));
        say!("\n`rs-tck adapters NAME` says how one is used.");
        return Ok(ExitCode::SUCCESS);
    };
    let adapter = ADAPTERS.iter().find(|adapter| adapter.name == name).ok_or_else(|| {
        let names: Vec<_> = ADAPTERS.iter().map(|adapter| adapter.name).collect();
        format!("there is no adapter `{name}`; there are {}", names.join(", "))
    })?;
    say!("{}: {}\n\n{}", adapter.name, adapter.what, adapter.how);
    Ok(ExitCode::SUCCESS)
}
