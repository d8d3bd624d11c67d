//! Configurations that change while a pipeline runs.

use millstream_pipeline::Spec;

use crate::Desk;

const BEFORE: &str = "\
source: { generate: { rate: 50000, count: 20000 } }
stages: [{ queue: q }, { rate: { rate: 30000, burst: 100 } }]
sink: { 'null': { rate: 40000 } }
backpressure: { queues: { q: { size: 100 } } }
flow_control: { initial_credits: 500 }
";

#[test]
fn what_can_change_does_so_without_losing_an_item() {
    let desk = Desk::new();
    let running = desk.start(BEFORE);
    let handle = running.handle();
    let mut n = 0;
    while handle.status().arrived < 15_000 {
        n += 1;
        let text = BEFORE
            .replace("size: 100", &format!("size: {}", 50 + n % 100))
            .replace("rate: 30000", &format!("rate: {}", 30_000 + n % 1000))
            .replace("'null': { rate: 40000 }", &format!("'null': {{ rate: {} }}", 40_000 + n))
            .replace("initial_credits: 500", &format!("initial_credits: {}", 200 + n % 400));
        let changed = handle.reload(desk.spec(&text)).unwrap();
        assert!(changed.contains(&"stages[1].rate".to_owned()), "{changed:?}");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }

    let status = running.wait().unwrap();

    assert_eq!((status.taken, status.arrived, status.lost()), (20_000, 20_000, 0));
    assert_eq!((status.reloads, status.failed_reloads), (n, 0));
    assert!(n > 10);
}

#[test]
fn what_cannot_change_is_named_and_changes_nothing() {
    let desk = Desk::new();
    let running = desk.start(BEFORE);
    let handle = running.handle();
    let fails = |from: &str, to: &str, part: &str| {
        assert!(BEFORE.contains(from), "{from}");
        let text = BEFORE.replace(from, to).replace("size: 100", "size: 7");
        let error = handle.reload(desk.spec(&text)).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(handle.spec(), desk.spec(BEFORE));
    };
    fails("count: 20000", "count: 5", "source cannot change");
    fails("'null': { rate: 40000 }", "stdout: {}", "sink cannot change");
    fails("{ queue: q }, ", "{ queue: q }, { filter: n > 1 }, ", "the number of stages");
    fails("size: 100 }", "size: 100, strategy: drop_oldest }", "strategy from one that waits");
    fails("{ initial_credits: 500 }", "{ type: rate_based }", "flow_control.type");
    assert_eq!(handle.status().failed_reloads, 5);

    let same = handle.reload(desk.spec(BEFORE)).unwrap();

    assert_eq!(same, Vec::<String>::new());
    handle.stop();
    running.wait().unwrap();
}

/// `MILLSTREAM_RELOAD_ITEMS=10000000 cargo test --release -p millstream-pipeline --all-features
/// --test it under_load -- --nocapture` is the long form.
#[test]
fn a_reload_under_load_loses_nothing() {
    let n = std::env::var("MILLSTREAM_RELOAD_ITEMS").map_or(100_000, |n| n.parse().unwrap());
    let desk = Desk::new();
    let yaml = move |size: usize, burst: usize| {
        format!(
            "source: {{ generate: {{ rate: 100000000, count: {n}, item: n }} }}
stages: [{{ queue: one }}, {{ rate: {{ rate: 100000000, burst: {burst} }} }}, {{ queue: two }}]
sink: {{ 'null': {{}} }}
backpressure: {{ queues: {{ one: {{ size: {size} }}, two: {{ size: {} }} }} }}",
            size / 2
        )
    };
    let running = desk.start(&yaml(1_000, 1_000));
    let handle = running.handle();
    let reloads = std::thread::spawn(move || {
        let mut n_reloads = 0;
        while handle.status().arrived < n {
            n_reloads += 1;
            let size = 100 + 97 * (n_reloads % 50);
            handle.reload(Spec::from_yaml(&yaml(size, size)).unwrap()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        n_reloads
    });

    let status = running.wait().unwrap();

    let n_reloads = reloads.join().unwrap();
    assert_eq!((status.taken, status.arrived, status.lost()), (n, n, 0));
    assert!(n_reloads > 3, "{n_reloads}");
    eprintln!("{n} items through {n_reloads} reloads in {:?}", status.elapsed);
}
