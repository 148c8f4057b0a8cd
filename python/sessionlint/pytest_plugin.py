"""The pytest plugin: recordings as tests, and a fixture for streams.

Options of the configuration file:

    sessionlint_files     patterns of recordings, relative to the root folder; each one is a test
    sessionlint_protocol  a built-in protocol, or a folder relative to the root folder
    sessionlint_rules     severities of rules, one a line: NAME=error, warning, note or off
    sessionlint_fail_on   the lowest severity that fails a test: error (the default), warning, note or never
"""

from collections.abc import Generator, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, Optional

import pytest

from . import assertions
from ._errors import ProtocolError
from ._native import Protocol, check
from .assertions import Nonconforming, Stream

_OPTIONS = pytest.StashKey[dict[str, Any]]()
_HAS_FAILED = pytest.StashKey[bool]()
_COLLECTED = pytest.StashKey[set[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("sessionlint_files", "recordings that are tests, as patterns (sessionlint)", type="args", default=[])
    parser.addini("sessionlint_protocol", "built-in protocol, or folder of one (sessionlint)", default="")
    parser.addini("sessionlint_rules", "severities of rules, NAME=SEVERITY (sessionlint)", type="linelist", default=[])
    parser.addini("sessionlint_fail_on", "lowest severity that fails a test (sessionlint)", default="error")


def pytest_configure(config: pytest.Config) -> None:
    patterns = config.getini("sessionlint_files")
    if wrong := [pattern for pattern in patterns if PurePosixPath(pattern).is_absolute() or ".." in pattern.split("/")]:
        raise pytest.UsageError(f"sessionlint_files: {wrong[0]!r} is not a pattern of files in the root folder")
    if patterns or any(config.getini(f"sessionlint_{name}") for name in ("protocol", "rules")):
        # What is wrong in the configuration is told once, before any test runs.
        _options(config)
    config.stash[_COLLECTED] = set()


def pytest_sessionfinish(session: pytest.Session) -> None:
    # A worker of xdist tells what it has collected.
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        collected = session.config.stash[_COLLECTED]
        output["sessionlint_collected"] = sorted(collected)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    collected = getattr(node, "workeroutput", {}).get("sessionlint_collected", ())
    node.config.stash[_COLLECTED].update(collected)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    collected = config.stash[_COLLECTED]
    # A run that names its files is meant to leave others out.
    if config.args_source == pytest.Config.ArgsSource.ARGS:
        return
    for pattern in config.getini("sessionlint_files"):
        if pattern not in collected:
            terminalreporter.write_line(f"sessionlint_files: no file that was collected matches {pattern!r}", yellow=True)


def _options(config: pytest.Config) -> dict[str, Any]:
    """Return the keyword arguments of checks that the configuration asks for."""
    if _OPTIONS in config.stash:
        return config.stash[_OPTIONS]
    options: dict[str, Any] = {}
    fail_on = config.getini("sessionlint_fail_on")
    try:
        assertions._severity(fail_on)
        if protocol := config.getini("sessionlint_protocol"):
            folder = config.rootpath / protocol
            options["protocol"] = Protocol.load(folder) if folder.is_dir() else Protocol.builtin(protocol)
        if lines := config.getini("sessionlint_rules"):
            rules = dict(_rule(line) for line in lines)
            # Refuses rules and severities that do not exist, before any test runs.
            check(b"", rules=rules, **options)
            options["rules"] = rules
    except (ValueError, ProtocolError) as error:
        raise pytest.UsageError(f"sessionlint: {error}") from None
    config.stash[_OPTIONS] = {"fail_on": fail_on, **options}
    return config.stash[_OPTIONS]


def _rule(line: str) -> tuple[str, Any]:
    name, found, severity = line.partition("=")
    if not found:
        raise ValueError(f"sessionlint_rules: {line!r} is not NAME=SEVERITY")
    return name.strip(), severity.strip()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Optional["RecordingFile"]:
    patterns = parent.config.getini("sessionlint_files")
    if not patterns or not file_path.is_relative_to(parent.config.rootpath):
        return None
    path = PurePosixPath(file_path.relative_to(parent.config.rootpath).as_posix())
    matching = [pattern for pattern in patterns if _matches(path.parts, PurePosixPath(pattern).parts)]
    parent.config.stash[_COLLECTED].update(matching)
    if matching:
        return RecordingFile.from_parent(parent, path=file_path)
    return None


def _matches(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Return whether a path matches a pattern, in which `**` stands for any number of folders."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(path[skip:], pattern[1:]) for skip in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _matches(path[1:], pattern[1:])


class RecordingFile(pytest.File):
    """A recording, with one test."""

    def collect(self) -> Iterator["RecordingItem"]:
        yield RecordingItem.from_parent(self, name="conforms")


class RecordingItem(pytest.Item):
    """The test that a recording conforms."""

    def runtest(self) -> None:
        options = dict(_options(self.config))
        fail_on = options.pop("fail_on")
        report = check(self.path, file=self.nodeid.partition("::")[0], **options)
        for name in ("events", "streams", "errors", "warnings", "notes"):
            self.user_properties.append((f"sessionlint_{name}", getattr(report, name)))
        assertions._raise_for(report, fail_on)

    def reportinfo(self) -> tuple[Path, Optional[int], str]:
        return self.path, None, f"{self.nodeid.partition('::')[0]} conforms"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        # The code of the plugin explains nothing.
        return excinfo.getrepr(style="value") if isinstance(excinfo.value, Nonconforming) else super().repr_failure(excinfo)


class StreamFactory:
    """The fixture `sessionlint`: checks with the options of the configuration."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._streams: list[Stream] = []

    def stream(self, **options: Any) -> Stream:
        """Return a new stream, which is ended when the test has passed. `options`: see `Stream`."""
        stream = Stream(**{**self._options, **options})
        self._streams.append(stream)
        return stream

    def assert_conforms(self, events: Any, **options: Any) -> Any:
        """Assert that events conform; see `sessionlint.assert_conforms`."""
        __tracebackhide__ = True
        return assertions.assert_conforms(events, **{**self._options, **options})

    def assert_breaks(self, events: Any, rule: str, **options: Any) -> Any:
        """Assert that events break a rule; see `sessionlint.assert_breaks`."""
        __tracebackhide__ = True
        known = {name: value for name, value in self._options.items() if name != "fail_on"}
        return assertions.assert_breaks(events, rule, **{**known, **options})


@pytest.fixture
def sessionlint(request: pytest.FixtureRequest) -> Iterator[StreamFactory]:
    """Checks of events with the options of the configuration file.

    The streams that `sessionlint.stream()` returns must be complete when the test has passed. An event that failed, in a
    task or a thread of which the test did not hear, fails the test then. After a failed test, how its streams end is not
    checked.
    """
    factory = StreamFactory(_options(request.config))
    yield factory
    if request.node.stash.get(_HAS_FAILED, False):
        return
    failures = []
    for stream in factory._streams:
        try:
            stream.end()
        except Nonconforming as failure:
            failures.append(failure)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        texts = [str(failure).partition("\n")[2] for failure in failures]
        found = tuple(finding for failure in failures for finding in failure.findings)
        raise Nonconforming(found, f"the events of {len(failures)} streams do not conform\n" + "\n".join(texts))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.excinfo is not None:
        item.stash[_HAS_FAILED] = True
        value = call.excinfo.value
        crash = getattr(report.longrepr, "reprcrash", None)
        if isinstance(value, Nonconforming) and crash is not None:
            # The short summary has the first line only: the rule stands first in it.
            crash.message = value.headline
    return report
