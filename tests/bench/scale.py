"""More viewers than a machine holds: simulated, beside a single relay tree as PeerCast builds it; and what finding each other
costs, reckoned (discovery.py). Lines, stream and uplinks are those of the lab's home scenario."""
import discovery
import simulated

CHUNK_SECONDS = 4  # the program's default
LINES = "home"
# What is run for the smallest size; for the others only who comes within ten seconds and stays.
CASES_OF_FEW = {
    "come within 10 s and stay": ("crowd", {}),
    "come within 2 s": ("flash", {}),
    "half a minute later": ("steady", {}),
    "10 % a minute go, half silently": ("churn10", {}),
    "10 % a minute go, all say so": ("churn10", {"silent": 0}),
    "30 % go at once, half silently": ("mass_failure", {}),
    "30 % go at once, all say so": ("mass_failure_clean", {}),
}
FEW = 1000
COLUMNS = {
    "case": ("case", "{}"), "viewers": ("viewers", "{:,}"), "system": ("system", "{}"),
    "p50": ("p50 s", "{:.2f}"), "p99": ("p99 s", "{:.2f}"), "lower_bound": ("bound s", "{:.2f}"),
    "within_1s": ("<= 1 s %", "{:.2f}"), "within_2s": ("<= 2 s %", "{:.2f}"), "within_5s": ("<= 5 s %", "{:.3f}"),
    "joined": ("joined %", "{:.1f}"), "unserved": ("not served %", "{:.2f}"),
    "join_p50": ("start p50 s", "{:.2f}"), "join_p99": ("p99 s", "{:.2f}"), "hops": ("hops", "{:.1f}"), "hops_max": ("most", "{:.0f}"),
    "source_upload": ("source upload", "{:.2f}"), "control_packets_per_s": ("control B/s", "{:.0f}"),
    "reattach_p50": ("re-attach p50 s", "{:.2f}"), "reattach_p99": ("p99 s", "{:.2f}"),
    "took_s": ("took s", "{:.0f}"), "resident_bytes": ("bytes of memory", "{:.2g}"),
}
SHARES = ("within_1s", "within_2s", "within_5s", "joined", "unserved")
RECKONED = {
    "viewers": ("viewers", "{:,}"), "system": ("announces for", "{}"),
    "tracker_announces_per_viewer_hour": ("tracker announces a viewer and hour", "{:.0f}"),
    "dht_announces_per_viewer_hour": ("DHT announces", "{:.0f}"), "bytes_per_viewer_s": ("B/s a viewer", "{:.1f}"),
    "tracker_announces_per_s": ("at the tracker: announces/s", "{:,.1f}"), "tracker_bits_per_s": ("bit/s", "{:,.0f}"),
    "dht_queries_per_s": ("in the DHT: queries/s", "{:,.0f}"), "dht_queries_per_s_at_a_node": ("at each of 8 nodes", "{:,.1f}"),
}


def row_of(case, system, viewers, result):
    row = {"case": case, "viewers": viewers, "system": system, **result}
    return row | {key: 100 * result[key] for key in SHARES}


def scale(case, options):
    """Crowds of options.crowds viewers; of a thousand also churn and departure."""
    lines = simulated.lines_of(LINES)
    plan = []
    for viewers in options.crowds:
        cases = CASES_OF_FEW.items() if viewers <= FEW else list(CASES_OF_FEW.items())[:1]
        plan += [(name, scenario, {**lines, **changes, "n": viewers}) for name, (scenario, changes) in cases]
    both = [(name, system, scenario, {**changes, "tree": tree})
            for name, scenario, changes in plan for system, tree in (("ours", 0), ("relay tree", 1))]
    results = simulated.side_by_side([(scenario, changes) for _, _, scenario, changes in both])
    rows = [row_of(name, system, changes["n"], result) for (name, system, _, changes), result in zip(both, results)]
    reckoned = [{"viewers": viewers, "system": system, **discovery.reckoned(viewers, seconds)}
                for viewers in options.crowds for system, seconds in (("the channel", None), ("each chunk", CHUNK_SECONDS))]
    text = f"{simulated.table(rows, COLUMNS)}\n\nReckoned:\n\n{simulated.table(reckoned, RECKONED)}"
    return {"lines": lines, "rows": rows, "reckoned": reckoned, "table": text}


CASES = {"scale": scale}
