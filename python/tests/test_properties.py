"""No Python object makes the library crash, whatever argument it is."""

import io
from pathlib import Path

from conftest import IS_SLOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sessionlint

settings.register_profile(
    "sessionlint",
    max_examples=5000 if IS_SLOW else 300,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("sessionlint")


class Refusal(Exception):
    """What hostile objects raise."""


class Hostile:
    """An object of which each attribute that the library may ask for is a given value, or raises."""

    def __init__(self, values):
        self.values = values
        self.methods = {}

    def __getattr__(self, name):
        if name.startswith("__") or name not in self.values:
            raise AttributeError(name)
        if name not in self.methods:
            self.methods[name] = self.method(name)
        return self.methods[name]

    def method(self, name):
        value = self.values[name]
        if isinstance(value, Refusal):
            raise value
        # A source that never ended would be read for ever.
        values = iter([value, value])
        return lambda *arguments: next(values, b"")


def hostile_class(methods):
    """Return an object of a new class with these special methods, each of which returns a value or raises."""

    def method(value):
        def call(self, *arguments):
            if isinstance(value, Refusal):
                raise value
            return value

        return call

    return type("Odd", (), {name: method(value) for name, value in methods.items()})()


class Text(str):
    def encode(self, *arguments):
        raise Refusal


class Odd(dict):
    def __iter__(self):
        raise Refusal

    items = keys = values = __iter__


texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
json_like = st.one_of(
    texts, st.binary(max_size=40), st.sampled_from([b"{}", "[]", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", '{"type":"session.status"}'])
)
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    json_like,
    st.binary(max_size=20).map(bytearray),
    st.binary(max_size=20).map(memoryview),
    st.binary(max_size=20).map(io.BytesIO),
    texts.map(io.StringIO),
    texts.map(Text),
    st.just(Refusal()),
    st.just(Odd(a=1)),
    st.sampled_from([int, len, object(), Ellipsis, Path("/nonexistent"), range(3)]),
)


def containers(children):
    keys = st.one_of(texts, st.none(), st.integers(), st.floats(), st.tuples(texts))
    names = ["__fspath__", "__iter__", "__len__", "__str__", "__repr__", "__bytes__", "__index__", "__eq__", "__buffer__"]
    return st.one_of(
        st.lists(children, max_size=4),
        st.lists(children, max_size=4).map(tuple),
        st.lists(children, max_size=4).map(iter),
        st.dictionaries(keys, children, max_size=4),
        st.dictionaries(st.sampled_from(["read", "name", "__fspath__"]), children).map(Hostile),
        st.dictionaries(st.sampled_from(names), children).map(hostile_class),
        st.just({"type": "session.status", "timestamp": "2026-01-01T00:00:00Z"}).flatmap(
            lambda event: children.map(lambda payload: {**event, "payload": payload})
        ),
    )


objects = st.recursive(plain, containers, max_leaves=12)


def survives(call, *arguments, **options):
    """Call, and return the result; None if it raises an exception, which a crash is not."""
    try:
        return call(*arguments, **options)
    except Exception:
        return None


@given(objects)
def test_any_object_may_be_a_source(source):
    report = survives(sessionlint.check, source)
    if report is not None:
        assert isinstance(report, sessionlint.Report)
        report.text()
        for finding in report.findings:
            assert finding.text() and finding.json() and repr(finding)
            assert hash(finding) == hash(finding)


@given(objects, st.data())
def test_any_object_may_be_an_option(value, data):
    name = data.draw(st.sampled_from(["protocol", "file", "wire", "fragment", "rules", "excerpts"]))
    survives(sessionlint.check, b"{}", **{name: value})
    survives(sessionlint.Checker, **{name: value})
    survives(sessionlint.generate, **{data.draw(st.sampled_from(["breaks", "wild", "weights", "protocol"])): value})


@given(objects)
def test_any_object_may_be_an_argument(value):
    checker = sessionlint.Checker()
    for call in [
        checker.feed,
        lambda value: checker.event(value, 0),
        lambda value: checker.event(b"{}", value),
        sessionlint.Checker.restore,
        sessionlint.Protocol.builtin,
        sessionlint.Protocol.load,
        sessionlint.Protocol.from_files,
        sessionlint.Protocol.builtin("session-events").rule,
        sessionlint.explain,
        sessionlint.check(b"").at_least,
        sessionlint.check(b"").text,
        lambda value: sessionlint.check(b"") == value,
        lambda value: sessionlint.check(b"").findings[0] == value,
    ]:
        survives(call, value)
    assert checker.finish().events >= 0


@given(st.lists(json_like, max_size=6))
def test_events_are_judged_alike_however_they_are_passed(events):
    checker = sessionlint.Checker()
    for row, event in enumerate(events):
        checker.event(event, row)
    assert checker.finish() == sessionlint.check(events)


@given(st.binary(max_size=200), st.integers(0, 200))
def test_made_up_states_do_no_harm(noise, at):
    state = sessionlint.Checker().snapshot()
    restored = survives(sessionlint.Checker.restore, state[:at] + noise)
    if restored is not None:
        restored.feed(b"{}\n")
        restored.finish()
