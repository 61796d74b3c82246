"""What a run costs and gives: processor time and memory from /proc, the rest from /api/status."""
import os
import platform
import statistics
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def processor_ticks():
    """Of all cores, and of these the idle ones."""
    words = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(words), words[3] + words[4]


class Idleness:
    """How much of all cores nobody has used from now on."""

    def __init__(self):
        self._before = processor_ticks()

    def percent(self):
        total, idle = (now - before for now, before in zip(processor_ticks(), self._before))
        return 100 * idle / total if total else 0.0


class Stopwatch:
    """Processor time of some processes from now on."""

    def __init__(self, pids):
        self._start = time.monotonic()
        self._before = {pid: cpu_seconds(pid) for pid in pids}

    def cores(self):
        """{pid: share of one core since the start}"""
        passed = time.monotonic() - self._start
        return {pid: (cpu_seconds(pid) - before) / passed for pid, before in self._before.items()}


def percentile(values, share):
    """Nearest-rank percentile; None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def machine():
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    return {"processor": model, "cores": os.cpu_count(), "system": platform.platform(),
            "load": os.getloadavg()[0]}


def summary(values):
    """Median, worst and how many."""
    return {"median": statistics.median(values), "worst": max(values), "count": len(values)} if values else None
