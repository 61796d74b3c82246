"""The product's policy code in the simulation, beside the figures of the simulation that the policy was designed with.

That one was another program, with other seeds and a policy of its own; where a row was run again with the last rule, parity's
back-off, these figures are taken. Its single figures were said to vary by 30 % with the seed.
"""
import simulated

# Case: options here; there: p50 and p99 in seconds (None: not reached), share of groups within 1, 2 and 5 s in percent.
ROWS = {
    "flash crowd in 2 s, 5 viewers, uplinks 1.5x": ("flash", {"n": 5, "uplink": 1.5}, (0.319, 0.355, 100, 100, 100)),
    "10 viewers": ("flash", {"n": 10, "uplink": 1.5}, (0.347, 0.443, 100, 100, 100)),
    "30, mixed uplinks": ("flash", {"n": 30}, (0.449, 0.628, 100, 100, 100)),
    "100, mixed": ("flash", {"n": 100}, (0.526, 0.918, 99.50, 99.99, 100)),
    "1000, mixed": ("flash", {}, (0.68, 1.17, 93.2, 99.995, 100)),
    "1000, 1.5x": ("flash", {"uplink": 1.5}, (0.749, 1.552, 82.11, 99.94, 100)),
    "steady, 100, 1.5x": ("steady", {"n": 100, "uplink": 1.5}, (0.522, 0.598, 100, 100, 100)),
    "1000, mixed, steady": ("steady", {}, (0.616, 0.751, 100, 100, 100)),
    "1000, mixed, steady, groups of 125 ms": ("steady", {"span": 0.125}, (0.421, 0.498, 100, 100, 100)),
    "1000, 1.25x, steady (every slot needed)": ("steady", {"uplink": 1.25}, (0.748, 0.903, 99.96, 100, 100)),
    "churn 10 % a minute": ("churn10", {}, (0.693, 0.868, 99.95, 100, 100)),
    "churn 50 % a minute": ("churn50", {}, (0.677, 0.940, 99.45, 100, 100)),
    "30 % leave at once, half of them silently": ("mass_failure", {}, (0.66, 1.62, 90.0, 99.99, 100)),
    "seed 2": ("mass_failure", {"seed": 2}, (0.71, 1.91, 73.7, 99.7, 100)),
    "seed 3": ("mass_failure", {"seed": 3}, (0.79, 2.00, 73.0, 99.0, 100)),
    "30 % leave, none silently": ("mass_failure_clean", {}, (0.665, 1.191, 90.40, 100, 100)),
    "30 % leave, all silently": ("mass_failure_silent", {}, (0.777, 2.471, 61.42, 91.59, 100)),
    "50 % leave at once": ("mass_failure", {"die": 0.5}, (1.43, 3.86, 36.7, 66.2, 100)),
    "source 1.25x, 100 viewers": ("source125", {}, (0.555, 0.875, 99.80, 100, 100)),
    "source 1.1x, 100 viewers": ("source110", {}, (0.630, 1.009, 98.94, 99.97, 100)),
    "30 % without uplink, the others 2x": ("free_riders", {}, (0.634, 0.780, 100, 100, 100)),
    "demand 70 % of slots": ("use70", {}, (0.623, 0.744, 100, 100, 100)),
    "80 %": ("use80", {}, (0.671, 0.804, 100, 100, 100)),
    "90 %": ("use90", {}, (0.731, 0.926, 99.89, 100, 100)),
    "95 %": ("use95", {}, (0.87, 1.26, 80.9, 99.98, 100)),
    "105 %": ("demand105", {}, (1.653, 3.933, 8.81, 70.73, 99.654)),
    "111 %": ("demand111", {}, (1.925, 6.415, 0.14, 54.82, 96.373)),
    "125 %": ("demand125", {}, (4.315, None, 0, 17.71, 51.677)),
    # Its hops say that it had some three hundred viewers and was left to settle.
    "300, a fifth have half the uplink they claim, settled": ("half_capacity", {"n": 300, "from": 40, "length": 70}, (0.582, 0.724, 100, 100, 100)),
    # What the other simulation did not have; where peers are hostile, the figures are those of the others.
    "1000, a fifth have half the uplink they claim, from the 10th second on": ("half_capacity", {}, ()),
    "settled, from the 40th second on": ("half_capacity", {"from": 40, "length": 70}, ()),
    "a third take slots and forward nothing, 3x": ("black_holes", {}, ()),
    "a third claim everything and send nothing, from 30 s on": ("liars", {"from": 30}, ()),
    "100 of them": ("liars", {"n": 100, "from": 30}, ()),
    "a fifth claim the best and hold blocks for 1.5 s": ("late_liars", {"from": 30}, ()),
    "a fifth claim the best and pass on a group in ten": ("dribblers", {}, ()),
    "a fifth forge the paths of their blocks": ("forgers", {}, ()),
    "radio, two stripes, source 1.4x, 100 listeners": ("radio", {}, ()),
}
FIGURES = ("p50", "p99", "within_1s", "within_2s", "within_5s")
COLUMNS = {
    "case": ("case", "{}"),
    "p50": ("p50 s", "{:.2f}"), "there_p50": ("there", "{:.2f}"), "more_p50": ("%", "{:+.0f}"),
    "p99": ("p99 s", "{:.2f}"), "there_p99": ("there", "{:.2f}"), "more_p99": ("%", "{:+.0f}"),
    "within_1s": ("<= 1 s %", "{:.2f}"), "there_within_1s": ("there", "{:g}"),
    "within_2s": ("<= 2 s %", "{:.2f}"), "there_within_2s": ("there", "{:g}"),
    "within_5s": ("<= 5 s %", "{:.3f}"), "there_within_5s": ("there", "{:g}"),
    "lower_bound": ("bound s", "{:.2f}"), "p50_of_bound": ("p50 of it", "{:.1f}"),
    "hops": ("hops", "{:.1f}"), "hops_max": ("most", "{:.0f}"), "control_packets_per_s": ("control B/s", "{:.0f}"),
    "reattach_p90": ("re-attach p90 s", "{:.2f}"), "preemptions": ("preempted /s", "{:.3f}"), "stepped_back": ("back %", "{:.1f}"),
}


def beside(name, result, there):
    """A run's figures, in percent where there they are, with those of the other simulation and what ours are more, in percent of them."""
    row = {"case": name, **result}
    for key in ("within_1s", "within_2s", "within_5s", "stepped_back"):
        row[key] = 100 * result[key]
    row |= {f"there_{key}": value for key, value in zip(FIGURES, there)}
    for key in ("p50", "p99"):
        if row[key] is not None and row.get(f"there_{key}") is not None:
            row[f"more_{key}"] = 100 * (row[key] / row[f"there_{key}"] - 1)
    if row["p50"] is not None:
        row["p50_of_bound"] = row["p50"] / row["lower_bound"]
    return row


def policy(case, options):
    """All rows; a few minutes."""
    results = simulated.side_by_side([(scenario, changes) for scenario, changes, _ in ROWS.values()])
    rows = [beside(name, result, there) for (name, (_, _, there)), result in zip(ROWS.items(), results)]
    return {"rows": rows, "table": simulated.table(rows, COLUMNS)}


CASES = {"policy": policy}
