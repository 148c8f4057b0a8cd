//! The pages name the version of Rust that Cargo.toml names.

use super::page::readme;

#[test]
fn the_readme_names_the_rust_version_of_the_package() {
    let sentence = format!("You need Rust {} or later", env!("CARGO_PKG_RUST_VERSION"));
    assert!(readme().text.contains(&sentence), "{sentence}");
}
