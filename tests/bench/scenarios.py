"""What is measured, and how. Each scenario takes a harness.Case and the options, and returns figures."""
import shutil
import tempfile
import time
import urllib.request
from pathlib import Path

import edge
import harness
import measure
import media
import policy
import scale
import tree

GOP = 2
PLAYERS = 50
CHUNK = 2
SETTLE = 10
FULL_MEMORY = 50 * 2**20  # of 64 MiB


def recording(seconds, rate, size="1280x720", gop=GOP):
    """H.264 and AAC in MPEG-TS, kept between runs."""
    return media.made(f"bench-{seconds}s-{rate}-gop{gop}.ts", [*media.picture_and_beeps(seconds, size),
                                                               *media.h264_aac(gop, 30, rate), "-maxrate", rate, "-bufsize", rate])


def repeated(source, times):
    """The same again and again in one file, as a long recording."""
    return media.made(f"{source.stem}-x{times}.ts", ["-stream_loop", str(times - 1), "-i", source, "-c", "copy", "-f", "mpegts"])


def bits_per_second(path):
    return path.stat().st_size * 8 / media.duration(path)


def crowd(case, rate, viewers, *options, chunk=CHUNK):
    """A publisher of a looped recording and viewers that know only its link; returns when all play."""
    source = recording(60, rate, gop=chunk)
    publisher = case.publish(source, "--loop", "--chunk", str(chunk), *options)
    link = publisher.link
    publisher.chunk(1)
    nodes = [case.watch(link, *options) for _ in range(viewers)]
    for node in nodes:
        node.event("state", 60, state="live")
    return source, publisher, nodes


def completion_seconds(publisher, viewers, since):
    """For each chunk closed after `since` and each viewer: how long until it was complete there."""
    closed = {event["number"]: event["at"] for event in publisher.events("chunk") if event["at"] >= since}
    took, missing = [], 0
    newest = max(closed, default=0)
    for viewer in viewers:
        complete = {event["number"]: event["at"] for event in viewer.events("chunk")}
        for number, at in closed.items():
            if number in complete:
                took.append(complete[number] - at)
            elif number < newest - 2:  # the last ones may still be under way
                missing += 1
    return took, missing


def wire_peak(samples, seconds=10):
    """Highest bits per second over any `seconds` of (time, bytes) samples."""
    best = 0.0
    for index, (start, first) in enumerate(samples):
        for at, total in samples[index + 1:]:
            if at - start >= seconds:
                best = max(best, (total - first) * 8 / (at - start))
                break
    return best


def formation(case, options):
    """How soon the first payload byte of a chunk comes after its record; bars: p50 120 ms, p99 400 ms."""
    _, _, viewers = crowd(case, "1M", options.viewers, "--no-edge")
    time.sleep(options.seconds)
    found = [viewer.status()["swarm_formation"] for viewer in viewers]
    return {"viewers": options.viewers, "samples": sum(one["count"] for one in found),
            "p50_ms": measure.summary([one["p50"] for one in found]),
            "p99_ms": measure.summary([one["p99"] for one in found])}


def uplink(case, options):
    """2 Mbit/s to N viewers, every uplink 4x that. Bars: complete p99 2.5 s, source 3x, half from the source, no gap."""
    source, publisher, viewers = crowd(case, "1900k", options.viewers, "--uplink", "8M", "--no-edge")
    rate = bits_per_second(source)
    time.sleep(SETTLE)
    before = publisher.status()["totals"]["up_payload"]
    gaps_before = sum(viewer.status()["gaps"]["count"] for viewer in viewers)
    began = time.monotonic()
    watch = measure.Stopwatch([publisher.pid, *(viewer.pid for viewer in viewers)])
    wire = {node.name: [] for node in (publisher, *viewers)}
    while time.monotonic() < began + options.seconds:
        for node in (publisher, *viewers):
            wire[node.name].append((time.monotonic(), node.status()["totals"]["up"]))
        time.sleep(1)
    passed = time.monotonic() - began
    cores = watch.cores()
    sent = publisher.status()["totals"]["up_payload"] - before
    took, missing = completion_seconds(publisher, viewers, began)
    statuses = [viewer.status() for viewer in viewers]
    shares = []
    for status in statuses:
        down = sum(peer["down"] for peer in status["peers"])
        shares.append(sum(peer["down"] for peer in status["peers"] if peer["source"]) / down if down else 0)
    return {
        "viewers": options.viewers, "seconds": passed, "stream_bits_per_second": rate,
        "complete_p50_s": measure.percentile(took, 0.5), "complete_p99_s": measure.percentile(took, 0.99),
        "complete_worst_s": max(took, default=None), "incomplete": missing,
        "source_payload_times_bitrate": sent * 8 / passed / rate,
        "largest_share_from_source": max(shares), "mean_share_from_source": sum(shares) / len(shares),
        "gaps": sum(status["gaps"]["count"] for status in statuses) - gaps_before,
        "gaps_at_start": gaps_before,  # ten viewers in the same second, and a source of four copies
        "late_bytes": sum(status["on_time"]["late"] for status in statuses),
        "latency_target_ms": measure.summary([status["latency"]["target"] for status in statuses]),
        "wire_peak_of_limit": max(wire_peak(samples) for samples in wire.values()) / 8e6,
        "overhead_percent": 100 * sum(s["totals"]["protocol_overhead"] for s in statuses)
        / sum(s["totals"]["down"] + s["totals"]["up"] for s in statuses),
        "publisher_core_percent": 100 * cores[publisher.pid],
        "viewer_core_percent": measure.summary([100 * cores[viewer.pid] for viewer in viewers]),
    }


