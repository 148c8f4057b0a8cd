#!/usr/bin/env python3
"""Time Spark jobs over the events of recordings, and compare what they find with what the program finds.

    spark_table.py PROGRAM MASTER RECORDING ...

The recordings have one event per line, and no session is in two of them. MASTER is that of Spark, such as
"local-cluster[2,1,1024]". The program checks all of them; then Spark checks them as files, and as a table, which is made
of them before the time is taken. Printed are seconds by the clock, without the start of Spark. The processor's time of
Spark's processes is that of the operating system, with their start.
"""

import json
import os
import subprocess
import sys
import tempfile
import time


def main():
    program, master, *paths = sys.argv[1:]
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F

    from sessionlint.spark import check_files, check_table

    began = time.perf_counter()
    command = [program, "check", "--no-config", "--format", "json", *paths]
    document = json.loads(subprocess.run(command, stdout=subprocess.PIPE).stdout)
    print(f"program: {time.perf_counter() - began:.1f} s, {document['summary']['events']} events")
    expected = document["summary"]["by_rule"]
    settings = {"spark.ui.enabled": "false"}
    if master.startswith("local"):
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    spark = SparkSession.builder.master(master).config(map=settings).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")

    def told(name, began, result):
        found = {row["rule"]: row["sum(count)"] for row in result.findings.groupBy("rule").sum("count").collect()}
        counts = result.summaries.groupBy().sum("events", "errors", "warnings", "notes").first()
        print(f"{name}: {time.perf_counter() - began:.1f} s, {counts[0]} events, {sum(found.values())} findings")
        wanted = [document["summary"][count] for count in ("events", "errors", "warnings", "notes")]
        assert found == expected, (found, expected)
        assert list(counts) == wanted, (counts, wanted)
        result.unpersist()

    began = time.perf_counter()
    told("files", began, check_files(paths))
    with tempfile.TemporaryDirectory() as folder:
        lines = spark.read.text(paths).withColumn("seq", F.monotonically_increasing_id())
        session = F.get_json_object("value", "$.payload.session_id").alias("session")
        lines.select("seq", session, F.col("value").alias("event")).write.parquet(folder + "/table")
        table = spark.read.parquet(folder + "/table")
        began = time.perf_counter()
        told("table", began, check_table(table, stream="session", order="seq", json="event"))
    spark.stop()


if __name__ == "__main__":
    main()
