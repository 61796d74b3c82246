"""The live edge on this machine: publisher and viewers are processes of their own on loopback, every uplink limited.

Latency is from the moment that a packet was read by the publisher to its bytes' release at a viewer, as the viewers' own
histograms have it (`minuteswarm_release_delay_seconds` of /metrics, one observation a byte; one clock on one machine).
Overhead is what a viewer received at the level of BitTorrent messages and is neither the stream's bytes nor parity.
"""
import ctypes
import functools
import re
import signal
import socket
import statistics
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import harness
import measure
import media
from ll_client import latency_behind_muxer
from page_test import look

EDGE = ()
SETTLE = 20
ROUNDS = 3
BUCKET = re.compile(r'^minuteswarm_(\w+)_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)
STARTED_AT_ONCE = 10
PACKET = 1448  # bytes of a stream in a packet of Ethernet's size
ON_THE_LINE = 1.1  # times BitTorrent's messages, of radio: packets of 1.4 kB with their headers, and what acknowledges others
TCP_IP = 52    # bytes of headers of each, timestamps included


# Of each case: figure, a dict's parts by dots, and the least or the most that it is to be.
BARS = {
    "thirty": {"delay_p50_s": ("<=", 0.5), "delay_p99_s": ("<=", 1), "on_time_percent": (">=", 99.9), "source_up_times_bitrate": ("<=", 1.5)},
    "long_chunks": {"delay_p50_s_ratio": ("<=", 1.1), "delay_p99_s_ratio": ("<=", 1.1), "on_time_percent": (">=", 99.9)},
    "without_parity": {"overhead_percent": ("<=", 5)},
    "hundred": {"delay_p99_s": ("<=", 1.5), "on_time_percent": (">=", 99.9)},
    "listeners": {"viewers": (">=", 300), "on_time_percent": (">=", 99.9), "source_up_of_uplink": ("<=", 1)},
    "departure": {f"{way}_latency_{latency}.{figure}": bar for way in ("killed", "silent") for latency, share in ((5, 99.9), (3, 99))
                  for figure, bar in (("on_time_percent", (">=", share)), ("reattach_p99_s", ("<=", 2)))},
    "parent_lost": {f"{way}.{figure}": bar for way in ("killed", "silent") for figure, bar in (
        ("gaps", ("<=", 0)), ("on_time_percent", (">=", 100)))},
    "join": {"joined": (">=", 20), "first_byte_p90_s": ("<=", 1)},
    "closed_chunk": {"chunks_from_edge": (">=", 25), "chunks_from_swarm": ("<=", 0), "payload_percent": ("<=", 0), "formations": ("<=", 0),
                     "connections_opened": ("<=", 0)},
    "cpu": {"peers.median": (">=", 20), "viewer_core_percent.worst": ("<=", 2), "signature_core_percent": ("<=", 0.5)},
    "low_latency_hls": {"player.worst": ("<=", 2), "browser.behind_muxer_worst_s": ("<=", 2)},
}


def verdicts(name, result):
    """{figure's path: (figure, <= or >=, bar, whether it holds)}"""
    found = {}
    for path, (way, bar) in BARS.get(name, {}).items():
        *parts, last = path.split(".")
        among = functools.reduce(lambda part, key: part.get(key, {}), parts, result)
        if "skipped" in among:
            continue  # it says why
        figure = among.get(last)
        if figure is None:
            found[path] = ("", way, bar, "no figure")
            continue
        holds = figure <= bar if way == "<=" else figure >= bar
        found[path] = (f"{figure:.4g}", way, bar, "met" if holds else "MISSED")
    return found


def judge(name, result):
    """For each bar the figure, and whether it holds."""
    return {path: f"{said} ({figure} {way} {bar:g})" for path, (figure, way, bar, said) in verdicts(name, result).items()}


def table(results):
    """Markdown of what these cases came to: each figure that has a bar, and what others cost."""
    lines = ["| case | figure | measured | bar | |", "|---|---|---|---|---|"]
    for name, result in results.items():
        for path, (figure, way, bar, said) in verdicts(name.removeprefix("edge."), result).items():
            lines.append(f"| {name} | {path} | {figure} | {way} {bar:g} | {said} |")
    usual, stock = (results.get(f"edge.{name}", {}) for name in ("thirty", "stock"))
    both = [key for key, value in usual.items() if isinstance(value, (int, float)) and key in stock]
    if both:
        lines += ["", "| 30 viewers, 1 Mbit/s | live edge | chunk torrents alone |", "|---|---|---|"]
        lines += [f"| {key} | {usual[key]:.4g} | {stock[key]:.4g} |" for key in both]
    return "\n".join(lines)


def rate_text(bits_per_second):
    return str(int(bits_per_second))


def picture(rate, gop=2, seconds=60):
    """H.264 and AAC at this rate (bits per second), container included, as even as x264 makes it."""
    video = int(rate * 0.955 - 72_000)  # AAC of 64 kbit/s, and what MPEG-TS adds
    name = f"edge-{int(rate)}-gop{gop}-{seconds}s.ts"
    return media.made(name, [*media.picture_and_beeps(seconds, "640x360"), *media.h264_aac(gop, 25, str(video)), "-maxrate", str(video),
                             "-bufsize", str(video // 2), "-x264-params", "nal-hrd=cbr:scenecut=0", "-b:a", "64k", "-f", "mpegts"])


def radio(rate=40_000):
    return media.made(f"edge-radio-{rate}.mp3", ["-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:duration=60", "-ac", "1", "-ar", "24000",
                                                 "-c:a", "libmp3lame", "-b:a", str(rate), "-f", "mp3"])


def histograms(nodes):
    """How many took less than each bound in seconds, of all nodes together: `release_delay` of bytes, `edge_reattach` of stripes."""
    total = {"release_delay": {}, "edge_reattach": {}}
    for text in together(nodes, lambda node: node.get("/metrics").decode()):
        for name, bound, count in BUCKET.findall(text):
            counts = total[name]
            counts[float(bound)] = counts.get(float(bound), 0) + float(count)
    return total


def quantile(before, after, name, share):
    """Linear within a bucket, as Prometheus' histogram_quantile."""
    before, after = before[name], after[name]
    counts = sorted((bound, count - before.get(bound, 0)) for bound, count in after.items())
    if not counts or counts[-1][1] <= 0:
        return None
    wanted, lower, below = share * counts[-1][1], 0.0, 0.0
    for bound, count in counts:
        if count >= wanted:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (wanted - below) / (count - below) if count > below else bound
        lower, below = bound, count
    return lower


def together(nodes, ask):
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(ask, nodes))


def statuses(nodes):
    return together(nodes, lambda node: node.status())


def of_tcp(name):
    """One of the machine's TCP counters (RFC 4022)."""
    names, values = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Tcp:")]
    return int(values[names.index(name)])


def broadcast(case, source, uplink, chunk=4, edge=EDGE, options=()):
    case.are_apart = True
    places = {"archive": f"archive{len(case.started)}", "key": f"channel{len(case.started)}.key"}
    publisher = case.publish(source, "--loop", "--chunk", str(chunk), "--uplink", rate_text(uplink), *edge, *options, **places)
    publisher.chunk(1, chunk + 30)
    return publisher


def wait_for_room(patience=60):
    """Until a fifth of the machine has been idle for two seconds, or `patience` seconds have passed: what a crowd's start takes is not what a swarm takes."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        idleness = measure.Idleness()
        time.sleep(2)
        if idleness.percent() >= 20:
            return


def start_viewers(case, link, count, uplink, latency=3, edge=EDGE, waits_for_room=False):
    viewers = []
    while len(viewers) < count:
        some = [case.watch(link, "--uplink", rate_text(uplink), "--latency", str(latency), *edge)
                for _ in range(min(STARTED_AT_ONCE, count - len(viewers)))]
        for viewer in some:
            viewer.event("state", 60, state="live")
        viewers += some
        if waits_for_room:
            wait_for_room()
    return viewers


def signature_seconds():
    """What checking a group's signature takes here, with libsodium called from this program."""
    sodium = ctypes.CDLL("libsodium.so.23")
    message, number = bytes(100), 2000
    public, secret, signature = (ctypes.create_string_buffer(size) for size in (32, 64, 64))
    sodium.crypto_sign_keypair(public, secret)
    sodium.crypto_sign_detached(signature, None, message, ctypes.c_ulonglong(len(message)), secret)
    began = time.process_time()
    for _ in range(number):
        sodium.crypto_sign_verify_detached(signature, message, ctypes.c_ulonglong(len(message)), public)
    return (time.process_time() - began) / number


class Window:
    """What happened at some nodes from now on."""

    def __init__(self, publisher, viewers, latency):
        self.publisher, self.viewers, self.latency = publisher, viewers, latency
        self.histograms = histograms(viewers)
        self.before = statuses(viewers)
        self.source = publisher.status()
        self.segments = of_tcp("InSegs")
        self.watch = measure.Stopwatch([publisher.pid, *(viewer.pid for viewer in viewers)])
        self.began = time.monotonic()

    def figures(self, rate):
        passed = time.monotonic() - self.began
        cores = self.watch.cores()
        now = histograms(self.viewers)  # in the order of the beginning
        after = statuses(self.viewers)
        source = self.publisher.status()

        def gained(*path):
            """The growth of a field in each viewer."""
            def value(status):
                for key in path:
                    status = status[key]
                return status
            return [value(new) - value(old) for old, new in zip(self.before, after)]

        released, on_time = (now["release_delay"].get(bound, 0) - self.histograms["release_delay"].get(bound, 0)
                             for bound in (float("inf"), self.latency))
        # Of each viewer what the others got: one that stands still has had nothing on time.
        played = [good + late + lost / 1000 * rate / 8 for good, late, lost in
                  zip(gained("on_time", "bytes"), gained("on_time", "late"), gained("gaps", "media_time"))]
        skipped = sum(gained("gaps", "media_time")) / 1000 * rate / 8
        phase = rate / 8  # a second of it: groups and samples come when they do
        missing = sum(max(0, statistics.median(played) - phase - one) for one in played)
        stream = sum(gained("edge", "data_bytes")) + sum(gained("totals", "down_payload"))
        parity = sum(gained("edge", "parity_bytes"))
        down = sum(gained("totals", "down"))
        # Loopback's packets are large: what TCP would have cut counts as well.
        packets = of_tcp("InSegs") - self.segments + (down + source["totals"]["down"] - self.source["totals"]["down"]) / PACKET
        result = {
            "viewers": len(self.viewers), "seconds": passed, "stream_bits_per_second": rate,
            "delay_p50_s": quantile(self.histograms, now, "release_delay", 0.5),
            "delay_p99_s": quantile(self.histograms, now, "release_delay", 0.99),
            "delay_p999_s": quantile(self.histograms, now, "release_delay", 0.999),
            # Whatever deadline a viewer has set itself.
            "on_time_percent": 100 * on_time / (released + skipped + missing) if released else None,
            "gaps": sum(gained("gaps", "count")), "viewers_with_gaps": sum(gap > 0 for gap in gained("gaps", "count")),
            "source_up_times_bitrate": (source["totals"]["up"] - self.source["totals"]["up"]) * 8 / passed / rate,
            "overhead_percent": 100 * (down - stream - parity) / stream if stream else None,
            "tcp_ip_percent": 100 * packets * TCP_IP / stream if stream else None,
            "parity_percent": 100 * parity / stream if stream else None,
            "duplicate_percent": 100 * sum(gained("edge", "duplicates")) / max(1, sum(gained("edge", "blocks"))),
            "chunk_torrent_payload_percent": 100 * sum(gained("totals", "down_payload")) / stream if stream else None,
            "chunks_from_edge": sum(gained("chunks", "from_edge")), "chunks_from_swarm": sum(gained("chunks", "from_swarm")),
            "formations": sum(gained("swarm_formation", "count")),
            "groups_recovered_percent": 100 * sum(gained("edge", "recovered_by_parity")) / max(1, sum(gained("edge", "groups"))),
            "groups_per_second": sum(gained("edge", "groups")) / passed / len(self.viewers),
            "blocks_wanted": sum(gained("edge", "wanted")),
            "hops": measure.summary([status["edge"]["hops"] for status in after]),
            "reattach_p50_s": quantile(self.histograms, now, "edge_reattach", 0.5),
            "reattach_p99_s": quantile(self.histograms, now, "edge_reattach", 0.99),
            "peers": measure.summary([len(status["peers"]) for status in after]),
            "viewer_core_percent": measure.summary([100 * cores[viewer.pid] for viewer in self.viewers]),
            "publisher_core_percent": 100 * cores[self.publisher.pid],
            "all_cores_percent": 100 * sum(cores.values()),
            "resident_megabytes": measure.summary([measure.resident_bytes(viewer.pid) / 1e6 for viewer in self.viewers]),
        }
        return {key: value for key, value in result.items() if value is not None}


def settled(case, options, rate, viewers, chunk=4, latency=3, source=None, uplink=None, edge=EDGE, publish=(), seconds=None,
            waits_for_room=False):
    """A swarm that is left alone for SETTLE seconds and then watched."""
    uplink = uplink or (1.5 * rate, 1.5 * rate)
    publisher = broadcast(case, source or picture(rate), uplink[0], chunk, edge, publish)
    nodes = start_viewers(case, publisher.link, viewers, uplink[1], latency, edge, waits_for_room)
    time.sleep(SETTLE)
    window = Window(publisher, nodes, latency)
    time.sleep(seconds or options.seconds)
    return window.figures(rate), publisher, nodes


def thirty(case, options):
    """30 viewers at 1 Mbit/s, all uplinks 1.5x. Bars: p50 0.5 s, p99 1.0 s, 99.9 % on time, source 1.5x."""
    return settled(case, options, 1e6, 30)[0]


def long_chunks(case, options):
    """The same with chunks of 60 s, and with those of 4 s beside it, some times: trees differ from run to run by as much as the bar.
    A minute each, in which a chunk of 60 s ends. Bar: medians within 10 % of each other."""
    runs = {60: [], 4: []}
    for _ in range(ROUNDS):
        publishers = {seconds: broadcast(case, picture(1e6), 1.5e6, seconds) for seconds in runs}
        nodes = {seconds: start_viewers(case, publisher.link, 30, 1.5e6) for seconds, publisher in publishers.items()}
        time.sleep(SETTLE)
        windows = {seconds: Window(publishers[seconds], nodes[seconds], 3) for seconds in runs}
        time.sleep(60)
        for seconds, window in windows.items():
            runs[seconds].append(window.figures(1e6))
        for node in (*publishers.values(), *nodes[60], *nodes[4]):
            node.kill()
    result = {"on_time_percent": min(one["on_time_percent"] for one in runs[60] + runs[4])}
    for figure in ("delay_p50_s", "delay_p99_s"):
        long, short = (sorted(one[figure] for one in runs[seconds]) for seconds in (60, 4))
        result[figure] = {"chunks_of_60_s": ", ".join(f"{one:.3f}" for one in long), "chunks_of_4_s": ", ".join(f"{one:.3f}" for one in short)}
        result[f"{figure}_ratio"] = statistics.median(long) / statistics.median(short)
    return result


def without_parity(case, options):
    """The same without parity; bar: overhead 5 %."""
    return settled(case, options, 1e6, 30, publish=("--parity", "0"))[0]


def stock(case, options):
    """The same over chunk torrents alone, uplinks and all."""
    return settled(case, options, 1e6, 30, edge=("--no-edge",))[0]


def hundred(case, options):
    """100 viewers at 400 kbit/s. Bars: p99 1.5 s, 99.9 % on time."""
    return settled(case, options, 4e5, 100)[0]


def listeners(case, options):
    """Radio of 40 kbit/s from an uplink of 56 kbit/s, listeners with 80, of BitTorrent's messages; the program is told what a line
    carries then (ON_THE_LINE). They come ten by ten, as fast as these play and the machine has a fifth of its cores to spare. First
    what the last ones' coming costs, from SETTLE seconds after it, then the same when that is over. Bars: 99.9 % on time at 5 s, source
    within its uplink."""
    uplink = (56e3 * ON_THE_LINE, 80e3 * ON_THE_LINE)
    first, publisher, nodes = settled(case, options, 4e4, options.listeners, latency=5, source=radio(), uplink=uplink, waits_for_room=True)
    window = Window(publisher, nodes, 5)
    idleness = measure.Idleness()
    time.sleep(options.seconds)
    machine_busy_percent = 100 - idleness.percent()
    figures = window.figures(4e4)
    figures["machine_busy_percent"] = machine_busy_percent
    figures["source_up_of_uplink"] = figures["source_up_times_bitrate"] * 40 / 56
    figures["after_the_last_came"] = {key: first[key] for key in ("on_time_percent", "delay_p50_s", "delay_p99_s", "gaps", "viewers_with_gaps")}
    return figures


def thin_listeners(case, options):
    """Sixty of them on lines of 80 kbit/s, of a source on one of 56. No bar: three stripes with all that goes with them fill such a line."""
    return settled(case, options, 4e4, 60, latency=5, source=radio(), uplink=(56e3, 80e3))[0]


def departure(case, options):
    """30 % of 30 viewers die in the same instant, first by SIGKILL: the kernel ends their connections, nobody says goodbye. Then
    others fall silent (SIGSTOP), as where a line is cut. Bars: 99.9 % on time at 5 s, 99 % at 3 s; re-attach p99 2 s."""
    result = {}
    for name, death, latency in (("killed_latency_5", signal.SIGKILL, 5), ("killed_latency_3", signal.SIGKILL, 3),
                                 ("silent_latency_5", signal.SIGSTOP, 5), ("silent_latency_3", signal.SIGSTOP, 3)):
        publisher = broadcast(case, picture(1e6), 1.5e6)
        viewers = start_viewers(case, publisher.link, 30, 2e6, latency)
        time.sleep(SETTLE)
        gone, staying = viewers[::3][:9], [viewer for viewer in viewers if viewer not in viewers[::3][:9]]
        window = Window(publisher, staying, latency)
        for viewer in gone:
            viewer.process.send_signal(death)
        time.sleep(20)
        result[name] = window.figures(1e6)
        for node in (publisher, *viewers):
            node.kill()
    return result


def stripes_of(parent, viewers):
    """How many stripes each of these has from it."""
    return [sum(len(peer["stripes_from"]) for peer in status["peers"] if peer["address"] == parent.address) for status in statuses(viewers)]


def parent_lost(case, options):
    """The viewer that most others have a single stripe of is lost, once by SIGKILL and once by SIGSTOP, as where a line is cut.
    Bars, for those who have a single stripe of it: no gap and nothing after its deadline at --latency 1, so that no player that is a
    second behind, or more, notices. Groups are there with the last of their stripes meanwhile, which is parity: said beside."""
    result = {}
    for name, death in (("killed", signal.SIGKILL), ("silent", signal.SIGSTOP)):
        publisher = broadcast(case, picture(1e6), 1.5e6)
        viewers = start_viewers(case, publisher.link, 10, 2e6, 1)
        time.sleep(SETTLE)
        others = {viewer: [one for one in viewers if one is not viewer] for viewer in viewers}
        stripes = {viewer: stripes_of(viewer, others[viewer]) for viewer in viewers}
        lost = max(viewers, key=lambda viewer: stripes[viewer].count(1))
        before = Window(publisher, others[lost], 1)
        time.sleep(10)
        before, now = before.figures(1e6), stripes_of(lost, others[lost])
        of_one = [viewer for viewer, count in zip(others[lost], now) if count == 1]
        harness.check(of_one, "nobody has a single stripe of any viewer")
        after, rest = Window(publisher, of_one, 1), Window(publisher, others[lost], 1)
        lost.process.send_signal(death)
        time.sleep(10)
        after, rest = after.figures(1e6), rest.figures(1e6)
        result[name] = {"viewers": len(of_one), "gaps": after["gaps"], "on_time_percent": after["on_time_percent"],
                        "added_delay_p50_s": after["delay_p50_s"] - before["delay_p50_s"],
                        "added_delay_p99_s": after["delay_p99_s"] - before["delay_p99_s"], "delay_p99_s": after["delay_p99_s"],
                        "groups_recovered_percent": after["groups_recovered_percent"], "stripes_others_had": max(now),
                        "gaps_of_all": rest["gaps"], "on_time_percent_of_all": rest["on_time_percent"]}
        for node in (publisher, *viewers):
            node.kill()
    return result


def first_byte(url, began, result):
    """Seconds from `began` until /stream.ts gives its first byte."""
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as stream:
        stream.sendall(b"GET /stream.ts HTTP/1.1\r\nHost: " + parts.netloc.encode() + b"\r\n\r\n")
        got = b""
        while b"\r\n\r\n" not in got or got.endswith(b"\r\n\r\n"):
            more = stream.recv(65536)
            if not more:
                return
            got += more
    harness.check(got.startswith(b"HTTP/1.1 200 "), f"/stream.ts says {got[:30]!r}")
    result.append(time.monotonic() - began)


def join(case, options):
    """Viewers that join a warm channel one by one; bar: link to first byte at /stream.ts p90 1.0 s."""
    publisher = broadcast(case, picture(1e6), 2e6)
    start_viewers(case, publisher.link, 10, 2e6)
    time.sleep(SETTLE)
    took = []
    for _ in range(20):
        began = time.monotonic()
        viewer = case.watch(publisher.link, "--uplink", "2M", *EDGE)
        first_byte(viewer.url, began, took)
        time.sleep(0.37)  # not in step with the keyframes
    return {"joined": len(took), "first_byte_s": measure.summary(took), "first_byte_p90_s": measure.percentile(took, 0.9)}


def closed_chunk(case, options):
    """Chunks that came over the live edge, from when all have followed it for a while: what was going on when a viewer came, it may
    have fetched. Bar: nothing over chunk torrents, no connection opened by anybody (on the whole machine, while nobody asks for status)."""
    publisher = broadcast(case, picture(1e6), 1.5e6)
    nodes = start_viewers(case, publisher.link, 5, 1.5e6)
    time.sleep(SETTLE)
    window = Window(publisher, nodes, 3)
    opened = of_tcp("ActiveOpens")
    time.sleep(30)
    opened = of_tcp("ActiveOpens") - opened
    figures = window.figures(1e6)
    return {"chunks_from_edge": figures["chunks_from_edge"], "chunks_from_swarm": figures["chunks_from_swarm"],
            "payload_percent": figures["chunk_torrent_payload_percent"],
            "formations": figures["formations"], "connections_opened": opened}


def cpu(case, options):
    """Viewers at 1 Mbit/s with 20 neighbours each; bar: 2 % of a core over 60 s."""
    figures, _, _ = settled(case, options, 1e6, 21, seconds=60, uplink=(2e6, 2e6))
    kept = {key: figures[key] for key in ("peers", "viewer_core_percent", "publisher_core_percent", "resident_megabytes")}
    return kept | {"signature_core_percent": 100 * figures["groups_per_second"] * signature_seconds()}


def low_latency_hls(case, options):
    """A strict low-latency HLS client at a viewer, and hls.js in Chromium, where that is installed; bar: 2 s behind the muxer."""
    publisher = broadcast(case, picture(1e6), 2e6)
    viewer = start_viewers(case, publisher.link, 3, 2e6)[-1]
    time.sleep(SETTLE / 2)
    result = latency_behind_muxer(viewer.url + "live.m3u8", options.seconds)
    try:
        seen = look(case, viewer.url, "bench-low-latency", "low-latency")
    except harness.Skip as reason:
        return result | {"browser": {"skipped": str(reason)}}
    behind = sorted(late for late in seen.get("behindMuxer") or [] if late is not None)
    harness.check(behind, f"hls.js does not play: {seen}")
    return result | {"browser": {"parts": seen["parts"], "behind_muxer_median_s": statistics.median(behind), "behind_muxer_worst_s": behind[-1]}}


def with_bars(case):
    def run(place, options):
        result = case(place, options)
        bars = judge(case.__name__, result)
        return result | {"bars": bars} if bars else result
    return run


CASES = {f"edge.{case.__name__}": with_bars(case) for case in (
    thirty, long_chunks, without_parity, stock, hundred, listeners, thin_listeners, departure, parent_lost, join, closed_chunk, cpu, low_latency_hls)}
