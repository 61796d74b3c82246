"""Runs of `minuteswarm_simulation`, and tables of what they came to."""
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import network
import run as lab
from harness import BUILD, Failure

PROGRAM = BUILD / "tests/simulation/minuteswarm_simulation"


def lines_of(scenario):
    """The simulation's options for a lab scenario's stream, source and mixture of viewers' lines, and for slots as the program has
    there. A line's jitter counts as half its most; its downlink and its queue are not simulated."""
    plan = lab.scenario(scenario)
    bits = network.rate(plan["stream"]["rate"])

    def of(spec):
        one = lab.line_of(spec)
        return [f"{value:.6g}" for value in (network.rate(one.up) / bits, one.delay + one.jitter / 2, one.loss)]

    source = [float(value) for value in of(plan["source"])]
    viewers = ",".join(":".join([str(spec["count"]), *of(spec)]) for spec in plan["viewers"])
    return {"bitrate": bits, "told": plan.get("told", lab.TOLD), "source": source[0], "source_delay": source[1], "source_loss": source[2], "lines": viewers}


def simulate(scenario, **options):
    """What a run reports, with the seconds and bytes of memory that it took; infinite times are None."""
    began = time.monotonic()
    words = [f"{key}={value:.10g}" if isinstance(value, (int, float)) else f"{key}={value}" for key, value in options.items()]
    process = subprocess.Popen([PROGRAM, scenario, *words, "json=1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    with process.stdout:
        text = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failure(f"minuteswarm_simulation {scenario} {' '.join(words)}: exit code {process.returncode}")
    return json.loads(text) | {"took_s": time.monotonic() - began, "resident_bytes": 1024 * used.ru_maxrss}


def side_by_side(jobs):
    """Runs (scenario, options) one on each core; results in the jobs' order."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda job: simulate(job[0], **job[1]), jobs))


def table(rows, columns):
    """Markdown: {key: (title, format)}. None: never reached; absent: nothing to say."""
    lines = ["| " + " | ".join(title for title, _ in columns.values()) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = ["" if key not in row else "-" if row[key] is None else form.format(row[key]) for key, (_, form) in columns.items()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
