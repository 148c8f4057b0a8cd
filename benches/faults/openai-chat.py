#!/usr/bin/env python3
"""Breaks recorded Chat Completions streams in known ways, and counts what sessionlint sees of it.

    openai-chat.py PROGRAM PROTOCOL ARCHIVE [--seed N] [--each N] [--table FILE]

PROGRAM is sessionlint, PROTOCOL the protocol's folder, ARCHIVE a folder of recorded streams; those with findings are
left out. Of each kind of fault up to --each streams are made, each from another recording, with one fault in each. A
fault is seen if there is an error or a warning. Every mutant that is not seen, or has several findings, is printed.
"""

import argparse
import collections
import copy
import json
import pathlib
import random
import subprocess
import sys
import tempfile

DONE = "[DONE]"


# A stream is a list of messages: a chunk (dict) or a text such as [DONE].


def read(path):
    text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    if path.suffix == ".sse":
        frames = (frame.split("\n") for frame in text.split("\n\n"))
        messages = ["\n".join(data_of(line) for line in frame if line.startswith("data:")) for frame in frames]
    else:
        messages = text.split("\n")
    return [message(data) for data in messages if data.strip()]


def data_of(line):
    return line.removeprefix("data:").removeprefix(" ")


def message(data):
    try:
        return json.loads(data)
    except ValueError:
        return data.strip()


def write(path, stream):
    """Writes server-sent events, or lines for a recording in lines (which has no [DONE])."""

    def text(item):
        return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, separators=(",", ":"))

    form = "data: {}\n\n" if path.suffix == ".sse" else "{}\n"
    path.write_text("".join(form.format(text(item)) for item in stream), encoding="utf-8")


def chunks(stream):
    return [(at, item) for at, item in enumerate(stream) if isinstance(item, dict)]


def choices(stream, index=None):
    """Yields (place, choice) of each choice in each chunk, or of those of one index."""
    for at, item in chunks(stream):
        for choice in item.get("choices") or []:
            if index is None or choice.get("index") == index:
                yield at, choice


def finishes(stream, index=None):
    return [(at, choice) for at, choice in choices(stream, index) if choice.get("finish_reason")]


def contents(stream, index=None):
    """The places of chunks with a piece of content or of a tool call, and no end."""
    unfinished = ((at, choice["delta"]) for at, choice in choices(stream, index) if not choice.get("finish_reason"))
    return [at for at, delta in unfinished if delta.get("content") or delta.get("tool_calls")]


def usages(stream):
    return [at for at, item in chunks(stream) if item.get("usage")]


def calls(stream):
    """Yields (place, choice's index, call) of each piece of a tool call."""
    for at, choice in choices(stream):
        for call in choice["delta"].get("tool_calls") or []:
            yield at, choice["index"], call


def first_pieces(stream):
    return [(at, call) for at, _, call in calls(stream) if call.get("id")]


def is_json(text):
    try:
        json.loads(text)
        return True
    except ValueError:
        return False


# Each fault changes the stream in place, or returns False where it has nothing to break.


def finish_missing(stream, rng):
    places = finishes(stream)
    if len(places) != 1:
        return False
    del stream[places[0][0]]


def finish_twice(stream, rng):
    at, _ = rng.choice(finishes(stream))
    stream.insert(at + 1, copy.deepcopy(stream[at]))


def content_after_finish(stream, rng):
    at, choice = rng.choice(finishes(stream))
    pieces = contents(stream, choice["index"])
    if not pieces:
        return False
    stream.insert(at + 1, copy.deepcopy(stream[rng.choice(pieces)]))


def role_missing(stream, rng):
    roles = [choice for _, choice in choices(stream) if choice["delta"].get("role")]
    del rng.choice(roles)["delta"]["role"]


def role_twice(stream, rng):
    deltas = [stream[at]["choices"][0]["delta"] for at in contents(stream)]
    later = [delta for delta in deltas if not delta.get("role")]
    if not later:
        return False
    rng.choice(later)["role"] = "assistant"


def member_changes(name, change):
    def fault(stream, rng):
        found = chunks(stream)
        if len(found) < 3:
            return False
        item = rng.choice(found[1:])[1]
        item[name] = change(item[name])

    return fault


