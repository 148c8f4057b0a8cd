#!/usr/bin/env python3
"""Compare the processor time of the Python package with that of the program, on one recording.

    against_program.py PROGRAM RECORDING [ROUNDS]

PROGRAM is the program of the same profile as the installed wheel. Each round runs every way once, in a process of its
own; what is printed are medians. A way's time is that of the call alone, without starting Python and reading the file
into memory, except for `check(Path)`, which reads it, and with excerpts=False, because what the program prints has no
source text either; the program's is that of its whole process. Two threads check the
recording eight times each, and their speed is to that of one by the wall clock; two processes say how much of a second
core there was to have.
"""

import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import threading
import time

WAYS = ["check(bytes)", "check(Path)", "feed of 64 KiB", "check(bytes), excerpts"]
TOGETHER = ["two threads", "two processes"]


def program(path, recording):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([path, "check", "--no-config", "--jobs", "1", "--format", "jsonl", recording], stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def one(way, recording):
    """Print what a way takes, in this process."""
    from pathlib import Path

    import sessionlint

    path = Path(recording)
    sessionlint.check(b"")
    text = path.read_bytes() if way != "check(Path)" else b""
    if way in TOGETHER:
        make = multiprocessing.get_context("fork").Process if way == "two processes" else threading.Thread

        def work():
            for _ in range(8):
                sessionlint.check(text)

        def seconds(number):
            workers = [make(target=work) for _ in range(number)]
            began = time.perf_counter()
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            return time.perf_counter() - began

        print(2 * seconds(1) / seconds(2))
        return
    pieces = [text[start : start + 65536] for start in range(0, len(text), 65536)]
    began = time.process_time()
    if way == "check(bytes)":
        sessionlint.check(text, excerpts=False)
    elif way == "check(bytes), excerpts":
        sessionlint.check(text)
    elif way == "check(Path)":
        sessionlint.check(path, excerpts=False)
    else:
        checker = sessionlint.Checker(excerpts=False)
        for piece in pieces:
            checker.feed(piece)
        checker.finish()
    print(time.process_time() - began)


def main():
    if sys.argv[1] == "--one":
        return one(*sys.argv[2:])
    path, recording, rounds = sys.argv[1], sys.argv[2], int((sys.argv + ["11"])[3])
    times = {way: [] for way in ["program", *WAYS, *TOGETHER]}
    for _ in range(rounds):
        times["program"].append(program(path, recording))
        for way in [*WAYS, *TOGETHER]:
            ran = subprocess.run([sys.executable, __file__, "--one", way, recording], capture_output=True, check=True)
            times[way].append(float(ran.stdout))
    size = os.path.getsize(recording) / 1e6
    base = statistics.median(times["program"])
    print(f"program                {base:.3f} s  {size / base:5.0f} MB/s")
    for way in WAYS:
        ratio = statistics.median(mine / its for mine, its in zip(times[way], times["program"]))
        took = statistics.median(times[way])
        print(f"{way:22} {took:.3f} s  {size / took:5.0f} MB/s  {ratio:.2f} of the program's time")
    for way in TOGETHER:
        print(f"{way:22} {statistics.median(times[way]):.2f} times the speed of one")


if __name__ == "__main__":
    main()
