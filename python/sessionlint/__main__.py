"""The program: `python -m sessionlint`, and the script `sessionlint`."""

import signal
import sys

from ._native import run


def main() -> None:
    """Run the program with the arguments of the command line, and exit with its exit code."""
    # Python's own handler would only take effect when the program has ended.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
