#!/usr/bin/env python3
"""Loads of the wires of LLM APIs: recorded streams, repeated with new ids until a size is reached.

    python3 benches/loads/wires.py MEGABYTES OUT.sse OUT.jsonl STREAM.sse...

The streams are of one wire, each whole and without findings. Each repetition gets ids that no other has, of the same
length, so that no response comes twice. OUT.sse has the wire's usual form; OUT.jsonl the same events, one a line, for a
baseline that reads lines. Streams with data that is no object are left out, but for [DONE].
"""
import json
import pathlib
import re
import sys

ID = re.compile(rb'"(?:id|item_id|response_id|call_id|tool_use_id|container_id)" ?: ?"([^"\\]{8,})"')


def payload(line):
    """The text of a `data:` line without the one space that may stand before it."""
    return line[5:].removeprefix(b" ")


def readable(text):
    """Whether each line of data holds one event by itself, and the last one is dispatched."""
    for line in text.splitlines():
        if line.startswith(b"data:") and payload(line).strip() != b"[DONE]":
            try:
                if not isinstance(json.loads(payload(line)), dict):
                    return False
            except ValueError:
                return False
    return text.endswith((b"\n\n", b"\r\n\r\n"))


def renamed(text, ids, number):
    """The same stream, in which each id ends with the number of the repetition."""
    suffix = b"%06x" % number
    for name in ids:
        text = text.replace(name, name[: -len(suffix)] + suffix)
    return text


def main():
    megabytes, sse, lines, *paths = sys.argv[1:]
    streams = [text for path in paths if readable(text := pathlib.Path(path).read_bytes())]
    if not streams:
        sys.exit("none of these is a whole stream")
    named = [(text, sorted(set(ID.findall(text)), key=len, reverse=True)) for text in streams]
    written, number = 0, 0
    with open(sse, "wb") as out, open(lines, "wb") as plain:
        while written < int(megabytes) * 1_000_000:
            for text, ids in named:
                copy = renamed(text, ids, number)
                written += out.write(copy)
                for line in copy.splitlines():
                    if line.startswith(b"data:") and payload(line).strip() != b"[DONE]":
                        plain.write(payload(line) + b"\n")
            number += 1
    print(f"{len(streams)} streams, {number} times, {written / 1e6:.0f} MB")


main()