def publish_fast(case, source, archive):
    started = time.monotonic()
    publisher = case.publish(source, "--as-fast-as-possible", "--chunk", "4", archive=archive)
    publisher.event("end", 180)
    return media.duration(source) / (time.monotonic() - started)


def copy(case, _):
    """A 4 Mbit/s recording cut, hashed, signed and stored as fast as it goes; bar: 200x real time."""
    source = repeated(recording(60, "4M"), 10)
    result = {"bits_per_second": bits_per_second(source), "disk_times_real_time": publish_fast(case, source, "archive")}
    size = len(harness.archive_bytes(case.folder / "archive"))
    result["container_overhead_percent"] = (size / source.stat().st_size - 1) * 100
    if Path("/dev/shm").is_dir():
        folder = Path(tempfile.mkdtemp(prefix="minuteswarm-bench-", dir="/dev/shm"))
        try:
            copied = Path(shutil.copy(source, folder))
            result["tmpfs_times_real_time"] = publish_fast(case, copied, folder / "archive")
        finally:
            shutil.rmtree(folder)
    return result


def ingest(case, options):
    """4 Mbit/s by RTMP without viewers, then what each served copy adds; bar: 8 % of a core without viewers."""
    source = repeated(recording(60, "4M"), 10)  # looped by the encoder, its bitstream filter would end with the first round
    port = harness.free_port()
    publisher = case.publish(f"rtmp://127.0.0.1:{port}/live/key", "--chunk", str(CHUNK))
    link = publisher.link
    publisher.event("warning", 20, message=lambda text: "waiting" in text)
    case.run([*media.FFMPEG, "-re", "-i", source, "-c", "copy", "-bsf:a", "aac_adtstoasc", "-f", "flv",
              f"rtmp://127.0.0.1:{port}/live/key"], "encoder")
    publisher.chunk(2)
    watch = measure.Stopwatch([publisher.pid])
    time.sleep(options.seconds)
    alone = watch.cores()[publisher.pid]
    viewer = case.watch(link)
    viewer.event("state", 30, state="live")
    time.sleep(SETTLE)
    watch = measure.Stopwatch([publisher.pid])
    time.sleep(options.seconds)
    served = watch.cores()[publisher.pid]
    return {"core_percent_without_viewers": 100 * alone, "core_percent_per_served_copy": 100 * (served - alone),
            "resident_bytes": measure.resident_bytes(publisher.pid)}


def viewer(case, options):
    """One viewer of 4 Mbit/s with a player; bars: 10 % of a core, 150 MiB."""
    _, _, (node,) = crowd(case, "4M", 1)
    stream = urllib.request.urlopen(node.url + "stream.ts", timeout=30)
    watch = measure.Stopwatch([node.pid])
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        stream.read1(65536)
    cores = watch.cores()[node.pid]
    stream.close()
    return {"core_percent": 100 * cores, "resident_bytes": measure.resident_bytes(node.pid)}


def players(case, options):
    """What one viewer spends on many players of its continuous stream."""
    _, _, (node,) = crowd(case, "2M", 1)
    streams = [urllib.request.urlopen(node.url + "stream.ts", timeout=30) for _ in range(PLAYERS)]
    watch = measure.Stopwatch([node.pid])
    end = time.monotonic() + options.seconds
    received = 0
    while time.monotonic() < end:
        received += sum(len(stream.read1(65536)) for stream in streams)
    cores = watch.cores()[node.pid]
    for stream in streams:
        stream.close()
    return {"players": PLAYERS, "viewer_core_percent": 100 * cores, "megabytes_served": received / 1e6}


def soak(case, options):
    """Memory over a long time; bar: flat. Chunks of 1 s at 8 Mbit/s: in 15 minutes as many as an hour of 4 s chunks has,
    and twice the bytes of an hour at 1 Mbit/s. Counted from when the chunk memory is full."""
    _, publisher, (node,) = crowd(case, "8M", 1, chunk=1)
    stream = urllib.request.urlopen(node.url + "stream.ts", timeout=30)
    end = time.monotonic() + options.seconds
    samples, next_sample = [], 0
    while time.monotonic() < end:
        stream.read1(65536)
        if time.monotonic() < next_sample:
            continue
        next_sample = time.monotonic() + 2
        if samples or node.status()["memory"]["chunks"] > FULL_MEMORY:
            samples.append((measure.resident_bytes(node.pid), measure.resident_bytes(publisher.pid)))
    stream.close()
    third = len(samples) // 3
    worst = [[max(sample[which] for sample in part) for which in (0, 1)] for part in (samples[:third], samples[-third:])]
    return {"seconds": options.seconds, "chunks": node.status()["newest_chunk"],
            "viewer_first_third_bytes": worst[0][0], "viewer_last_third_bytes": worst[1][0],
            "publisher_first_third_bytes": worst[0][1], "publisher_last_third_bytes": worst[1][1],
            "chunk_memory_bytes": node.status()["memory"]["chunks"]}


SCENARIOS = {scenario.__name__: scenario for scenario in (formation, uplink, copy, ingest, viewer, players, soak)} | edge.CASES | policy.CASES | scale.CASES | tree.CASES
