//! `tidy`: the house rules that a program can check, each with what to do instead.
//!
//! Every check takes a [`Tree`], so that its own tests can feed it a bad sample: a check that
//! cannot fail is no check.

#![forbid(unsafe_code)]

mod absences;
mod backpressure;
mod book;
mod bugs;
mod changelog;
mod coming;
mod comments;
mod dependencies;
mod fixmes;
mod headers;
mod layers;
mod licenses;
mod links;
mod loom_models;
mod manifests;
mod measured;
mod operator_tables;
mod operators;
mod outputs;
mod prose;
mod rule_numbers;
mod scan;
mod sizes;
mod spelling;
mod tck_lines;
mod tree;
mod unsafe_page;
mod unsafety;

use crate::tree::{Finding, Tree};

#[track_caller]
fn assert_tidy(findings: &[Finding]) {
    let list: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(list.is_empty(), "{} findings:\n\n{}\n", list.len(), list.join("\n"));
}

#[test]
fn the_book_says_what_the_operators_say() {
    assert_tidy(&operator_tables::check(&Tree::load()));
}

#[test]
#[ignore = "it writes the page: run `cargo xtask book`"]
fn fill_the_book() {
    operator_tables::write(&Tree::load()).expect("the page can be written");
    unsafe_page::write(&Tree::load()).expect("the page can be written");
    measured::write(&Tree::load()).expect("the page can be written");
}

#[test]
fn links_lead_somewhere() {
    assert_tidy(&links::check(&Tree::load()));
}

#[test]
fn the_page_of_unsafe_code_says_what_the_sources_say() {
    assert_tidy(&unsafe_page::check(&Tree::load()));
}

#[test]
fn the_readme_has_the_numbers_of_the_book() {
    assert_tidy(&measured::check(&Tree::load()));
}

#[test]
fn no_output_of_a_build_is_kept() {
    assert_tidy(&outputs::check(&Tree::load()));
}

#[test]
fn words_are_spelled_in_one_way() {
    assert_tidy(&spelling::check(&Tree::load()));
}

#[test]
fn crates_do_without_what_they_must() {
    assert_tidy(&absences::check(&Tree::load()));
}

#[test]
fn comments_are_as_wide_as_code() {
    assert_tidy(&comments::check(&Tree::load()));
}

#[test]
fn the_changelog_names_what_users_can_name() {
    assert_tidy(&changelog::check(&Tree::load()));
}

#[test]
fn every_license_may_be_used() {
    let packages = licenses::packages();

    assert!(packages.len() > 100, "the dependencies are seen");
    assert_tidy(&licenses::check(&packages));
}

#[test]
fn every_table_belongs_to_a_check() {
    assert_tidy(&Tree::load().unknown_tables());
}

#[test]
fn what_other_names_lead_to_exists() {
    assert_tidy(&coming::check(&Tree::load()));
}

#[test]
fn every_chapter_is_listed_and_run() {
    assert_tidy(&book::check(&Tree::load()));
}

#[test]
fn the_book_shows_the_rules_as_they_are() {
    assert_tidy(&book::rules(&Tree::load()));
}

#[test]
fn every_bug_of_others_has_a_test() {
    assert_tidy(&bugs::check(&Tree::load()));
}

#[test]
fn dependencies_point_one_way() {
    assert_tidy(&dependencies::check(&dependencies::edges_of_the_workspace()));
}

#[test]
fn every_fixme_has_an_issue() {
    assert_tidy(&fixmes::check(&Tree::load()));
}

#[test]
fn every_file_says_what_it_is() {
    assert_tidy(&headers::check(&Tree::load()));
}

#[test]
fn modules_import_downward() {
    assert_tidy(&layers::check(&Tree::load()));
}

#[test]
fn every_model_names_its_mutation() {
    assert_tidy(&loom_models::check(&Tree::load()));
}

#[test]
fn every_manifest_inherits_from_the_workspace() {
    assert_tidy(&manifests::check(&Tree::load()));
}

#[test]
fn every_operator_is_documented() {
    assert_tidy(&operators::check(&Tree::load()));
}

#[test]
fn every_publisher_states_what_it_does_about_demand() {
    assert_tidy(&backpressure::check(&Tree::load()));
}

#[test]
fn every_operator_is_judged_by_the_tck() {
    assert_tidy(&tck_lines::check(&Tree::load()));
}

#[test]
fn what_every_operator_does_with_its_source_is_judged_by_the_tck() {
    assert_tidy(&tck_lines::check_subscribers(&Tree::load()));
}

#[test]
fn prose_has_no_trailing_blanks() {
    assert_tidy(&prose::trailing_blanks(&Tree::load()));
}

#[test]
fn no_file_names_a_place_outside_the_repository() {
    assert_tidy(&prose::foreign_paths(&Tree::load()));
}

#[test]
fn every_rule_number_exists() {
    assert_tidy(&rule_numbers::check(&Tree::load()));
}

#[test]
fn files_stay_short() {
    assert_tidy(&sizes::check(&Tree::load()));
}

#[test]
fn only_the_kernel_is_unsafe_or_atomic() {
    assert_tidy(&unsafety::check(&Tree::load()));
}

#[test]
fn the_tree_is_seen() {
    let tree = Tree::load();

    assert!(tree.rust().any(|file| file.path == "crates/millstream-kernel/src/lib.rs"));
    assert!(tree.files.iter().any(|file| file.path == "Cargo.toml"));
    assert!(!tree.files.iter().any(|file| file.path.starts_with("target/")));
}
