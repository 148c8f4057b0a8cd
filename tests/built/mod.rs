//! The examples of this repository as programs, for tests of several kinds.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the path of an example. `cargo test` has built it by now; `cargo test --test NAME` has not.
pub fn example(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test is a file");
    let (Some(profile), Some(target)) = (test.ancestors().nth(2), test.ancestors().nth(3)) else {
        panic!("{} is in no target folder", test.display())
    };
    let name =
        profile.file_name().and_then(|name| name.to_str()).map(|name| if name == "debug" { "dev" } else { name });
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--offline", "--example", example])
        .args(["--profile", name.unwrap_or("dev")])
        .arg("--target-dir")
        .arg(target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the example builds");
    profile.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX))
}
