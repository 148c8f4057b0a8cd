#!/usr/bin/env python3
"""Compare the processor time of `check_events` with that of the program, on the events of one recording.

    tables.py PROGRAM RECORDING [ROUNDS]

RECORDING has one event per line, and the sessions are told apart by its ids. PROGRAM is the program of the same profile as
the installed wheel. Each round runs every way once, in a process of its own; what is printed are medians. A way's time is
that of `check_events` alone, over batches of 10,000 rows that are in memory; the program's is that of its whole process.

- one input: the rows as they come, without a column of groups;
- sorted groups: the rows sorted by their session before, which become one input each.
"""

import json
import statistics
import subprocess
import sys
import time

from against_program import program

WAYS = ["one input", "sorted groups", "sorted groups, string_view"]


def one(way, recording):
    """Print what a way takes, in this process, and what it found."""
    import pyarrow as pa

    from sessionlint.arrow import check_events

    with open(recording, "rb") as file:
        lines = [line.rstrip(b"\n").decode() for line in file]
    options = {"json": "json", "order": "seq"}
    columns = {"seq": range(len(lines)), "json": lines}
    if way != "one input":
        options["stream"] = "session"
        columns["session"] = [json.loads(line)["payload"]["session_id"] for line in lines]
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    if way != "one input":
        table = table.sort_by([("session", "ascending"), ("seq", "ascending")])
    if way.endswith("string_view"):
        table = table.set_column(1, "json", table.column("json").cast(pa.string_view()))
    batches = table.combine_chunks().to_batches(max_chunksize=10_000)
    began = time.process_time()
    findings = check_events(batches, **options)
    count = sum(batch.num_rows for batch in findings)
    spent = time.process_time() - began
    print(spent, count, sum(findings.summaries.column("events").to_pylist()))


def main():
    if sys.argv[1] == "--one":
        return one(*sys.argv[2:])
    path, recording, rounds = sys.argv[1], sys.argv[2], int((sys.argv + ["9"])[3])
    size = sum(len(line.rstrip(b"\n")) for line in open(recording, "rb"))
    times = {way: [] for way in ["program", *WAYS]}
    for _ in range(rounds):
        times["program"].append(program(path, recording))
        for way in WAYS:
            command = [sys.executable, __file__, "--one", way, recording]
            spent, found, events = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
            times[way].append(float(spent))
            print(f"{way}: {spent} s, {found} findings, {events} events", file=sys.stderr)
    middle = {way: statistics.median(values) for way, values in times.items()}
    for way, seconds in middle.items():
        print(f"{way:<28} {size / seconds / 1e6:7.0f} MB/s {seconds / middle['program']:6.2f}")


if __name__ == "__main__":
    main()
