"""What is kept of a run of a scenario: figures for the table, series for the pictures."""
import math
import os

import figures
import measure
from network import rate

QUANTILES = [share / 1000 for share in (1, *range(10, 1000, 10), *range(991, 1000), 999.9)]


def share_of_a_core(samples):
    if len(samples) < 2 or samples[-1][0] - samples[0][0] < 1:
        return None
    return (samples[-1][1] - samples[0][1]) / (samples[-1][0] - samples[0][0])


def within(run):
    return [sample for sample in run.samples if run.begin - 1 <= sample[0] <= run.end + 1]


def gained(samples, name, which):
    """Bytes of a place between the first and the last sample: 0 sent, 1 received."""
    return samples[-1][2][name][which] - samples[0][2][name][which]


def of_status(run, *path):
    """A field of every viewer's last status that is there."""
    values = []
    for sitting in run.sittings:
        value = sitting.status
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, (int, float)):
            values.append(value)
    return values


def of_happened(run, *path):
    """The same of those times and numbers that are 0 where nothing has happened."""
    return [value for value in of_status(run, *path) if value > 0]


def traffic_figures(run):
    samples = within(run)
    passed = samples[-1][0] - samples[0][0]
    sent = {place.name: gained(samples, place.name, 0) for place in run.places}
    source = gained(samples, "source", 0) * 8 / passed
    present = sum(max(0.0, min(samples[-1][0], sitting.ended) - max(samples[0][0], sitting.began)) for sitting in run.sittings)
    received = sum(gained(samples, place.name, 1) for place in run.places)
    total = sum(sent.values())
    return {
        "source_upload_times_bitrate": source / run.bits,
        "source_upload_of_line": source / rate(run.source.line.up),
        "source_packets_overrun": run.overruns,
        "received_times_media": received * 8 / (present * run.bits) if present else None,
        "viewer_upload_times_bitrate": figures.spread([value * 8 / passed / run.bits for value in sent.values()]),
        "viewer_upload_of_line": figures.spread([sent[place.name] * 8 / passed / rate(place.line.up) for place in run.places]),
        "largest_share_of_uploads_percent": 100 * max(sent.values()) / total if total else None,
        "evenness_of_uploads": figures.evenness(list(sent.values())),
    }


def status_figures(run):
    found = {
        "swarms_formed": sum(of_status(run, "swarm_formation", "count")),
        "swarm_formation_p50_ms": figures.spread(of_happened(run, "swarm_formation", "p50")),
        "swarm_formation_p99_ms": figures.spread(of_happened(run, "swarm_formation", "p99")),
        "reattach_p99_ms": figures.spread(of_happened(run, "edge", "reattach_p99")),
        "delay_p99_as_viewers_have_it_ms": figures.spread(of_happened(run, "delay", "p99")),
        "hops": figures.spread(of_happened(run, "edge", "hops")),
        "skips_by_viewers": sum(of_status(run, "gaps", "count")),
        "skipped_s_by_viewers": sum(of_status(run, "gaps", "media_time")) / 1000,
        "chunks_from_edge": sum(of_status(run, "chunks", "from_edge")),
        "chunks_from_swarm": sum(of_status(run, "chunks", "from_swarm")),
    }
    return found if any(sitting.status for sitting in run.sittings) else {}


def machine_figures(run):
    """What it cost, and whether the machine kept up: busy near 100 or a late wire spoil all other figures."""
    ticks, idle, wire = (after - before for before, after in zip(run.busy_from, run.busy_to))
    cores = [share_of_a_core(sitting.cpu) for sitting in run.sittings]
    source = share_of_a_core(run.source_cpu)
    return {
        "source_core_percent": 100 * source if source is not None else None,
        "source_resident_megabytes": run.source_resident / 1e6,
        "viewer_core_percent": figures.spread([100 * one for one in cores if one is not None]),
        "viewer_resident_megabytes": figures.spread([sitting.resident / 1e6 for sitting in run.sittings if sitting.resident]),
        "machine_busy_percent": 100 * (1 - idle / ticks) if ticks else None,
        "wire_core_percent": 100 * wire / run.plan["seconds"],
        "load": os.getloadavg()[0],
        "wire": run.wire,
        "ended_by_themselves": len(run.fallen),
    }


def figures_of(run):
    result = {
        "seconds": run.plan["seconds"], "stream_bits_per_second": run.bits, "scenario_latency_s": run.plan["latency"],
        **figures.of_sessions(run.sittings, run.plan["latency"], run.system.skips, run.asked),
        **traffic_figures(run), **status_figures(run), **machine_figures(run),
    }
    return {key: value for key, value in result.items() if value not in (None, {})}


