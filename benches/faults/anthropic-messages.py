"""Puts faults into recorded streams of Anthropic messages, and counts which of them sessionlint sees.

Each kind of fault is put into up to 25 streams, once into each. A fault is seen if it has an error or a warning that the
stream did not have before. Every mutant that is not seen, or has more than one such finding, is listed.
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

LIMIT = 25
DONE = "[DONE]"


class Frame:
    """An event of a stream: the name beside its data in server-sent events, and the data."""

    def __init__(self, name, data):
        self.name, self.data = name, data

    @property
    def type(self):
        return self.data["type"] if isinstance(self.data, dict) else None


def read(path):
    """Returns the frames of a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [Frame(None, json.loads(line)) for line in text.splitlines() if line.strip()]
    frames, name, data = [], None, []
    for line in text.replace("\r\n", "\n").split("\n") + [""]:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].strip())
        elif not line:
            if data:
                frames.append(Frame(name, json.loads("\n".join(data))))
            name, data = None, []
    return frames


def write(path, frames):
    """Writes frames in the form of their file."""
    lines = []
    for frame in frames:
        data = frame.data if isinstance(frame.data, str) else json.dumps(frame.data, ensure_ascii=False)
        if path.suffix == ".jsonl":
            lines.append(data + "\n")
        else:
            lines.append((f"event: {frame.name}\n" if frame.name else "") + f"data: {data}\n\n")
    path.write_text("".join(lines), encoding="utf-8")


# ---------------------------------------------------------------------------------------------- finding a place


def at(frames, kind, test=lambda data: True):
    """Returns the places of the events of a type that fit a test."""
    return [place for place, frame in enumerate(frames) if frame.type == kind and test(frame.data)]


def pick(random, places):
    return random.choice(places) if places else None


def is_call(data):
    return data["content_block"]["type"] == "tool_use"


def stops_with(*reasons):
    return lambda data: data["delta"].get("stop_reason") in reasons


def changed(frames, place, change):
    """Returns the frames with one of them changed."""
    if place is None:
        return None
    frames = list(frames)
    frames[place] = copy.deepcopy(frames[place])
    change(frames[place].data)
    return frames


def without(frames, place):
    return None if place is None else frames[:place] + frames[place + 1 :]


def twice(frames, place):
    return None if place is None else frames[: place + 1] + frames[place:]


def block(frames, start):
    """Returns the places of the events of the block that starts at a place."""
    places = [start]
    for place in range(start + 1, len(frames)):
        if frames[place].type in ("content_block_delta", "content_block_stop"):
            places.append(place)
        if frames[place].type == "content_block_stop":
            return places
    return places


def owner(frames, place):
    """Returns the place where the message of an event starts."""
    return max((start for start in at(frames, "message_start") if start < place), default=None)


# ---------------------------------------------------------------------------------------------- faults

FAULTS = {}


def fault(name):
    def register(function):
        FAULTS[name] = function
        return function

    return register


for kind in ["message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop"]:
    fault(f"{kind} missing")(lambda f, r, kind=kind: without(f, pick(r, at(f, kind))))
    if kind != "message_delta":
        fault(f"{kind} twice")(lambda f, r, kind=kind: twice(f, pick(r, at(f, kind))))


def shift(data):
    data["index"] += 1


for kind in ["start", "delta", "stop"]:
    fault(f"{kind}'s index off by one")(
        lambda f, r, kind=kind: changed(f, pick(r, at(f, f"content_block_{kind}")), shift)
    )


@fault("indexes from 1")
def indexes_from_one(frames, random):
    frames = copy.deepcopy(frames)
    for frame in frames:
        if "index" in frame.data:
            shift(frame.data)
    return frames if at(frames, "content_block_start") else None


@fault("a block filtered out, indexes kept")
def filtered(frames, random):
    starts = at(frames, "content_block_start")
    followed = [
        start
        for start, next in zip(starts, starts[1:])
        if frames[next].data["index"] and frames[start].data["content_block"]["type"] in ("text", "thinking")
    ]
    if not followed:
        return None
    places = set(block(frames, pick(random, followed)))
    return [frame for place, frame in enumerate(frames) if place not in places]


