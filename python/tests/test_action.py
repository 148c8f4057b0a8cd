"""The action for GitHub: its steps, run as a runner runs them.

The actions that it uses are played: a Python is there, and the cache is a folder.
"""

import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, ndjson

import sessionlint

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
EXPRESSION = re.compile(r"\$\{\{ ([a-z_.-]+) \}\}")
CONDITION = re.compile(r"([a-z_.-]+) == '([^']*)'")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="which of its shells is bash is for the runner to say")


class Job:
    """A job that uses the action, with the files of a runner."""

    def __init__(self, folder, checkout):
        self.checkout = checkout
        self.workspace = folder / "work space"
        self.temporary = folder / "a 'temp' folder"
        self.programs = folder / "programs"
        self.cache = folder / "cache"
        for path in [self.workspace, self.temporary, self.programs, self.cache]:
            path.mkdir()
        self.summary = folder / "summary.md"
        self.github = {"action_ref": "main", "action_repository": "owner/sessionlint", "token": "secret"}
        self.environment = {}
        self.outputs = {"python": {"python-path": sys.executable}}
        self.log = ""
        self.artifacts = {}

    def evaluate(self, text, inputs):
        """Return a text with the values of its expressions, or fail at one that is not known here."""
        contexts = {
            "inputs": inputs,
            "github": self.github,
            "runner": {"temp": str(self.temporary)},
            "steps": {step: {"outputs": outputs} for step, outputs in self.outputs.items()},
        }

        def value(match):
            found = contexts
            *path, last = match[1].split(".")
            for name in path:
                found = found[name]
            # A step that has not said a thing has no such output.
            return found.get(last, "") if path[0] == "steps" else found[last]

        evaluated = EXPRESSION.sub(value, text)
        assert "${{" not in EXPRESSION.sub("", text), text
        return evaluated

    def use(self, name, given):
        """Play an action, and return its outputs."""
        action, _, version = name.partition("@")
        assert re.fullmatch(r"v\d+", version)
        if action == "actions/setup-python":
            assert given["update-environment"] is False
            return {"python-path": sys.executable}
        if action == "actions/upload-artifact":
            self.artifacts[given["name"]] = (self.workspace / given["path"]).read_text()
            return {}
        path, kept = Path(given["path"]), self.cache / given["key"]
        if action == "actions/cache/restore":
            if kept.is_dir():
                shutil.copytree(kept, path)
            return {}
        assert action == "actions/cache/save"
        shutil.copytree(path, kept)
        return {}

    def run(self, *only, **given):
        """Run the steps, or some of them, and return the exit code of the last that ran."""
        inputs = {name: entry["default"] for name, entry in ACTION["inputs"].items()}
        inputs.update({name.replace("_", "-"): value for name, value in given.items()})
        for step in ACTION["runs"]["steps"]:
            if only and step["name"] not in only:
                continue
            if "if" in step:
                path, expected = CONDITION.fullmatch(step["if"]).groups()
                if self.evaluate(f"${{{{ {path} }}}}", inputs) != expected:
                    continue
            if "uses" in step:
                settings = {
                    key: self.evaluate(value, inputs) if isinstance(value, str) else value
                    for key, value in step["with"].items()
                }
                self.outputs[step.get("id")] = self.use(step["uses"], settings)
                continue
            environment = {name: self.evaluate(value, inputs) for name, value in step.get("env", {}).items()}
            code = self.script(step, environment)
            if code != 0:
                return code
        return 0

    def script(self, step, environment):
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "what a caller wrote would be part of the script"
        script, outputs = self.temporary / "script.sh", self.temporary / "outputs"
        script.write_text(step["run"])
        outputs.write_text("")
        runner = {
            "PATH": os.pathsep.join([str(self.programs), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(self.temporary),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(self.checkout),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_ARCH": "X64",
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self.temporary),
        }
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.workspace,
            env={**runner, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.log += ran.stdout
        lines = outputs.read_text().splitlines()
        self.outputs[step.get("id")] = dict(line.split("=", 1) for line in lines)
        return ran.returncode

    def program(self, name, script):
        """Put a program on the runner's search path."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def record(self, name, events):
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ndjson(events))


@pytest.fixture
def job(tmp_path, checkout):
    return Job(tmp_path, checkout)


@pytest.fixture
def ready(job):
    """A job in which sessionlint is there already, so that only the last step is to be run."""
    job.outputs["install"] = {"python": sys.executable}
    (job.temporary / "sessionlint").mkdir()
    return job


def test_it_builds_once_and_then_takes_the_wheel_from_the_cache(job, turn, unfinished):
    job.record("recordings/bad.ndjson", unfinished)
    assert job.run(paths="recordings") == 1
    assert "There is no wheel of sessionlint for main: it is built" in job.log
    assert "::error file=recordings/bad.ndjson,line=1" in job.log
    assert "turn-unfinished" in job.summary.read_text()
    assert (job.workspace / "sessionlint.sarif").is_file()
    installed = job.outputs["install"]["python"]
    assert installed.startswith(str(job.temporary)) and installed != sys.executable
    # It is kept although the job has failed.
    (kept,) = job.cache.iterdir()
    assert kept.name.startswith("sessionlint-Linux-X64-")
    assert [path.suffix for path in kept.iterdir()] == [".whl"]

    job.log = ""
    job.record("recordings/bad.ndjson", turn)
    assert job.run(paths="recordings") == 0, job.log
    assert "it is built" not in job.log
    assert "turn-unfinished" not in job.log

    # Other sources are another wheel.
    (job.checkout / "src").mkdir()
    (job.checkout / "src" / "main.rs").write_text("fn main() {}\n")
    assert job.run("Name the wheel") == 0
    assert job.outputs["wheel"]["key"] != kept.name


@pytest.mark.parametrize("wheel_of", ["this system", "another system"])
def test_at_the_tag_of_a_release_it_takes_the_release_s_wheel(job, wheel, wheel_of):
    job.github["action_ref"] = f"v{sessionlint.__version__}"
    fits = wheel_of == "this system"
    name = wheel.name if fits else f"sessionlint-{sessionlint.__version__}-cp311-abi3-win_arm64.whl"
    job.program("gh", f'echo "$GH_TOKEN" "$@"\nmkdir -p "$9" && cp "{wheel}" "$9/{name}"\n')
    assert job.run("Name the wheel", "Install sessionlint") == 0, job.log
    asked = f"secret release download v{sessionlint.__version__} --repo owner/sessionlint --pattern *.whl --dir"
    assert asked in job.log
    assert ("comes as the wheel of its release" in job.log) == fits
    assert ("it is built" in job.log) != fits


def test_without_the_release_it_builds(job):
    job.github["action_ref"] = f"v{sessionlint.__version__}"
    job.program("gh", "echo release not found\nexit 1\n")
    assert job.run("Name the wheel", "Install sessionlint") == 0
    assert "release not found" in job.log and "it is built" in job.log


def test_a_program_of_another_version_does_not_check(job):
    assert job.run("Name the wheel") == 0
    version = job.outputs["wheel"]["version"]
    information = f"sessionlint-{version}.dist-info"
    files = {
        "sessionlint/__main__.py": "print('sessionlint 0.0.0')",
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: sessionlint\nVersion: {version}\n",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{information}/RECORD": "",
    }
    folder = job.temporary / "sessionlint" / "wheel"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / f"sessionlint-{version}-py3-none-any.whl", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    assert job.run("Install sessionlint") == 1
    assert f"sessionlint {version} was to be installed, and what was installed calls itself sessionlint 0.0.0" in job.log
    assert "python" not in job.outputs["install"]


def test_modules_of_the_caller_s_folder_are_not_run(job, turn):
    job.record("recordings/good.ndjson", turn)
    job.environment["PYTHONPATH"] = str(job.workspace)
    for name in ["hashlib", "pip", "platform", "sessionlint", "signal", "tomllib", "venv"]:
        (job.workspace / f"{name}.py").write_text("open('ran', 'w')\n")
    assert job.run(paths="recordings") == 0, job.log
    assert not (job.workspace / "ran").exists()


HOSTILE = [
    "$(touch ran)",
    "`touch ran`",
    '"; touch ran; "',
    "'; touch ran; '",
    "a b  c",
    "--fail-on=never",
    "-v",
    "*",
    "%0A::error::x",
    "${{ github.token }}",
    "name\\",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_path_is_a_path_whatever_is_in_it(ready, turn, unfinished, text):
    ready.record(f"{text}/bad.ndjson", unfinished)
    ready.record("good.ndjson", turn)
    before = sorted(ready.workspace.iterdir())
    # A pattern is one all the same.
    assert ready.run("Check", paths=f"good.ndjson\n\n  \n{text}/bad.ndjson\n") == 1, ready.log
    assert "turn-unfinished" in ready.log
    assert sorted(ready.workspace.iterdir()) == sorted([*before, ready.workspace / "sessionlint.sarif"])


@pytest.mark.parametrize("text", [*HOSTILE, "two\nlines"])
@pytest.mark.parametrize("name", ["fail_on", "protocol", "baseline"])
def test_another_input_is_refused_or_names_nothing(ready, turn, name, text):
    ready.record("good.ndjson", turn)
    assert ready.run("Check", **{name: text}) == 2, ready.log
    assert not (ready.workspace / "ran").exists()
    assert "::error::x" not in ready.log.splitlines()


@pytest.mark.parametrize("text", HOSTILE)
def test_the_sarif_file_has_the_name_that_was_given(ready, turn, text):
    ready.record("good.ndjson", turn)
    assert ready.run("Check", paths="good.ndjson", sarif=text) == 0, ready.log
    assert {path.name for path in ready.workspace.iterdir()} == {"good.ndjson", text}


def test_a_page_is_kept_although_the_job_fails(ready, unfinished):
    ready.record("bad.ndjson", unfinished)
    steps = ["Make the page", "Keep the page", "Check"]
    assert ready.run(*steps, paths="bad.ndjson", page="a page.html") == 1, ready.log
    assert "turn-unfinished" in ready.artifacts["sessionlint"]


@pytest.mark.parametrize("paths", ["bad.ndjson", "moved"])
def test_there_is_no_page_unless_it_is_asked_for_and_can_be_made(ready, unfinished, paths):
    ready.record("bad.ndjson", unfinished)
    page = "" if paths == "bad.ndjson" else "page.html"
    assert ready.run("Make the page", "Keep the page", paths=paths, page=page) == 0, ready.log
    assert ready.artifacts == {}
    assert sorted(path.name for path in ready.workspace.iterdir()) == ["bad.ndjson"]


def test_inputs_do_what_they_say(ready, turn, unfinished):
    ready.record("bad.ndjson", unfinished)
    assert ready.run("Check", fail_on="never") == 0
    assert ready.run("Check", protocol="session-records", fail_on_incomplete="true") != 0
    assert ready.run("Check", paths="moved") == 2, "a job whose recordings have moved does not stay green"
    ready.record("bad.ndjson", turn)
    assert ready.run("Check", fail_on="note") == 0


def test_what_the_action_gives_is_what_it_says(job):
    assert {name: job.evaluate(entry["value"], {"sarif": "x.sarif"}) for name, entry in ACTION["outputs"].items()} == {
        "sarif": "x.sarif"
    }