def latency_over_time(run):
    """[[second since measuring began, median, 99th percentile, share on time]] by when frames were captured."""
    seconds = {}
    for sitting in run.sittings:
        for frame in sitting.frames:
            seconds.setdefault(int(frame.captured - run.begin), []).append(frame)
    rows = []
    for second, frames in sorted(seconds.items()):
        late = sorted(figures.latencies(frames))
        rows.append([second, measure.percentile(late, 0.5), measure.percentile(late, 0.99),
                     figures.on_time(frames, run.plan["latency"]) / len(frames)])
    return rows


def quantiles(run):
    """[[share of all frames, seconds]]; frames that never came are beyond the last."""
    frames = [frame for sitting in run.sittings for frame in sitting.frames]
    late = sorted(figures.latencies(frames))
    ranks = [(share, int(share * len(frames))) for share in QUANTILES]
    return [[share, late[rank]] for share, rank in ranks if rank < len(late)]


def uploads(run):
    """[[seconds since the first sample, viewers present, source's upload in times the bitrate]]"""
    rows = []
    for before, after in zip(run.samples, run.samples[1:]):
        bits = (after[2]["source"][0] - before[2]["source"][0]) * 8 / (after[0] - before[0])
        rows.append([after[0] - run.samples[0][0], after[1], bits / run.bits])
    return rows


def feeding(run):
    """[[who, whom, stripes]] when it ended, as the receivers have it."""
    names = {place.public: place.name for place in (run.source, *run.places)}
    edges = []
    for sitting in run.sittings:
        if sitting.is_away or not sitting.status:
            continue
        for peer in sitting.status.get("peers", ()):
            who = "source" if peer.get("source") else names.get(peer["address"].rsplit(":", 1)[0], "behind NAT")
            stripes = peer.get("stripes_from") or 0
            count = len(stripes) if isinstance(stripes, list) else stripes
            if count:
                edges.append([who, sitting.place, count])
    return edges


def viewers(run):
    """A row for each session."""
    rows = []
    total = sum(run.samples[-1][2][place.name][0] - run.samples[0][2][place.name][0] for place in run.places)
    for sitting in run.sittings:
        late = sorted(figures.latencies(sitting.frames))
        latency = run.plan["latency"]
        played = figures.play(sitting.whole, max(sitting.behind, run.asked), None if run.system.skips else sitting.ended)
        line, name = sitting.at.line, sitting.at.name
        sent = run.samples[-1][2][name][0] - run.samples[0][2][name][0]
        rows.append({
            "place": sitting.place, "up": line.up, "nat": line.nat, "first_byte_s": sitting.first and sitting.first - sitting.began,
            "latency_p50_s": measure.percentile(late, 0.5), "latency_p99_s": measure.percentile(late, 0.99),
            **{f"{kind}continuity_percent": 100 * figures.on_time(frames, latency) / len(frames) if frames else None
               for kind, frames in (("", sitting.frames), ("whole_", sitting.whole))},
            "whole_stalls": played.stalls, "whole_gaps": played.gaps, "place_sent_megabytes": sent / 1e6,
            "place_share_of_uploads_percent": 100 * sent / total if total else None,
            "stayed_s": min(sitting.ended, run.end) - sitting.began, "skips": ((sitting.status or {}).get("gaps") or {}).get("count"),
        })
    return rows


def in_json(value):
    """Infinite times, for which JSON has no word, are "never"."""
    if isinstance(value, dict):
        return {key: in_json(part) for key, part in value.items()}
    return "never" if value == math.inf else value


def of(run):
    """All that a report needs of a run."""
    result = figures_of(run)
    bars = figures.judge(result, run.plan.get("bars", {})) if run.system.has_bars else {}
    return {
        "about": run.plan["about"], "system": run.system.title, "figures": in_json(result), "bars": in_json(bars),
        "viewers": viewers(run), "latency_over_time": latency_over_time(run), "quantiles": quantiles(run), "uploads": uploads(run),
        "feeding": feeding(run), "events": [[at - run.begin, what] for at, what in run.events],
        "places": {place.name: place.line.up for place in (run.source, *run.places)},
        "behind_nat": [place.name for place in (run.source, *run.places) if place.line.nat != "none"],
        "statuses": [run.source_status, *(sitting.status for sitting in run.sittings)],
    }
