//! Loads the suite of the reference API and plans it: what every start costs before anything is sent.

use divan::Bencher;
use fincheck::{
    families::FAMILIES,
    plan::{Choice, Plan},
    suite::{self, Options, Suite},
};

const TEXT: &str = include_str!("../suites/reference.yaml");

fn main() {
    divan::main();
}

fn load() -> Suite {
    let options = Options { environment: &|_| None, env_file: &[], vars: &[], target: None, families: FAMILIES };
    suite::load_text("suites/reference.yaml", TEXT, &options).expect("a valid suite")
}

#[divan::bench]
fn the_reference_suite() -> Suite {
    load()
}

#[divan::bench]
fn planning_the_reference_suite(bencher: Bencher<'_, '_>) {
    let suite = load();
    bencher.bench(|| Plan::new(&suite, Choice { only: Vec::new(), skip: Vec::new() }).expect("a plan").requests());
}