def object_missing(stream, rng):
    del rng.choice(chunks(stream))[1]["object"]


def done_missing(stream, rng):
    if stream[-1] != DONE:
        return False
    stream.pop()


def done_twice(stream, rng):
    if stream[-1] != DONE:
        return False
    stream.append(DONE)


def chunk_after_done(stream, rng):
    if stream[-1] != DONE:
        return False
    stream.append(copy.deepcopy(rng.choice([item for _, item in chunks(stream) if item.get("choices")])))


def usage_before_finish(stream, rng):
    places = usages(stream)
    if not places or not finishes(stream):
        return False
    stream.insert(min(at for at, _ in finishes(stream)), stream.pop(places[0]))


def usage_twice(stream, rng):
    places = usages(stream)
    if not places:
        return False
    stream.insert(places[0] + 1, copy.deepcopy(stream[places[0]]))


def usage_with_choices(stream, rng):
    places = usages(stream)
    if not places:
        return False
    stream[places[0]]["choices"] = [{"index": 0, "delta": {"content": ""}, "finish_reason": None}]


def usage_sum(stream, rng):
    places = usages(stream)
    if not places:
        return False
    stream[places[0]]["usage"]["total_tokens"] += 1


def call_without(*path):
    def fault(stream, rng):
        pieces = first_pieces(stream)
        if not pieces:
            return False
        piece = rng.choice(pieces)[1]
        for name in path[:-1]:
            piece = piece[name]
        del piece[path[-1]]

    return fault


def first_piece_lost(stream, rng):
    pieces = first_pieces(stream)
    if not pieces:
        return False
    del stream[rng.choice(pieces)[0]]


def arguments_piece_lost(stream, rng):
    found = collections.defaultdict(list)
    for at, choice, call in calls(stream):
        found[choice, call["index"]].append((at, call["function"].get("arguments") or ""))
    broken = []
    for pieces in found.values():
        for lost, (at, text) in enumerate(pieces):
            rest = "".join(text for other, (_, text) in enumerate(pieces) if other != lost)
            if lost and rest and not is_json(rest):
                broken.append(at)
    if not broken:
        return False
    del stream[rng.choice(broken)]


def index_of_one_piece(stream, rng):
    pieces = list(calls(stream))
    if not pieces:
        return False
    rng.choice(pieces)[2]["index"] += 1


def index_of_a_call(stream, rng):
    pieces = list(calls(stream))
    if not pieces:
        return False
    _, choice, call = rng.choice(pieces)
    wrong = call["index"]
    for _, other, piece in pieces:
        if other == choice and piece["index"] >= wrong:
            piece["index"] += 1


def calls_share_an_index(stream, rng):
    pieces = [piece for piece in calls(stream) if piece[2]["index"] == 1]
    if not pieces:
        return False
    for _, choice, piece in pieces:
        if choice == pieces[0][1]:
            piece["index"] = 0


def finish_without_call(stream, rng):
    ends = [choice for _, choice in finishes(stream) if choice["finish_reason"] == "stop"]
    if not ends or list(calls(stream)):
        return False
    rng.choice(ends)["finish_reason"] = "tool_calls"


def stop_after_call(stream, rng):
    ends = [choice for _, choice in finishes(stream) if choice["finish_reason"] == "tool_calls"]
    if not ends:
        return False
    rng.choice(ends)["finish_reason"] = "stop"


def second_choice_unfinished(stream, rng):
    ends = finishes(stream, 1)
    if not ends:
        return False
    del stream[ends[0][0]]


def second_choice_goes_on(stream, rng):
    ends, pieces = finishes(stream, 1), contents(stream, 1)
    if not ends or not pieces:
        return False
    stream.insert(ends[0][0] + 1, copy.deepcopy(stream[rng.choice(pieces)]))


def cut_off(stream, rng):
    del stream[rng.randrange(1, max(2, finishes(stream)[0][0])) :]


