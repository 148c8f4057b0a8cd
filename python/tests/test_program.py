"""The program, as the script `sessionlint` and as `python -m sessionlint`."""

import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from conftest import ndjson

import sessionlint

SCRIPT = [str(Path(sysconfig.get_path("scripts"), "sessionlint"))]
MODULE = [sys.executable, "-m", "sessionlint"]


def run(command, *arguments, **options):
    return subprocess.run([*command, *arguments], capture_output=True, **options)


@pytest.mark.parametrize("command", [SCRIPT, MODULE])
def test_the_exit_codes_are_those_of_the_program(command, turn, unfinished):
    clean = run(command, "check", "--no-config", "-", input=ndjson(turn))
    assert (clean.returncode, clean.stderr) == (0, b"")
    found = run(command, "check", "--no-config", "-", input=ndjson(unfinished))
    assert found.returncode == 1 and b"error[turn-unfinished] -:1:" in found.stdout
    wrong = run(command, "chekc")
    assert wrong.returncode == 2 and wrong.stdout == b"" and b"check" in wrong.stderr
    version = run(command, "--version")
    assert (version.returncode, version.stdout.decode()) == (0, f"sessionlint {sessionlint.__version__}\n")


def test_the_whole_program_is_there():
    listed = run(MODULE, "--help").stdout.decode()
    for command in ["check", "fuzz", "tap", "lint", "fmt", "graph", "reconcile"]:
        assert f"\n  {command} " in listed


def test_arguments_that_are_not_utf_8_are_passed_on(tmp_path, unfinished):
    if sys.platform != "linux":
        pytest.skip("file names are bytes on Linux only")
    path = os.fsencode(tmp_path) + b"/\xff.ndjson"
    with open(path, "wb") as file:
        file.write(ndjson(unfinished))
    assert run(MODULE, "check", "--no-config", path).returncode == 1


def test_a_function_runs_the_program_too(tmp_path, turn, unfinished, capfd):
    path = tmp_path / "recording.ndjson"
    path.write_bytes(ndjson(unfinished))
    assert sessionlint.run(["check", "--no-config", str(path)]) == 1
    assert "turn-unfinished" in capfd.readouterr().out
    path.write_bytes(ndjson(turn))
    assert sessionlint.run(["check", "--no-config", path]) == 0
    assert sessionlint.run([]) == 2
    for wrong in ["check", [1], None]:
        with pytest.raises(TypeError):
            sessionlint.run(wrong)


def test_the_same_seed_generates_what_the_program_writes(tmp_path):
    for seed, options, arguments in [
        (0, {}, []),
        (7, {"sessions": 3}, ["--sessions", "3"]),
        (3, {"breaks": "idle-missing"}, ["--break", "idle-missing"]),
        (4, {"wild": True}, ["--wild"]),
    ]:
        folder = tmp_path / str(seed)
        run(MODULE, "generate", "--no-config", "--seed", str(seed), "--out", folder, *arguments)
        written = (folder / "stream-00001.ndjson").read_bytes()
        assert written == sessionlint.generate(seed=seed, **options)


@pytest.mark.skipif(os.name == "nt", reason="signals are of Unix")
@pytest.mark.parametrize("command", [SCRIPT, MODULE])
def test_an_interrupt_ends_the_program(command):
    def listen():
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    arguments = [*command, "check", "--no-config", "--format", "jsonl", "-"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=listen) as process:
        process.stdin.write(b"{}\n" * 40_000)
        process.stdin.flush()
        # It has begun to judge, and waits for more.
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait() == -signal.SIGINT
