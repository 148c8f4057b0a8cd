#!/usr/bin/env python3
"""Package every crate but that of the Python package, and check that each package holds what it needs and no more.

    .ci/packages.py TARGET    TARGET is the target folder

The packages are unpacked and compiled together, each in place of the version that a registry would have.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# For each crate its folder, the entries at the top of its package, and how many files it has at most.
CRATES = {
    "sessionlint": (".", {"src", "tests", "benches", "CHANGELOG.md"}, 340),
    "sessionlint-core": ("crates/core", {"src"}, 195),
    "sessionlint-schemas": (
        "schemas",
        {
            "NOTICE.md",
            "anthropic-messages",
            "lib.rs",
            "openai-chat",
            "openai-responses",
            "report-1.schema.json",
            "report-line-1.schema.json",
            "session-events",
            "session-records",
            "sessionlint.schema.json",
        },
        150,
    ),
}
LICENCES = {"LICENSE-APACHE", "LICENSE-MIT"}
EVERYWHERE = LICENCES | {"README.md", "Cargo.toml"}
# What cargo adds.
GENERATED = {".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml.orig"}


def cargo(*arguments, **options):
    """Run cargo, and exit as it does if it fails."""
    ran = subprocess.run(["cargo", *arguments], **options)
    if ran.returncode != 0:
        sys.exit(ran.returncode)


def faults(crate, package):
    """Yield what is wrong with the unpacked package of a crate."""
    source, own, most = CRATES[crate]
    files = [path for path in package.rglob("*") if path.is_file()]
    found = {path.name for path in package.iterdir()} - GENERATED
    for missing in sorted((own | EVERYWHERE) - found):
        yield f"{missing} is missing"
    for extra in sorted(found - own - EVERYWHERE):
        yield f"{extra} should not be in it"
    if len(files) > most:
        yield f"it has {len(files)} files, and should have {most} at most"
    # They are copies, because a symbolic link becomes a file with a path in it where git cannot make links.
    for name in LICENCES & found:
        if (package / name).read_bytes() != (ROOT / name).read_bytes():
            yield f"{name} is not {Path(source, name)}, or differs from that of the repository"
    print(f"{package.name}: {len(files)} files, {sum(path.stat().st_size for path in files) // 1024} KiB")


def main():
    target = Path(sys.argv[1]).resolve()
    # --allow-dirty, so that a change can be checked before it is committed.
    published = ["--workspace", "--exclude", "sessionlint-python"]
    cargo("package", *published, "--locked", "--no-verify", "--allow-dirty", "--quiet", cwd=ROOT)

    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    version = manifest["workspace"]["package"]["version"]
    workspace = target / "gate" / "packages"
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(parents=True)
    wrong = []
    for crate in CRATES:
        with tarfile.open(target / "package" / f"{crate}-{version}.crate") as package:
            package.extractall(workspace)
        wrong += [f"{crate}: {fault}" for fault in faults(crate, workspace / f"{crate}-{version}")]
    if wrong:
        sys.exit("\n".join(wrong))

    # The same profile and versions as in the repository, so that no dependency is compiled again. Cargo takes out of the
    # list of versions what only the Python package needs; with --locked it would refuse to.
    shutil.copy(ROOT / "Cargo.lock", workspace)
    patches = [f'{crate} = {{ path = "{crate}-{version}" }}' for crate in CRATES if crate != "sessionlint"]
    members = ", ".join(f'"{crate}-{version}"' for crate in CRATES)
    lines = ["[workspace]", 'resolver = "3"', f"members = [{members}]", "[patch.crates-io]", *patches]
    (workspace / "Cargo.toml").write_text("\n".join(lines) + "\n")
    profile = manifest["profile"]["dev"]
    settings = {f"CARGO_PROFILE_DEV_{key.upper().replace('-', '_')}": str(value) for key, value in profile.items()}
    cargo("check", cwd=workspace, env={**os.environ, **settings})


if __name__ == "__main__":
    main()
