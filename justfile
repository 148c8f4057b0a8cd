# The gate and its stages, by the names that .ci/run gives them.

# Run every stage, as CI does.
gate:
    .ci/run

# The code is formatted.
format:
    .ci/run format

# Clippy warns of nothing.
clippy:
    .ci/run clippy

# All tests pass, and none was lost.
test:
    .ci/run test

# The documentation builds without warnings.
doc:
    .ci/run doc

# Each crate compiles by itself, with and without its features.
features:
    .ci/run features

# The crate of the fuzzer compiles.
fuzz:
    .ci/run fuzz

# The packages hold what they need, and compile.
packages:
    .ci/run packages

# No dependency needs a later Rust than Cargo.toml names.
rust-version:
    .ci/run rust-version

# The core has few dependencies.
core-size:
    .ci/run core-size

# The core compiles to WebAssembly.
wasm:
    .ci/run wasm

# The README's picture shows what the program prints.
picture:
    .ci/run picture

# The page of `view` does what it should in a browser.
page:
    .ci/run page

# The Python package can be built, installed and used.
python:
    .ci/run python

# Words are spelled correctly.
typos:
    .ci/run typos

# The gate's own scripts are sound.
scripts:
    .ci/run scripts
