"""Conformance validator for AI-agent session event streams.

    >>> import sessionlint
    >>> report = sessionlint.check([{"type": "session.status"}])
    >>> bool(report), report.findings[0].rule, report.findings[0].row
    (False, 'missing-field', 0)

`check` judges a whole input, and `Checker` one that comes piece by piece. Both return a `Report` of `Finding` objects.
A mistake in the input is a finding, and never an exception.
"""

from ._errors import Problem, ProtocolError, SnapshotError
from ._native import (
    Checker,
    Excerpt,
    Finding,
    Protocol,
    Related,
    Repeat,
    Report,
    Rule,
    __version__,
    check,
    explain,
    generate,
    run,
)
from .assertions import Nonconforming, Stream, assert_breaks, assert_conforms

__all__ = [
    "Checker",
    "Excerpt",
    "Finding",
    "Nonconforming",
    "Problem",
    "Protocol",
    "ProtocolError",
    "Related",
    "Repeat",
    "Report",
    "Rule",
    "SnapshotError",
    "Stream",
    "__version__",
    "assert_breaks",
    "assert_conforms",
    "check",
    "explain",
    "generate",
    "run",
]
