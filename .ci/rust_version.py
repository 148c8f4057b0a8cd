#!/usr/bin/env python3
"""Check that no dependency needs a later Rust than Cargo.toml names.

Every package of Cargo.lock counts, also those for tests and for other systems. The README's line and the APIs of the
standard library that the code uses are checked elsewhere: by a test, and by Clippy.
"""

import json
import subprocess
import sys


def version(text):
    """Return a version's numbers, of which the last may be left out."""
    return tuple(map(int, (text + ".0.0").split(".")[:3]))


def main():
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    members = set(metadata["workspace_members"])
    packages = metadata["packages"]
    ours = {package["rust_version"] for package in packages if package["id"] in members}
    if len(ours) != 1 or None in ours:
        sys.exit(f"The packages of the workspace name one rust-version, and not {ours}.")
    (own,) = ours
    claims = [package for package in packages if package["id"] not in members and package["rust_version"]]
    for package in claims:
        if version(package["rust_version"]) > version(own):
            print(f"{package['name']} {package['version']} needs Rust {package['rust_version']}", file=sys.stderr)
    latest = max(claims, key=lambda package: version(package["rust_version"]))
    if version(latest["rust_version"]) > version(own):
        sys.exit(f"rust-version is {own}.")
    print(f"rust-version is {own}; dependencies need at most {latest['rust_version']} ({latest['name']}).")


if __name__ == "__main__":
    main()