@fault("all blocks have one index")
def one_index(frames, random):
    if len(at(frames, "content_block_start", lambda data: data["index"] > 0)) == 0:
        return None
    frames = copy.deepcopy(frames)
    for frame in frames:
        if "index" in frame.data:
            frame.data["index"] = 0
    return frames


MEMBERS = {
    "text_delta": ("text", "thinking_delta", "thinking"),
    "thinking_delta": ("thinking", "text_delta", "text"),
    "input_json_delta": ("partial_json", "text_delta", "text"),
}


@fault("delta of another type")
def other_type(frames, random):
    def change(data):
        member, kind, other = MEMBERS[data["delta"]["type"]]
        data["delta"] = {"type": kind, other: data["delta"][member]}

    return changed(
        frames, pick(random, at(frames, "content_block_delta", lambda data: data["delta"]["type"] in MEMBERS)), change
    )


@fault("all deltas of a block of another type")
def all_other(frames, random):
    starts = at(frames, "content_block_start", lambda data: data["content_block"]["type"] in ("text", "tool_use"))
    starts = [start for start in starts if len(block(frames, start)) > 3]
    if not starts:
        return None
    frames = copy.deepcopy(frames)
    for place in block(frames, pick(random, starts))[1:-1]:
        delta = frames[place].data["delta"]
        if delta["type"] in MEMBERS:
            member, kind, other = MEMBERS[delta["type"]]
            frames[place].data["delta"] = {"type": kind, other: delta[member]}
    return frames


def signature(data):
    return data["delta"]["type"] == "signature_delta"


@fault("signature missing")
def no_signature(frames, random):
    return without(frames, pick(random, at(frames, "content_block_delta", signature)))


@fault("thinking goes on after its signature")
def signature_early(frames, random):
    places = at(frames, "content_block_delta", signature)
    places = [place for place in places if frames[place - 1].data.get("delta", {}).get("type") == "thinking_delta"]
    place = pick(random, places)
    return place and frames[: place - 1] + [frames[place], frames[place - 1]] + frames[place + 1 :]


@fault("stop_reason null")
def reason_null(frames, random):
    return changed(
        frames,
        pick(random, at(frames, "message_delta")),
        lambda data: data["delta"].update(stop_reason=None),
    )


@fault("stop_reason end_turn for a tool call")
def reason_end(frames, random):
    places = at(frames, "message_delta", stops_with("tool_use"))
    return changed(frames, pick(random, places), lambda data: data["delta"].update(stop_reason="end_turn"))


@fault("stop_reason tool_use without a call")
def reason_call(frames, random):
    if at(frames, "content_block_start", is_call):
        return None
    places = at(frames, "message_delta", stops_with("end_turn"))
    return changed(frames, pick(random, places), lambda data: data["delta"].update(stop_reason="tool_use"))


