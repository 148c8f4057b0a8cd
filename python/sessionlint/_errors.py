"""The exceptions of sessionlint."""

from typing import NamedTuple

__all__ = ["Problem", "ProtocolError", "SnapshotError"]


class Problem(NamedTuple):
    """A mistake in a file of a protocol.

    Its texts are safe to show on a terminal.
    """

    #: The name of the file.
    file: str
    #: The line, from 1.
    line: int
    #: The column, from 1, in characters.
    column: int
    #: The mistake, in one sentence.
    message: str
    #: What is at the place.
    label: str
    #: What to do.
    help: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}\n  help: {self.help}"


class ProtocolError(ValueError):
    """A protocol cannot be used: its files have mistakes, or cannot be read.

    The text of the exception names every mistake, with its place and what to do.
    """

    def __init__(self, message: str, problems: tuple[Problem, ...] = (), help: str | None = None) -> None:
        super().__init__(message, problems, help)
        #: What is wrong, in one line.
        self.message = message
        #: The mistakes in the files, at most 100; none if a file cannot be read.
        self.problems = problems
        #: What to do, or None if each mistake has its own help.
        self.help = help

    def __str__(self) -> str:
        help = [f"  help: {self.help}"] if self.help else []
        return "\n".join([self.message, *map(str, self.problems), *help])


class SnapshotError(ValueError):
    """Bytes are not the state of a checker with this protocol and these options."""