FAULTS = {
    "finish chunk missing": finish_missing,
    "finish chunk twice": finish_twice,
    "content after the finish": content_after_finish,
    "role missing": role_missing,
    "role twice": role_twice,
    "id changes": member_changes("id", lambda value: value + "x"),
    "created changes": member_changes("created", lambda value: value + 1),
    "model changes": member_changes("model", lambda value: value + "-x"),
    "[DONE] missing": done_missing,
    "[DONE] twice": done_twice,
    "chunk after [DONE]": chunk_after_done,
    "usage before the finish": usage_before_finish,
    "usage twice": usage_twice,
    "usage with choices": usage_with_choices,
    "usage sum wrong": usage_sum,
    "first piece of a call without id": call_without("id"),
    "first piece of a call without type": call_without("type"),
    "first piece of a call without name": call_without("function", "name"),
    "call's first piece lost": first_piece_lost,
    "a piece of the arguments lost (no JSON)": arguments_piece_lost,
    "index of one piece of a call off by one": index_of_one_piece,
    "index of a call off by one": index_of_a_call,
    "two calls share an index": calls_share_an_index,
    "tool_calls without a call": finish_without_call,
    "stop after a call (not forced)": stop_after_call,
    "choice 1 never finishes": second_choice_unfinished,
    "choice 1 goes on after its finish": second_choice_goes_on,
    "object missing": object_missing,
    "cut off": cut_off,
}


def check(program, protocol, folder):
    """Returns the errors and warnings of each file in a folder: name → list of (rule, line, message)."""
    command = [program, "check", "--protocol", protocol, "--no-config", "--format", "json", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    found = collections.defaultdict(list)
    for finding in json.loads(done.stdout)["findings"]:
        if finding["severity"] in ("error", "warning"):
            name = pathlib.Path(finding["file"]).name
            found[name].append((finding["rule"], finding["line"], finding["message"]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("protocol")
    parser.add_argument("archive", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=25, help="how many mutants of each kind")
    parser.add_argument("--table", type=pathlib.Path, help="writes the table into this file")
    parser.add_argument("--keep", type=pathlib.Path, help="keeps the mutants in this folder")
    args = parser.parse_args()

    recordings = sorted(path for path in args.archive.iterdir() if path.suffix in (".sse", ".jsonl", ".ndjson"))
    before = check(args.program, args.protocol, args.archive)
    streams = {path: read(path) for path in recordings if path.name not in before}

    made = {}  # name of the file → (kind, recording)
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or pathlib.Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for number, (kind, fault) in enumerate(FAULTS.items()):
            rng = random.Random(f"{args.seed} {kind}")
            order = list(streams)
            rng.shuffle(order)
            count = 0
            for path in order:
                if count == args.each:
                    break
                stream = copy.deepcopy(streams[path])
                if fault(stream, rng) is False:
                    continue
                name = f"{number:02}-{count:02}{path.suffix}"
                write(folder / name, stream)
                made[name] = (kind, path.name)
                count += 1
        after = check(args.program, args.protocol, folder)

    rows = [
        "| fault | mutants | seen | findings per seen mutant | rules that spoke |",
        "|---|---|---|---|---|",
    ]
    totals = collections.Counter()
    for kind in FAULTS:
        names = [name for name, (of, _) in made.items() if of == kind]
        seen = [name for name in names if after[name]]
        findings = sum(len(after[name]) for name in seen)
        rules = collections.Counter(rule for name in seen for rule in {rule for rule, _, _ in after[name]})
        words = ", ".join(f"{rule} {count}" for rule, count in rules.most_common())
        rows.append(f"| {kind} | {len(names)} | {len(seen)} | {findings / max(1, len(seen)):.2f} | {words} |")
        totals.update(mutants=len(names), seen=len(seen), findings=findings)
    share = 100 * totals["seen"] / max(1, totals["mutants"])
    each = totals["findings"] / max(1, totals["seen"])
    rows.append(f"| all | {totals['mutants']} | {totals['seen']} ({share:.1f} %) | {each:.2f} | |")

    for name, (kind, recording) in made.items():
        if len(after[name]) != 1:
            print(f"{kind}: {name} of {recording}")
            for rule, line, words in after[name]:
                print(f"    {line} {rule}: {words}")
    table = "\n".join(rows) + "\n"
    print(table)
    if args.table:
        args.table.write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
