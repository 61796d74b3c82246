"""The lab's scenarios in the simulation: a relay tree as PeerCast builds it, which no registry has to install, and the product's
policy beside it, which says what the simulation is worth: the lab has that one measured."""
import run as lab
import scale
import simulated

# Those of which the simulation has all that matters: no NAT, no line that is cut.
SCENARIOS = ("home", "56k", "churn", "lossy", "crowd")
SEEDS = 5
ENTRY_SECONDS = 2  # between random access points of the lab's picture
COLUMNS = {
    "case": ("scenario", "{}"), "viewers": ("viewers", "{:,}"), "system": ("system", "{}"), "latency": ("latency asked for, s", "{}"),
    **{key: scale.COLUMNS[key] for key in ("p50", "p99")}, "on_time": ("on time %", "{:.2f}"),
    "first_p50": ("first entry p50 s", "{:.2f}"), "first_p95": ("p95 s", "{:.2f}"), "joined": ("joined %", "{:.1f}"),
    "unserved": ("not served %", "{:.1f}"), "hops": ("hops", "{:.1f}"), "source_upload": ("source upload", "{:.2f}"),
    "reattach_p99": ("re-attach p99 s", "{:.2f}"),
}


def options_of(name):
    plan = lab.scenario(name)
    arrivals = plan.get("arrivals", {})
    viewers = sum(spec["count"] for spec in plan["viewers"])
    options = {"n": viewers, "join": arrivals.get("within", 0), "from": plan["settle"], "length": plan["settle"] + plan["seconds"],
               "back": plan["latency"], **simulated.lines_of(name)}
    if "stay" in arrivals:
        options |= {"churn": 60 / arrivals["stay"], "silent": 0}  # of one that is killed the kernel closes what it had open
    return options | {"entry_time": 0 if lab.is_radio(plan) else ENTRY_SECONDS}


def middle(values):
    """The median run's; None, never reached, counts as the most."""
    return sorted(values, key=lambda value: float("inf") if value is None else value)[len(values) // 2]


def tree(case, options):
    """Medians of SEEDS runs each."""
    cases = {name: options_of(name) for name in SCENARIOS}
    cases["churn, half of them without a word"] = cases["churn"] | {"silent": 0.5}
    both = [(name, system, {**options, "tree": is_tree}) for name, options in cases.items()
            for system, is_tree in (("ours", 0), ("relay tree", 1))]
    runs = simulated.side_by_side([("flash", {**changes, "seed": seed}) for *_, changes in both for seed in range(1, SEEDS + 1)])
    rows = []
    for index, (name, system, changes) in enumerate(both):
        same = runs[index * SEEDS:(index + 1) * SEEDS]
        result = {key: middle([one[key] for one in same]) for key in same[0] if key != "scenario"}
        rows.append({**scale.row_of(name, system, changes["n"], result), "latency": changes["back"], "on_time": 100 * result["on_time"]})
    return {"rows": rows, "table": simulated.table(rows, COLUMNS)}


CASES = {"tree": tree}
