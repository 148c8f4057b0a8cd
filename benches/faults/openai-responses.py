#!/usr/bin/env python3
"""Puts one fault at a time into recorded streams of the OpenAI Responses API, and counts which ones sessionlint sees.

Each kind of fault is put into up to 25 streams, chosen by the seed. A fault is seen if the broken stream has an error or a
warning that the recording does not have. Faults come in two forms where a frame is left out, doubled or moved: as lost
or doubled on the way (the sequence numbers then tell), and as never or twice sent (the others are numbered anew).
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

MUTANTS = 25
ENDS = ("response.completed", "response.incomplete", "response.failed")


# ---------------------------------------------------------------------------------------------------------- streams


def read(path):
    """Returns the frames of a recording, each with the name in `event:` (or None) and the event; None if it has others."""
    text = path.read_text(encoding="utf-8")
    frames = []
    if path.suffix != ".sse":
        lines = [(None, line) for line in text.splitlines() if line.strip()]
    else:
        lines = []
        for block in text.replace("\r\n", "\n").split("\n\n"):
            fields = [line.partition(":") for line in block.split("\n")]
            values = {name: [v.removeprefix(" ") for n, _, v in fields if n == name] for name in ("event", "data")}
            if values["data"]:
                lines.append(((values["event"] or [None])[0], "\n".join(values["data"])))
    for name, line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            return None
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            return None
        frames.append([name, event])
    return frames


def written(frames, suffix):
    def one(name, event):
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        if suffix != ".sse":
            return text + "\n"
        return (f"event: {name}\n" if name is not None else "") + f"data: {text}\n\n"

    return "".join(one(name, event) for name, event in frames)


def numbered_anew(frames):
    """Gives the events numbers that follow each other, where they have some."""
    number = None
    for _, event in frames:
        if event["type"] == "response.created" or number is None:
            number = event.get("sequence_number", number)
        elif "sequence_number" in event:
            number += 1
            event["sequence_number"] = number


# ---------------------------------------------------------------------------------------------------------- faults


def places(frames, *types, where=lambda event: True):
    return [at for at, (_, event) in enumerate(frames) if event["type"] in types and where(event)]


def one(places_, rng):
    return rng.choice(places_) if places_ else None


def drop(*types, where=lambda event: True):
    def fault(frames, rng):
        at = one(places(frames, *types, where=where), rng)
        return at is not None and [frames.pop(at)]

    return fault


def double(*types):
    def fault(frames, rng):
        at = one(places(frames, *types), rng)
        return at is not None and [frames.insert(at + 1, copy.deepcopy(frames[at]))]

    return fault


def changed(types, change, where=lambda event: True):
    """`change` gets the event and says whether it could be changed."""

    def fault(frames, rng):
        found = places(frames, *types, where=where)
        rng.shuffle(found)
        return any(change(frames[at][1], rng) for at in found)

    return fault


def deltas_of_one(frames, kind, rng):
    """The places of all deltas of one text, of which there are at least two that differ."""
    texts = collections.defaultdict(list)
    for at in places(frames, kind):
        event = frames[at][1]
        texts[event["output_index"], event.get("content_index"), event.get("summary_index")].append(at)
    many = [found for found in texts.values() if len({frames[at][1]["delta"] for at in found}) > 1]
    return one(many, rng)


def lost_delta(kind):
    def fault(frames, rng):
        found = deltas_of_one(frames, kind, rng)
        found = found and [at for at in found if frames[at][1]["delta"]]
        return bool(found) and [frames.pop(rng.choice(found))]

    return fault


def doubled_delta(kind):
    def fault(frames, rng):
        found = [at for at in places(frames, kind) if frames[at][1]["delta"]]
        at = one(found, rng)
        return at is not None and [frames.insert(at, copy.deepcopy(frames[at]))]

    return fault


def swapped_deltas(kind):
    def fault(frames, rng):
        found = deltas_of_one(frames, kind, rng) or []
        pairs = [(a, b) for a, b in zip(found, found[1:]) if b == a + 1 and differ(frames[a][1]["delta"], frames[b][1]["delta"])]
        pair = one(pairs, rng)
        if pair is None:
            return False
        a, b = pair
        frames[a], frames[b] = frames[b], frames[a]
        return True

    return fault


def differ(a, b):
    return a + b != b + a


def wrong_text(text):
    return text[:-1] + ("x" if text[-1:] != "x" else "y")


def spoil(holder, key):
    if not isinstance(holder, dict) or not isinstance(holder.get(key), str) or not holder[key]:
        return False
    holder[key] = wrong_text(holder[key])
    return True


def spoil_content(item, rng):
    found = [part for part in item.get("content") or [] if part.get("text")]
    return bool(found) and spoil(rng.choice(found), "text")


def spoil_output(event, rng):
    items = [item for item in event["response"]["output"] if any(part.get("text") for part in item.get("content") or [])]
    return bool(items) and spoil_content(rng.choice(items), rng)


def wrong_everywhere_behind_the_text(frames, rng):
    """Part, item and output agree, but not with the text that was streamed."""
    at = one(places(frames, "response.content_part.done", where=lambda event: event["part"].get("text")), rng)
    if at is None:
        return False
    part = frames[at][1]
    old = part["part"]["text"]
    new = part["part"]["text"] = wrong_text(old)
    for _, event in frames:
        items = [event["item"]] if event["type"] == "response.output_item.done" else []
        items += event["response"]["output"] if event["type"] in ENDS else []
        for item in items:
            for other in item.get("content") or []:
                if item["id"] == part["item_id"] and other.get("text") == old:
                    other["text"] = new
    return True


def no_json_everywhere(frames, rng):
    """Takes the last character of some arguments away wherever they are."""
    at = one(places(frames, "response.function_call_arguments.done", where=lambda event: len(event["arguments"]) > 1), rng)
    if at is None:
        return False
    done = frames[at][1]
    deltas = [event for _, event in frames if event["type"] == "response.function_call_arguments.delta"
              and event["output_index"] == done["output_index"] and event["delta"]]
    if not deltas:
        return False
    old = done["arguments"]
    done["arguments"] = old[:-1]
    deltas[-1]["delta"] = deltas[-1]["delta"][:-1]
    for _, event in frames:
        items = [event["item"]] if event["type"] == "response.output_item.done" else []
        items += event["response"]["output"] if event["type"] in ENDS else []
        for item in items:
            if item.get("arguments") == old and item["id"] == done["item_id"]:
                item["arguments"] = old[:-1]
    return True


def reordered(event, rng):
    output = event["response"]["output"]
    if len(output) < 2:
        return False
    at = rng.randrange(len(output) - 1)
    output[at], output[at + 1] = output[at + 1], output[at]
    return True


def emptied(event, rng):
    if not event["response"]["output"]:
        return False
    event["response"]["output"] = []
    return True


def shortened(event, rng):
    if len(event["response"]["output"]) < 2:
        return False
    event["response"]["output"].pop(rng.randrange(len(event["response"]["output"])))
    return True


def setter(key, new):
    def change(event, rng):
        event[key] = new(event.get(key))
        return True

    return change


def in_response(key, new):
    def change(event, rng):
        if key not in event["response"]:
            return False
        event["response"][key] = new(event["response"][key])
        return True

    return change


def other_call_id(event, rng):
    if not event["item"].get("call_id") or event["item"]["type"] not in ("function_call", "custom_tool_call"):
        return False
    event["item"]["call_id"] += "x"
    return True


def annotation_missing(event, rng):
    annotations = event["part"].get("annotations")
    if not annotations:
        return False
    annotations.pop(rng.randrange(len(annotations)))
    return True


def renamed(frames, rng):
    named = [at for at, (name, event) in enumerate(frames) if name == event["type"]]
    at = one(named, rng)
    if at is None:
        return False
    frames[at][0] = rng.choice(sorted({event["type"] for _, event in frames} - {frames[at][0]}) or ["message"])
    return True


def cut_off(frames, rng):
    ends = places(frames, *ENDS)
    if not ends or ends[0] < 3:
        return False
    del frames[rng.randrange(2, ends[0]):]
    return True


PHASES = (".in_progress", ".searching", ".interpreting", ".generating", ".completed")


def swapped_phases(frames, rng):
    """Exchanges what two phases of one call say, but not their places."""
    found = collections.defaultdict(list)
    for at, (_, event) in enumerate(frames):
        if event["type"].count("_call.") == 1 and event["type"].endswith(PHASES):
            found[event["output_index"]].append(at)
    pairs = [(a, b) for phases in found.values() for a, b in zip(phases, phases[1:]) if frames[a][1]["type"] != frames[b][1]["type"]]
    pair = one(pairs, rng)
    if pair is None:
        return False
    a, b = pair
    frames[a], frames[b] = frames[b], frames[a]
    return True


def swapped_neighbours(frames, rng):
    """Two neighbours that cannot change places without a fault: one begins or ends what the other is about."""
    def opposed(a, b):
        return a != b and (a.endswith((".added", ".created")) or b.endswith(".done") or b in ENDS) and not b.endswith(".added")

    pairs = [at for at in range(len(frames) - 1) if opposed(frames[at][1]["type"], frames[at + 1][1]["type"])]
    at = one(pairs, rng)
    if at is None:
        return False
    frames[at], frames[at + 1] = frames[at + 1], frames[at]
    return True


def unnumbered(frames, rng):
    found = [at for at, (_, event) in enumerate(frames) if "sequence_number" in event]
    if len(found) < 3:
        return False
    del frames[rng.choice(found[1:])][1]["sequence_number"]
    return True


ITEM_EVENTS = tuple("response." + kind for kind in (
    "output_text.delta", "function_call_arguments.delta", "reasoning_summary_text.delta", "code_interpreter_call_code.delta"))
WITH_RESPONSE = ("response.in_progress", *ENDS)
TEXT = "response.output_text.delta"
ARGUMENTS = "response.function_call_arguments.delta"


def both(name, fault):
    """The fault on the way, and as the producer makes it."""
    return [(name + ", on the way", fault, False), (name + ", by the producer", fault, True)]


KINDS = [
    *both("response.created missing", drop("response.created")),
    ("response.created twice, by the producer", double("response.created"), True),
    *both("response.in_progress missing", drop("response.in_progress")),
    *both("terminal missing", drop(*ENDS)),
    *both("terminal twice", double(*ENDS)),
    *both("output_item.added missing", drop("response.output_item.added")),
    *both("output_item.done missing", drop("response.output_item.done")),
    *both("output_item.added twice", double("response.output_item.added")),
    *both("output_item.done twice", double("response.output_item.done")),
    *both("content_part.added missing", drop("response.content_part.added")),
    *both("content_part.done missing", drop("response.content_part.done")),
    *both("output_text.done missing", drop("response.output_text.done")),
    *both("text delta lost", lost_delta(TEXT)),
    *both("text delta twice", doubled_delta(TEXT)),
    *both("two text deltas swapped", swapped_deltas(TEXT)),
    *both("summary delta lost", lost_delta("response.reasoning_summary_text.delta")),
    *both("summary part.done missing", drop("response.reasoning_summary_part.done")),
    *both("arguments.done missing", drop("response.function_call_arguments.done")),
    *both("arguments delta lost", lost_delta(ARGUMENTS)),
    ("arguments are no JSON, everywhere", no_json_everywhere, False),
    ("sequence_number repeats", changed((TEXT, ARGUMENTS), setter("sequence_number", lambda n: n - 1), lambda event: "sequence_number" in event), False),
    ("sequence_number jumps", changed((TEXT, ARGUMENTS), setter("sequence_number", lambda n: n + 7), lambda event: "sequence_number" in event), False),
    ("sequence_number missing in one event", unnumbered, False),
    ("item_id of a delta wrong", changed(ITEM_EVENTS, setter("item_id", lambda id_: id_ + "x")), False),
    ("output_index of a delta wrong", changed(ITEM_EVENTS, setter("output_index", lambda n: n + 1)), False),
    ("content_index of a delta wrong", changed((TEXT,), setter("content_index", lambda n: n + 1)), False),
    ("response id changes", changed(WITH_RESPONSE, in_response("id", lambda id_: id_ + "x")), False),
    ("response model changes", changed(WITH_RESPONSE, in_response("model", lambda model: model + "x")), False),
    ("text of output_text.done wrong", changed(("response.output_text.done",), lambda event, rng: spoil(event, "text")), False),
    ("text of content_part.done wrong", changed(("response.content_part.done",), lambda event, rng: spoil(event["part"], "text")), False),
    ("text of output_item.done wrong", changed(("response.output_item.done",), lambda event, rng: spoil_content(event["item"], rng)), False),
    ("text of response.completed wrong", changed(("response.completed",), spoil_output), False),
    ("text wrong in part, item and output alike", wrong_everywhere_behind_the_text, False),
    ("output reordered", changed(("response.completed",), reordered), False),
    ("output empty", changed(("response.completed",), emptied), False),
    ("an item missing from the output", changed(("response.completed",), shortened), False),
    ("status of the terminal wrong", changed(ENDS, in_response("status", lambda status: "in_progress")), False),
    ("usage null", changed(("response.completed",), in_response("usage", lambda usage: None)), False),
    ("item.done: another call_id", changed(("response.output_item.done",), other_call_id), False),
    ("annotation missing from the part", changed(("response.content_part.done",), annotation_missing), False),
    ("event: is not the type", renamed, False),
    ("cut off", cut_off, False),
    *both("tool call phases out of order", swapped_phases),
    *both("two neighbours swapped", swapped_neighbours),
]


# ---------------------------------------------------------------------------------------------------------- measuring


def findings(program, protocol, folder):
    """Returns the errors and warnings of each file of a folder: their rules and messages."""
    command = [program, "check", "--no-config", "--no-ignore", "--protocol", protocol, "--format", "json", folder]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode not in (0, 1):
        sys.exit(f"{' '.join(map(str, command))} ended with {result.returncode}:\n{result.stderr}")
    found = collections.defaultdict(list)
    for finding in json.loads(result.stdout)["findings"]:
        if finding["severity"] != "note":
            found[pathlib.Path(finding["file"]).name].append((finding["rule"], finding["message"]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path, help="the program sessionlint")
    parser.add_argument("protocol", type=pathlib.Path, help="the folder of the protocol")
    parser.add_argument("archive", type=pathlib.Path, help="a folder of recorded streams, .sse and .jsonl")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same faults")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder in which the broken streams are left")
    options = parser.parse_args()

    recordings = {path.name: (path.suffix, read(path)) for path in sorted(options.archive.iterdir())}
    before = findings(options.program, options.protocol, options.archive)
    recordings = {name: recording for name, recording in recordings.items() if recording[1] and not before[name]}

    with tempfile.TemporaryDirectory() as folder:
        folder = options.keep or pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        made = []  # kind, file, recording
        for number, (kind, fault, anew) in enumerate(KINDS):
            rng = random.Random(f"{options.seed} {kind}")
            names = list(recordings)
            rng.shuffle(names)
            count = 0
            for name in names:
                suffix, frames = recordings[name][0], copy.deepcopy(recordings[name][1])
                if not fault(frames, rng):
                    continue
                if anew:
                    numbered_anew(frames)
                file = f"{number:02}-{count:02}{suffix}"
                (folder / file).write_text(written(frames, suffix), encoding="utf-8")
                made.append((kind, file, name))
                count += 1
                if count == MUTANTS:
                    break
        after = findings(options.program, options.protocol, folder)

    table = {kind: [0, 0, 0, collections.Counter()] for kind, _, _ in KINDS}
    for kind, file, name in made:
        new = collections.Counter(rule for rule, _ in after[file])
        row = table[kind]
        row[0] += 1
        row[1] += bool(new)
        row[2] += new.total()
        row[3].update(new)
        if new.total() != 1:
            print(f"{kind}: {file} of {name}: {dict(new) or 'unseen'}", file=sys.stderr)
            for rule, message in after[file] if new else []:
                print(f"    {rule}: {message[:150]}", file=sys.stderr)

    print("| fault | mutants | seen | findings of a seen one | rules that spoke |")
    print("|---|---|---|---|---|")
    all_ = [sum(row[at] for row in table.values()) for at in range(3)]
    for kind, (mutants, seen, count, rules) in [*table.items(), ("all", (*all_, collections.Counter()))]:
        spoke = ", ".join(f"{rule} {n}" for rule, n in rules.most_common())
        print(f"| {kind} | {mutants} | {seen} | {count / seen if seen else 0:.2f} | {spoke} |")


if __name__ == "__main__":
    main()
