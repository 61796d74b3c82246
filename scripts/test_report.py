#!/usr/bin/env python3
"""Sums up the JUnit files ctest wrote, one for each label: a table, every skipped test with its reason, one last line.

test_report.py FOLDER LABEL...    A label without a file counts as a failure.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def reason_of(case):
    output = case.findtext("system-out") or ""
    said = re.search(r"^SKIPPED: (.*)$", output, re.M)
    skipped = case.find("skipped")
    return said.group(1) if said else (skipped.get("message", "") if skipped is not None else "") or "no reason given"


def is_skip(case):
    """The test said so itself; one that could not be started (no program, a fixture failed) is a failure."""
    skipped = case.find("skipped")
    return case.get("status") == "disabled" or skipped is not None and skipped.get("message", "").startswith("SKIP_")


def read(path):
    """({passed, failed, skipped}, [names that failed], [(name, reason) of skips], seconds)"""
    counts, failed, skipped, seconds = {"passed": 0, "failed": 0, "skipped": 0}, [], [], 0.0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        seconds += float(case.get("time") or 0)
        status = case.get("status")
        if status == "run":
            counts["passed"] += 1
        elif is_skip(case):
            counts["skipped"] += 1
            skipped.append((case.get("name"), reason_of(case)))
        else:
            counts["failed"] += 1
            failed.append(case.get("name"))
    return counts, failed, skipped, seconds


def main(folder, labels):
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    failures, skips = [], []
    print(f"\n{'label':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for label in labels:
        try:
            counts, failed, skipped, seconds = read(Path(folder) / f"{label}.xml")
        except (OSError, ElementTree.ParseError):
            counts = {"passed": 0, "failed": 1, "skipped": 0}
            failed, skipped, seconds = ["ctest wrote no result"], [], 0.0
        print(f"{label:<12}{counts['passed']:>8}{counts['failed']:>8}{counts['skipped']:>9}{seconds:>9.1f}")
        for key, count in counts.items():
            totals[key] += count
        failures += [(label, name) for name in failed]
        skips += skipped
    for name, reason in skips:
        print(f"skipped: {name}: {reason}")
    for label, name in failures:
        print(f"failed: {label}: {name}")
    print(f"{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped")
    return 1 if totals["failed"] or not totals["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
