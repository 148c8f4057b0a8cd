"""Checking leaks no memory."""

import sys

import pytest
from conftest import IS_SLOW, ROOT, event

import sessionlint

CHECKS = 1_000_000 if IS_SLOW else 100_000
#: What the allocator of the process may take on its own, in bytes.
SLACK = 2 << 20


def resident():
    """Return the memory of this process, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def growth(call, times):
    """Return by how much memory grows in so many calls, after as many as a tenth of them."""
    for _ in range(times // 10):
        call()
    before = resident()
    for _ in range(times):
        call()
    return resident() - before


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_checks_leak_nothing():
    broken = [event("status", 0, pending="no", status_label="idle")]
    line = sessionlint.generate(seed=1).splitlines()[0]

    def check():
        assert sessionlint.check(line).events == 1
        assert sessionlint.check(broken).findings[0].excerpt

    assert growth(check, CHECKS // 2) < SLACK


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_what_is_refused_leaks_nothing():
    def refused():
        for source, options in [([{"a": 1j}], {}), (1, {}), (b"", {"wire": "x"}), (iter([{}, None]), {})]:
            try:
                sessionlint.check(source, **options)
            except (TypeError, ValueError):
                continue
            raise AssertionError(source)

    assert growth(refused, CHECKS // 20) < SLACK


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_protocols_and_states_leak_nothing():
    folder = ROOT / "schemas" / "session-events"

    def load():
        checker = sessionlint.Checker(protocol=sessionlint.Protocol.load(folder))
        checker.event(b"{}", 0)
        sessionlint.Checker().snapshot()

    assert growth(load, 60) < 4 * SLACK