@fault("stop_reason of chat completions")
def reason_foreign(frames, random):
    words = {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length"}
    places = at(frames, "message_delta", stops_with(*words))
    return changed(
        frames,
        pick(random, places),
        lambda data: data["delta"].update(stop_reason=words[data["delta"]["stop_reason"]]),
    )


@fault("stop_sequence null though stop_reason says it")
def sequence_null(frames, random):
    if at(frames, "content_block_start", lambda data: "tool" in data["content_block"]["type"]):
        return None
    places = at(frames, "message_delta", stops_with("end_turn"))
    return changed(frames, pick(random, places), lambda data: data["delta"].update(stop_reason="stop_sequence"))


@fault("a piece of the tool input lost (input is no JSON)")
def piece_lost(frames, random):
    def is_piece(data):
        return data["delta"]["type"] == "input_json_delta" and data["delta"]["partial_json"]

    starts = at(frames, "content_block_start", lambda data: data["content_block"]["type"].endswith("tool_use"))
    if any(stops_with("max_tokens", "refusal")(frames[place].data) for place in at(frames, "message_delta")):
        return None
    places = []
    for start in starts:
        pieces = [
            p for p in block(frames, start) if frames[p].type == "content_block_delta" and is_piece(frames[p].data)
        ]
        for lost in pieces:
            text = "".join(frames[p].data["delta"]["partial_json"] for p in pieces if p != lost)
            try:
                if text and not isinstance(json.loads(text), dict):
                    places.append(lost)
            except ValueError:
                places.append(lost)
    return without(frames, pick(random, places))


@fault("usage goes down")
def usage_down(frames, random):
    places = []
    for place in at(frames, "message_delta", lambda data: not stops_with("refusal")(data)):
        start = owner(frames, place)
        if start is not None and frames[start].data["message"]["usage"]["output_tokens"] > 0:
            places.append((place, frames[start].data["message"]["usage"]["output_tokens"] - 1))
    if not places:
        return None
    place, tokens = random.choice(places)
    return changed(frames, place, lambda data: data["usage"].update(output_tokens=tokens))


def named(frames, place, name):
    if place is None:
        return None
    frames = list(frames)
    frames[place] = Frame(name, frames[place].data)
    return frames


@fault("event: is another type")
def name_other(frames, random):
    places = [place for place, frame in enumerate(frames) if frame.name]
    place = pick(random, places)
    names = sorted({frame.type for frame in frames} - {place is not None and frames[place].type})
    return named(frames, place, random.choice(names)) if place is not None and names else None


@fault("event: is message, everywhere")
def name_message(frames, random):
    if not frames[0].name:
        return None
    return [Frame("message", frame.data) for frame in frames]


@fault("event: is missing, everywhere")
def name_missing(frames, random):
    if not frames[0].name:
        return None
    return [Frame(None, frame.data) for frame in frames]


@fault("[DONE] at the end")
def done(frames, random):
    return frames + [Frame(None, DONE)]


@fault("cut off")
def cut(frames, random):
    end = at(frames, "message_stop")
    start = at(frames, "message_start")
    if len(start) != 1 or not end:
        return None
    return frames[: random.randint(start[0] + 1, end[-1])]


@fault("two adjacent events swapped")
def swapped(frames, random):
    places = [
        place
        for place in range(len(frames) - 1)
        if frames[place].type != frames[place + 1].type and "ping" not in (frames[place].type, frames[place + 1].type)
    ]
    place = pick(random, places)
    if place is None:
        return None
    return frames[:place] + [frames[place + 1], frames[place]] + frames[place + 2 :]


@fault("a tool's id twice")
def id_twice(frames, random):
    calls = at(frames, "content_block_start", is_call)
    pairs = [(a, b) for a, b in zip(calls, calls[1:]) if owner(frames, a) == owner(frames, b)]
    if not pairs:
        return None
    first, second = random.choice(pairs)
    id = frames[first].data["content_block"]["id"]
    return changed(frames, second, lambda data: data["content_block"].update(id=id))


@fault("a server's result for another id")
def result_other(frames, random):
    ends = at(frames, "message_delta", stops_with("end_turn"))
    owners = {owner(frames, end) for end in ends}
    calls = {
        frames[call].data["content_block"]["id"]: owner(frames, call)
        for call in at(frames, "content_block_start", lambda data: "id" in data["content_block"])
    }
    places = at(frames, "content_block_start", lambda data: data["content_block"].get("tool_use_id") in calls)
    places = [p for p in places if calls[frames[p].data["content_block"]["tool_use_id"]] == owner(frames, p) in owners]
    return changed(
        frames, pick(random, places), lambda data: data["content_block"].update(tool_use_id="srvtoolu_another")
    )


@fault("a block after message_delta")
def late_block(frames, random):
    starts = at(frames, "content_block_start", lambda data: data["content_block"]["type"] == "text")
    places = at(frames, "message_delta")
    if not starts or len(places) != 1:
        return None
    places_of_block = block(frames, starts[-1])
    moved = [frames[place] for place in places_of_block]
    if any(start > starts[-1] for start in at(frames, "content_block_start")):
        return None
    rest = [frame for place, frame in enumerate(frames) if place not in set(places_of_block)]
    end = at(rest, "message_delta")[0] + 1
    return rest[:end] + moved + rest[end:]


@fault("an error, and the stream goes on")
def error_inside(frames, random):
    place = pick(random, at(frames, "content_block_delta"))
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    name = frames[0].name and "error"
    return place and frames[:place] + [Frame(name, error)] + frames[place:]


@fault("the first text is in message_start")
def content_in_start(frames, random):
    places = at(frames, "message_start", lambda data: not data["message"]["content"])
    return changed(
        frames,
        pick(random, places),
        lambda data: data["message"].update(content=[{"type": "text", "text": "Hello"}]),
    )


@fault("a new message in the middle, as after a retry")
def retried(frames, random):
    starts, ends = at(frames, "message_start"), at(frames, "message_stop")
    if len(starts) != 1 or len(ends) != 1 or ends[0] - starts[0] < 4:
        return None
    again = changed(frames, starts[0], lambda data: data["message"].update(id="msg_retried"))
    return frames[: random.randint(starts[0] + 2, ends[0] - 1)] + again[starts[0] :]


# ---------------------------------------------------------------------------------------------- running


def check(program, protocol, folder):
    """Returns the errors and warnings of each file of a folder."""
    command = [program, "check", "--no-config", "--no-ignore", "--all", "--protocol", str(protocol), "--format", "json"]
    run = subprocess.run([*command, str(folder)], stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"{program} failed with exit code {run.returncode}")
    found = collections.defaultdict(list)
    for finding in json.loads(run.stdout)["findings"]:
        if finding["severity"] != "note":
            found[pathlib.Path(finding["file"]).name].append(finding)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="sessionlint")
    parser.add_argument("protocol", type=pathlib.Path, help="the folder of the protocol")
    parser.add_argument("archive", type=pathlib.Path, help="a folder of recorded streams, .sse and .jsonl")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="the faults whose names have this in them")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for the mutants, which stay there")
    options = parser.parse_args()

    streams = {path.name: read(path) for path in sorted(options.archive.iterdir())}
    faults = {name: put for name, put in FAULTS.items() if not options.only or options.only in name}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        originals, mutants = folder / "originals", folder / "mutants"
        originals.mkdir(parents=True, exist_ok=True)
        mutants.mkdir(exist_ok=True)
        for name, frames in streams.items():
            write(originals / name, frames)
        made = collections.defaultdict(list)
        for number, (fault_name, put) in enumerate(faults.items()):
            chance = random.Random(f"{options.seed} {fault_name}")
            names = list(streams)
            chance.shuffle(names)
            for name in names:
                if len(made[fault_name]) == LIMIT:
                    break
                mutant = put(streams[name], chance)
                if mutant:
                    file = f"{number:02}--{name}"
                    write(mutants / file, mutant)
                    made[fault_name].append((file, name))
        before = check(options.program, options.protocol, originals)
        after = check(options.program, options.protocol, mutants)
    report(made, before, after)


def report(made, before, after):
    print("| fault | mutants | seen | findings | rules that spoke |")
    print("|---|---|---|---|---|")
    total, seen_total, count_total, listed = 0, 0, 0, []
    for fault_name, files in made.items():
        seen, count, rules = 0, 0, collections.Counter()
        for file, name in files:
            new = collections.Counter(finding["rule"] for finding in after[file])
            new -= collections.Counter(finding["rule"] for finding in before[name])
            seen += bool(new)
            count += new.total()
            rules.update(new.keys())
            if new.total() != 1:
                listed.append((fault_name, file, sorted(new.elements())))
        spoke = ", ".join(f"{rule} {number}" for rule, number in rules.most_common())
        print(f"| {fault_name} | {len(files)} | {seen} | {count} | {spoke} |")
        total, seen_total, count_total = total + len(files), seen_total + seen, count_total + count
    print(f"| all | {total} | {seen_total} | {count_total} | |")
    print(f"\nSeen: {seen_total / total:.1%}. Findings for each seen mutant: {count_total / max(seen_total, 1):.3f}.\n")
    for fault_name, file, rules in listed:
        print(f"- {fault_name}: {file}: {', '.join(rules) or 'not seen'}")


if __name__ == "__main__":
    main()
