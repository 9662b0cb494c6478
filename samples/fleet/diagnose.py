"""Diagnoses every collection below a folder, on as many machines as Spark has, and counts what is wrong with them.

    spark-submit diagnose.py /mnt/collections
    spark-submit --master spark://cluster:7077 diagnose.py /mnt/collections --lines /mnt/reports

Each entry of the folder, an archive or a folder, is one collection. `rdptriage` has to be on the path of every worker, and the
folder has to be mounted where it is named.
"""

import argparse
import json
import pathlib

from pyspark.sql import SparkSession

COLUMNS = "collection string, host string, status string, cause string, first_failure string"


def hosts(line):
    """The hosts of one line, which speaks of one collection."""
    answer = json.loads(line)
    if "error" in answer:
        yield answer["path"], None, "unreadable", answer["error"].splitlines()[0], None
    for report in answer["reports"]:
        verdict = report["verdict"]
        yield (
            answer["path"],
            report["host"]["name"],
            verdict["status"],
            verdict["cause"],
            verdict["first_failure"],
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--lines", help="keeps the whole reports there, a line for each collection")
    parser.add_argument("--rdptriage", default="rdptriage", help="the program, where it is not on the path")
    parser.add_argument("--batch", type=int, default=50, help="collections that one call of the program is given")
    asked = parser.parse_args()

    spark = SparkSession.builder.appName("rdptriage").getOrCreate()
    collections = sorted(str(path) for path in asked.folder.iterdir())
    batches = max(1, -(-len(collections) // asked.batch))
    # A task has one core. That hosts are broken is no failure of the program, so its exit code does not matter.
    command = f"{asked.rdptriage} diagnose --paths-from - -f jsonl --no-hash --jobs 1 --quiet"
    lines = spark.sparkContext.parallelize(collections, batches).pipe(command)
    if asked.lines:
        lines.saveAsTextFile(asked.lines)
        lines = spark.sparkContext.textFile(asked.lines)

    found = spark.createDataFrame(lines.flatMap(hosts), COLUMNS)
    counts = found.groupBy("status", "cause").count()
    counts.orderBy("count", "status", "cause", ascending=[False, True, True]).show(100, truncate=False)
    spark.stop()


if __name__ == "__main__":
    main()
