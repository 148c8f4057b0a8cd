"""The hooks for pre-commit, run by pre-commit."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import virtualenv
import yaml
from conftest import ROOT, ndjson

SECTION = (ROOT / "docs" / "ci.md").read_text().split("\n## Before a commit\n")[1].split("\n## ")[0]
FROM_THE_REPOSITORY, FROM_A_WHEEL = re.findall(r"^```yaml\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the environment of these tests is one of Unix")


class Repository:
    """A repository of git."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.environment = environment
        folder.mkdir(exist_ok=True)
        self.git("init", "--quiet")

    def run(self, *command):
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def git(self, *arguments):
        ran = self.run("git", *arguments)
        assert ran.returncode == 0, ran.stdout
        return ran.stdout.strip()

    def commit(self, **files):
        """Write files, commit what has changed, and return whether it was committed, and what was printed."""
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        self.git("add", "--all")
        ran = self.run("git", "commit", "--message", "a change")
        return ran.returncode == 0, ran.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment in which pip reaches no index, and finds what virtualenv brings along."""
    folder = tmp_path_factory.mktemp("environment")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PRE_COMMIT_HOME": str(folder / "pre-commit"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(Path(virtualenv.__file__).parent / "seed" / "wheels" / "embed"),
        **{f"GIT_{who}_{what}": "test" for who in ["AUTHOR", "COMMITTER"] for what in ["NAME", "EMAIL"]},
        "GIT_CONFIG_GLOBAL": os.devnull,
    }


@pytest.fixture
def repository(tmp_path, environment):
    return Repository(tmp_path / "a repository", environment)


def install(repository, configuration):
    (repository.folder / ".pre-commit-config.yaml").write_text(configuration)
    ran = repository.run(sys.executable, "-m", "pre_commit", "install")
    assert ran.returncode == 0, ran.stdout


def results(printed):
    """Return what pre-commit says of each hook, by the hook's name."""
    return dict(re.findall(r"^(sessionlint \w+)\.+(?:\(no files to check\))?(\w+)$", printed, re.MULTILINE))


def test_the_hooks_of_the_repository(repository, checkout, turn):
    hooks = Repository(checkout, repository.environment)
    assert hooks.commit()[0]
    configuration = FROM_THE_REPOSITORY.replace("https://example.com/OWNER/sessionlint", str(checkout))
    install(repository, configuration.replace("COMMIT", hooks.git("rev-parse", "HEAD")))
    other = b'{"prompt": "Hi", "ideal": "Hello"}\n'

    # In their canonical form the events of a turn stand as the test writes them, but without spaces.
    canonical = ndjson(turn).replace(b'": ', b'":').replace(b', "', b',"')
    done, printed = repository.commit(**{"good.ndjson": canonical, "model.jsonl": other})
    assert done, printed
    assert results(printed) == dict.fromkeys(["sessionlint check", "sessionlint lint", "sessionlint fmt"], "Passed")

    done, printed = repository.commit(**{"notes.txt": b"Nothing of the protocol\n"})
    assert done
    assert results(printed) == dict.fromkeys(["sessionlint check", "sessionlint lint", "sessionlint fmt"], "Skipped")

    done, printed = repository.commit(**{"session.ndjson": ndjson(turn)})
    assert not done
    assert results(printed)["sessionlint fmt"] == "Failed" and "files were modified by this hook" in printed
    assert (repository.folder / "session.ndjson").read_bytes() == canonical
    assert (repository.folder / "model.jsonl").read_bytes() == other, "what is no fixture stays as it is"
    assert repository.commit()[0], "what the hook wrote passes"

    done, printed = repository.commit(**{"session.ndjson": ndjson(turn[:3])})
    assert not done
    assert results(printed)["sessionlint check"] == results(printed)["sessionlint lint"] == "Failed"
    assert "error[turn-unfinished] ./session.ndjson:3:" in printed, printed
    (repository.folder / "session.ndjson").unlink()

    page = b"```json\n" + ndjson(turn[:1]).replace(b'"pending"', b'"waiting"') + b"```\n"
    done, printed = repository.commit(**{"page.md": page})
    assert not done
    assert "error[missing-field] ./page.md:2:" in printed
    assert results(printed)["sessionlint check"] == "Skipped", "it reads no pages"


def test_a_hook_from_a_wheel(repository, wheel, turn, unfinished):
    install(repository, FROM_A_WHEEL.replace("WHEEL", str(wheel)))
    done, printed = repository.commit(**{"session.ndjson": ndjson(unfinished)})
    assert not done
    assert results(printed) == {"sessionlint check": "Failed"} and "error[turn-unfinished]" in printed
    done, printed = repository.commit(**{"session.ndjson": ndjson(turn)})
    assert done, printed


def test_the_page_s_own_hook_is_that_of_the_repository():
    (ours,) = [hook for hook in HOOKS if hook["id"] == "sessionlint"]
    (theirs,) = yaml.safe_load(FROM_A_WHEEL)["repos"][0]["hooks"]
    del theirs["additional_dependencies"]
    assert theirs == {**{name: ours[name] for name in theirs}, "entry": " ".join([ours["entry"], *ours["args"]])}
