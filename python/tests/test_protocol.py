"""Protocols: built in, from folders and from memory; and what is said of wrong ones."""

import json
import pickle

import pytest
from conftest import ROOT

import sessionlint
from sessionlint import Protocol, ProtocolError

GREETINGS = {
    "protocol.toml": "name = 'greetings'\nversion = '2'\n[event]\ntype = '/type'\nunknown = 'unknown-event'\n",
    "hello.schema.json": '{"type": "object", "properties": {"type": {}, "name": {"type": "string"}}}',
}


def test_a_protocol_is_built_in_or_a_folder_or_in_memory(tmp_path):
    for name, text in GREETINGS.items():
        (tmp_path / name).write_text(text)
    for protocol in [Protocol.from_files(GREETINGS), Protocol.load(tmp_path), Protocol.load(str(tmp_path))]:
        assert (protocol.name, protocol.version, protocol.event_types) == ("greetings", "2", ("hello",))
    for protocol in [protocol, tmp_path, str(tmp_path)]:
        report = sessionlint.check(b'{"type": "hello", "name": 1}', protocol=protocol)
        assert [finding.message for finding in report.findings] == ["`name` must be a string, but is the number 1"]
    assert Protocol.builtin_names() == (
        "session-events",
        "session-records",
        "anthropic-messages",
        "openai-chat",
        "openai-responses",
    )


def test_a_built_in_protocol_equals_its_folder():
    builtin, loaded = Protocol.builtin("session-events"), Protocol.load(ROOT / "schemas" / "session-events")
    assert [rule.name for rule in builtin.rules] == [rule.name for rule in loaded.rules]
    assert builtin.event_types == loaded.event_types
    state = sessionlint.Checker(protocol=builtin).snapshot()
    sessionlint.Checker.restore(state, protocol=loaded)


def test_a_protocol_tells_what_is_in_it():
    protocol = Protocol.builtin("session-events")
    assert protocol.title == "AI session events"
    assert not protocol.is_of_records
    assert Protocol.builtin("session-records").is_of_records
    assert json.loads(protocol.schema("session.status"))["type"] == "object"
    with pytest.raises(ValueError, match="there is no event type"):
        protocol.schema("session.statu")
    rule = protocol.rule("idle-missing")
    assert (rule.name, rule.severity, rule.basis) == ("idle-missing", "error", "document")
    assert rule.means == "the turn was completed, but the session did not go back to idle"
    assert rule.quotes
    with pytest.raises(ValueError, match="did you mean idle-missing"):
        protocol.rule("idle-mising")


def test_a_wrong_protocol_is_refused_with_every_mistake():
    files = {**GREETINGS, "protocol.toml": GREETINGS["protocol.toml"] + "colour = 1\n[[chekc]]\n"}
    with pytest.raises(ProtocolError) as raised:
        Protocol.from_files(files, folder="greetings")
    error = raised.value
    assert isinstance(error, ValueError)
    assert [(problem.file, problem.line) for problem in error.problems] == [
        ("greetings/protocol.toml", 6),
        ("greetings/protocol.toml", 7),
    ]
    for problem in error.problems:
        assert problem.message and problem.help and problem.column >= 1
        assert f"{problem.file}:{problem.line}:{problem.column}: {problem.message}" in str(error)
        assert problem.help in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.problems) == (str(error), error.problems)


def test_a_folder_that_cannot_be_read_is_refused_with_what_is_expected(tmp_path):
    with pytest.raises(ProtocolError, match="protocol.toml cannot be read: No such file") as raised:
        Protocol.load(tmp_path / "missing")
    assert raised.value.problems == ()
    assert "a protocol is a folder" in raised.value.help
    with pytest.raises(TypeError, match="protocol must be a Protocol, a str or a path, not int"):
        sessionlint.check(b"", protocol=1)


def test_a_rule_of_any_built_in_protocol_is_explained():
    assert "What to do:" in sessionlint.explain("idle-missing")
    other = next(
        rule.name
        for rule in Protocol.builtin("session-records").rules
        if rule.name not in {rule.name for rule in Protocol.builtin("session-events").rules}
    )
    assert sessionlint.explain(other).startswith(other)
    assert sessionlint.explain(other, protocol="session-records") == sessionlint.explain(other)
    with pytest.raises(ValueError, match="there is no rule"):
        sessionlint.explain(other, protocol="session-events")
    with pytest.raises(ValueError, match="did you mean idle-missing"):
        sessionlint.explain("idle-mising")


def test_generated_streams_are_legal_or_break_one_rule():
    for seed in range(20):
        assert sessionlint.check(sessionlint.generate(seed=seed)).at_least("note") == 0
    broken = sessionlint.check(sessionlint.generate(seed=1, breaks="idle-missing"))
    assert [finding.rule for finding in broken.findings] == ["idle-missing"]
    assert sessionlint.generate(seed=1) == sessionlint.generate(seed=1) != sessionlint.generate(seed=2)
    without = sessionlint.generate(seed=1, weights={"session.error": 0}, sessions=3)
    report = sessionlint.check(without)
    assert report.streams <= 3 and "session.error" not in report.by_type
    assert not sessionlint.check(sessionlint.generate(seed=1, wild=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"breaks": "idle-mising"}, "did you mean idle-missing"),
        ({"breaks": "line-too-long"}, "no stream breaks line-too-long"),
        ({"breaks": "idle-missing", "wild": True}, "either wild or breaks"),
        ({"sessions": 0}, "sessions must be from 1 to 1000"),
        ({"weights": {"session.eror": 1}}, "there is no event type"),
        ({"weights": {"session.error": 1001}}, "from 0 to 1000"),
        ({"protocol": "session-records"}, "a protocol of stored records"),
        ({"events": 0, "weights": {name: 0 for name in Protocol.builtin("session-events").event_types}}, "no such stream"),
    ],
)
def test_streams_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        sessionlint.generate(**options)
