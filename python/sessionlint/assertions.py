"""Assertions on events, for tests."""

from typing import Any, Optional

from ._native import Checker, Finding, Report, check

__all__ = ["Nonconforming", "Stream", "assert_breaks", "assert_conforms"]

_RANKS = {"note": 0, "warning": 1, "error": 2}


class Nonconforming(AssertionError):
    """Events do not conform to the protocol.

    The text of the exception shows each finding, with the earlier events that explain it.
    """

    def __init__(self, findings: "tuple[Finding, ...]", text: str) -> None:
        super().__init__(text)
        #: The findings, the first one first.
        self.findings = findings

        first, *others = findings or (None,)
        more = f" (and {len(others)} more)" if others else ""
        #: The rule and message of the first finding, and the number of the others, in one line.
        self.headline = f"{first.rule}: {first.message}{more}" if first else text.partition("\n")[0]

    def __reduce__(self) -> Any:
        """Pickle the text without the findings, so that a failure in another process is told in this one."""
        return Nonconforming, ((), self.args[0])


def _at_least(findings: "tuple[Finding, ...] | list[Finding]", severity: str) -> "tuple[Finding, ...]":
    return tuple(finding for finding in findings if _RANKS[finding.severity] >= _RANKS[severity])


def _raise_for(report: Report, fail_on: str) -> None:
    """Raise if a report has findings of this severity or a higher one."""
    __tracebackhide__ = True
    found = _at_least(report.findings, fail_on) if fail_on != "never" else ()
    if found:
        raise Nonconforming(found, "the events do not conform\n" + report.text().rstrip())


def assert_conforms(events: Any, *, fail_on: str = "error", **options: Any) -> Report:
    """Assert that events conform to the protocol, and return the report.

    `events` and `options` are those of `sessionlint.check`: bytes, text, a path, an open file, or an iterable of events.
    `fail_on`: the lowest severity that fails: "error", "warning" or "note".

    Raises:
        Nonconforming: an event breaks a rule of this severity.
    """
    __tracebackhide__ = True
    _severity(fail_on)
    report = check(events, **options)
    _raise_for(report, fail_on)
    return report


def assert_breaks(events: Any, rule: str, **options: Any) -> Report:
    """Assert that events break a rule, and return the report.

    `events` and `options` are those of `sessionlint.check`. Other rules may be broken too.

    Raises:
        AssertionError: no finding is of this rule. The text shows the findings that there are.
        ValueError: the protocol has no such rule.
    """
    __tracebackhide__ = True
    # Also refuses a rule that does not exist, which nothing could break.
    rules = {rule: "error", **(options.pop("rules", None) or {})}
    report = check(events, rules=rules, **options)
    if not any(finding.rule == rule for finding in report.findings):
        found = report.text().rstrip() or "nothing was found"
        raise AssertionError(f"the events do not break {rule}\n{found}")
    return report


class Stream:
    """A stream of events that is checked while a test runs.

    `feed` raises at the very event that breaks a rule. Where the stream ends, `end` checks that it may end there; as a
    context manager, a stream is ended unless the block raises.
    """

    def __init__(self, *, fail_on: str = "error", **options: Any) -> None:
        _severity(fail_on)
        self._checker: Optional[Checker] = Checker(**options)
        self._fail_on = fail_on
        self._row = 0
        self._failure: Optional[Exception] = None

    def feed(self, event: Any) -> None:
        """Check the next event: a dict, or JSON as text or bytes.

        An event that is odd, but may yet turn out to be none of the protocol, fails later, or at the end.

        Raises:
            Nonconforming: the event breaks a rule, or an earlier event did.
            TypeError: the event cannot be written as JSON.
            ValueError: the stream has ended.
        """
        __tracebackhide__ = True
        if self._failure is not None:
            raise self._failure
        if self._checker is None:
            raise ValueError("the stream has ended")
        row, self._row = self._row, self._row + 1
        try:
            self._checker.event(event, row)
        except Exception as error:
            # The event was sent, and was not checked.
            self._failure = error
            raise
        self._raise(self._checker.take_findings())

    def end(self) -> None:
        """End the stream. Its end is not checked after a failure, nor a second time.

        Raises:
            Nonconforming: the stream must not end here, or an event has failed, whoever caught that.
        """
        __tracebackhide__ = True
        if self._failure is not None:
            if not hasattr(self._failure, "__notes__"):
                self._failure.add_note("This was raised by `feed` before. Where it is expected, call `abandon()`.")
            raise self._failure
        checker, self._checker = self._checker, None
        if checker is not None:
            self._raise(checker.finish().findings)

    def abandon(self) -> None:
        """End the stream without checking that it may end here, and forget a failure."""
        self._checker = self._failure = None

    def _raise(self, findings: "tuple[Finding, ...] | list[Finding]") -> None:
        __tracebackhide__ = True
        found = _at_least(findings, self._fail_on) if self._fail_on != "never" else ()
        if found:
            # What follows from a failure is no failure of its own.
            self._checker = None
            text = "\n".join(finding.text().rstrip() for finding in found)
            self._failure = Nonconforming(found, "the events do not conform\n" + text)
            raise self._failure

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        __tracebackhide__ = True
        self.end() if kind is None else self.abandon()


def _severity(name: str) -> None:
    if name not in (*_RANKS, "never"):
        raise ValueError(f"{name!r} is not a severity: use 'error', 'warning', 'note' or 'never'")


for _public in (Nonconforming, Stream, assert_breaks, assert_conforms):
    # What the package exports says that it is the package's.
    _public.__module__ = "sessionlint"
