#!/usr/bin/env python3
"""Compare the processor time of checking a recording with what else there is for Python.

    peers.py RECORDING [ROUNDS]

RECORDING has events of the built-in protocol "session-events", one per line, and is clean. What is not installed is
skipped, and said to be. Each round runs every way once, in a process of its own; what is printed are medians, in megabytes
of JSON a second of the call, with the file in memory.

- `jsonschema` and `jsonschema_rs` judge each event, read by `json.loads`, by the schema of its type. They judge no order.
- `ag_ui_validate` judges streams of AG-UI, another protocol, of the same shape: the same pieces of text in the same order,
  one validator for each session. It judges shapes and order.
"""

import importlib.util
import json
import statistics
import subprocess
import sys
import time


def sessionlint_way(text):
    import sessionlint

    return lambda: sessionlint.check(text, excerpts=False)


def schemas():
    import sessionlint

    protocol = sessionlint.Protocol.builtin()
    return {name: json.loads(protocol.schema(name)) for name in protocol.event_types}


def by_schema(text, compile_schema):
    validators = {name: compile_schema(schema) for name, schema in schemas().items()}

    def run():
        for line in text.splitlines():
            event = json.loads(line)
            assert validators[event["type"]](event)

    return run


def jsonschema_way(text):
    from jsonschema import Draft202012Validator

    return by_schema(text, lambda schema: Draft202012Validator(schema).is_valid)


def jsonschema_rs_way(text):
    import jsonschema_rs

    return by_schema(text, lambda schema: jsonschema_rs.validator_for(schema).is_valid)


def json_way(text):
    def run():
        for line in text.splitlines():
            json.loads(line)

    return run


def ag_ui_way(text):
    from ag_ui_validate import create_validator

    lines, open_turns = [], {}
    for line in text.splitlines():
        event = json.loads(line)
        session, kind = event["payload"]["session_id"], event["type"]
        if session not in open_turns:
            run = {"threadId": session, "runId": f"r{len(lines)}"}
            open_turns[session] = (run, f"m{len(lines)}")
            message = {"messageId": open_turns[session][1]}
            lines.append((session, {"type": "RUN_STARTED", **run}))
            lines.append((session, {"type": "TEXT_MESSAGE_START", "role": "assistant", **message}))
        run, message = open_turns[session]
        if kind == "session.stream.chunk" and event["payload"]["text"]:
            delta = event["payload"]["text"]
            lines.append((session, {"type": "TEXT_MESSAGE_CONTENT", "messageId": message, "delta": delta}))
        elif kind == "session.completed":
            lines.append((session, {"type": "TEXT_MESSAGE_END", "messageId": message}))
            lines.append((session, {"type": "RUN_FINISHED", **run}))
            del open_turns[session]
    lines = [(session, json.dumps(event, ensure_ascii=False)) for session, event in lines]

    def run():
        validators = {}
        for session, line in lines:
            if session not in validators:
                validators[session] = create_validator()
            validators[session].feed(json.loads(line))
        for validator in validators.values():
            validator.finalize()

    run.bytes = sum(len(line.encode()) for _, line in lines)
    return run


# By the module that a way needs.
WAYS = {
    "sessionlint": sessionlint_way,
    "json": json_way,
    "jsonschema_rs": jsonschema_rs_way,
    "ag_ui_validate": ag_ui_way,
    "jsonschema": jsonschema_way,
}


def one(module, recording):
    with open(recording, "rb") as file:
        text = file.read()
    way = WAYS[module](text)
    began = time.process_time()
    way()
    print(getattr(way, "bytes", len(text)) / (time.process_time() - began) / 1e6)


def main():
    if sys.argv[1] == "--one":
        return one(*sys.argv[2:])
    recording, rounds = sys.argv[1], int((sys.argv + ["5"])[2])
    speeds = {}
    for module in WAYS:
        if importlib.util.find_spec(module):
            speeds[module] = []
        else:
            print(f"{module}: skipped, it is not installed")
    for _ in range(rounds):
        for module, found in speeds.items():
            command = [sys.executable, __file__, "--one", module, recording]
            found.append(float(subprocess.run(command, capture_output=True, check=True).stdout))
    for module, found in speeds.items():
        print(f"{module:<16} {statistics.median(found):8.1f} MB/s")


if __name__ == "__main__":
    main()
