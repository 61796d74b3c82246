"""/api/status and /metrics against traffic that is known: what every field says is counted here a second time."""
import http.client
import re
import subprocess
import time
from urllib.parse import urlsplit

import media
from harness import (EXIT_DONE, PATIENCE, check, chunk_files, chunk_number, event_folder, main, until, without_peers)

CHUNK_SECONDS = 2
TS_PACKET = 188
BLOCK = 16 * 1024
CACHE_SIZE = 50_000_000
UPLINK = 80_000_000
LATENCY_SECONDS = 60  # nothing is late, so that nothing is skipped
TITLE = "Café <1>"
QUIET_SECONDS = 2.5  # libtorrent's totals and the rates are as of the last second

FIELDS = {
    "role": str, "version": str, "channel": str, "event": int, "title": str, "state": str, "uptime": int,
    "newest_chunk": int, "peers": list, "rates": {"down", "up"},
    "totals": {"down", "up", "down_payload", "up_payload", "protocol_overhead"},
    "startup": {"link_to_feed", "link_to_first_byte"}, "latency": {"now", "target", "p50", "p99"},
    "delay": {"p50", "p99"}, "playhead": {"chunk", "offset"}, "buffered": int, "on_time": {"bytes", "late"}, "gaps": {"count", "media_time"},
    "chunks": {"from_edge", "from_swarm", "from_web", "repaired_bytes", "held", "active"},
    "swarm_formation": {"count", "p50", "p99"},
    "edge": {"state", "newest_group", "groups", "recovered_by_parity", "wanted", "blocks", "duplicates", "unexpected", "forged",
             "data_bytes", "parity_bytes", "hops", "reattach_p99", "slots", "slots_used", "preempted", "stripes"}, "dropped": {"bad_signature", "strikes", "bans"},
    "disk": {"used", "limit", "failing"}, "memory": {"chunks"}, "uplink": int, "clients": list, "note": str,
}
PEER_FIELDS = {"address", "client", "transport", "source", "down_rate", "up_rate", "down", "up", "stripes_from", "stripes_to"}

# /metrics: name, path in the status, what a unit of the status is of the metric's
METRICS = {
    "newest_chunk": ("newest_chunk", 1), "down_bits_per_second": ("rates.down", 1),
    "up_bits_per_second": ("rates.up", 1), "down_bytes_total": ("totals.down", 1), "up_bytes_total": ("totals.up", 1),
    "down_payload_bytes_total": ("totals.down_payload", 1), "up_payload_bytes_total": ("totals.up_payload", 1),
    "protocol_overhead_bytes_total": ("totals.protocol_overhead", 1), "latency_seconds": ("latency.now", 1e-3),
    "latency_target_seconds": ("latency.target", 1e-3), "on_time_bytes_total": ("on_time.bytes", 1),
    "late_bytes_total": ("on_time.late", 1), "gaps_total": ("gaps.count", 1),
    "gap_media_seconds_total": ("gaps.media_time", 1e-3), "chunks_from_swarm_total": ("chunks.from_swarm", 1),
    "chunks_held": ("chunks.held", 1), "chunk_torrents_active": ("chunks.active", 1),
    "swarm_formation_p50_seconds": ("swarm_formation.p50", 1e-3),
    "swarm_formation_p99_seconds": ("swarm_formation.p99", 1e-3),
    "bad_signatures_total": ("dropped.bad_signature", 1), "strikes_total": ("dropped.strikes", 1),
    "bans": ("dropped.bans", 1), "disk_used_bytes": ("disk.used", 1), "disk_failing": ("disk.failing", 1),
    "chunk_memory_bytes": ("memory.chunks", 1),
}


EDGE_COUNTERS = ("groups", "recovered_by_parity", "wanted", "blocks", "duplicates", "unexpected", "forged", "preempted", "data_bytes", "parity_bytes")


def at(status, path):
    for key in path.split("."):
        status = status[key]
    return status


def equal(name, got, wanted):
    check(got == wanted, f"{name} is {got}, not {wanted}")


def write(publisher, begin, end):
    """This share of a recording into its standard input, all of it at once."""
    recorded = media.recording(20, gop=CHUNK_SECONDS).read_bytes()
    first, last = (int(len(recorded) * share) // TS_PACKET * TS_PACKET for share in (begin, end))
    publisher.process.stdin.write(recorded[first:last])
    publisher.process.stdin.flush()


class Event:
    """An event over chunk torrents alone, of which the test itself is the encoder: a publisher, a viewer near it, and one that knows only that."""

    def __init__(self, case):
        self.began = time.monotonic()
        self.archive = case.folder / "archive"
        self.publisher = case.publish("-", "--chunk", str(CHUNK_SECONDS), "--title", TITLE, "--no-edge", stdin=subprocess.PIPE)
        patient = ("--latency", str(LATENCY_SECONDS), "--no-edge")
        self.near = case.watch(self.publisher.link, "--cache-size", str(CACHE_SIZE), "--uplink", str(UPLINK),
                               *patient)
        self.near.event("listening")
        self.far = case.watch(without_peers(self.publisher.link), *patient, peers=[self.near])
        self.viewers = [self.near, self.far]
        self.all = [self.publisher, *self.viewers]
        for viewer in self.viewers:
            viewer.until_status(lambda status: len(status["peers"]) == 2, 20, "knows the two others")

    def write(self, begin, end):
        write(self.publisher, begin, end)

    def sizes(self):
        return {chunk_number(path): path.stat().st_size for path in chunk_files(event_folder(self.archive))}

    def is_taken(self, viewer):
        """All that is published and that the viewer did not start behind."""
        newest = self.publisher.events("chunk")[-1]["number"]
        got = fetched(viewer)
        return got and max(got) == newest and len(got) == newest - min(got) + 1

    def settle(self, least):
        """Until so many chunks are out, everybody has them and nothing has moved for a while; a status of each."""
        self.publisher.chunk(least)
        until(lambda: all(self.is_taken(viewer) for viewer in self.viewers), 30, "both viewers have all chunks")
        counted = Counted(self.all)
        until(counted.are_quiet, 30, "nothing moves any more", interval=0.25)
        return counted.statuses


class Counted:
    """Statuses, until their chunk bytes stay as they are."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.statuses = []
        self.since = 0.0
        self.before = None

    def are_quiet(self):
        self.statuses = [node.status() for node in self.nodes]
        now = [(status["totals"]["down_payload"], status["totals"]["up_payload"], status["rates"]["down"] < 100_000,
                [peer["down_rate"] for peer in status["peers"]]) for status in self.statuses]
        if now != self.before:
            self.before, self.since = now, time.monotonic()
        return time.monotonic() - self.since > QUIET_SECONDS * PATIENCE


def fetched(viewer):
    return {event["number"] for event in viewer.events("chunk")}


def check_shape(status):
    equal("the set of fields", set(status), set(FIELDS))
    for name, kind in FIELDS.items():
        if isinstance(kind, set):
            equal(f"the set of fields of {name}", set(status[name]), kind)
        else:
            check(isinstance(status[name], kind), f"{name} is {status[name]!r}")
    for peer in status["peers"]:
        equal("the set of fields of a peer", set(peer), PEER_FIELDS)


def check_identity(event, node, status):
    equal("channel", status["channel"], re.search("urn:btpk:([0-9a-f]{64})", event.publisher.link).group(1))
    equal("event", str(status["event"]), event_folder(event.archive).name.split("-")[1])
    equal("title", status["title"], TITLE)
    equal("role", status["role"], "publish" if node is event.publisher else "watch")
    check(re.fullmatch(r"\d+\.\d+\.\d+", status["version"]), f"version is {status['version']}")
    check(0 < status["uptime"] <= (time.monotonic() - event.began) * 1000, f"uptime is {status['uptime']}")
    equal("note", status["note"], "")


def check_totals(status):
    totals = status["totals"]
    equal("protocol_overhead", totals["protocol_overhead"],
          totals["down"] + totals["up"] - totals["down_payload"] - totals["up_payload"])
    check(totals["protocol_overhead"] > 0, "there is no overhead at all")
    for way in ("down", "up"):
        check(totals[way] >= totals[way + "_payload"], f"more chunk bytes than bytes {way}: {totals}")
        equal(f"chunk bytes {way} over the peers", sum(peer[way] for peer in status["peers"]), totals[way + "_payload"])
    for name in ("bad_signature", "strikes", "bans"):
        equal(name, status["dropped"][name], 0)
    for name in ("from_edge", "from_web", "repaired_bytes"):
        equal(name, status["chunks"][name], 0)


def check_peers(event, statuses):
    """Each has the two others as peers, and what one says it gave another says it got."""
    addresses = [node.address for node in event.all]
    for own, status in zip(addresses, statuses):
        peers = {peer["address"]: peer for peer in status["peers"]}
        equal("the peers' addresses", set(peers), set(addresses) - {own})
        for address, peer in peers.items():
            other = statuses[addresses.index(address)]
            mirrored = next(one for one in other["peers"] if one["address"] == own)
            # Of two connections made at once one is closed, with what was under way on it.
            check(peer["down"] <= mirrored["up"] <= 1.5 * peer["down"] + BLOCK,
                  f"{address} gave {mirrored['up']} bytes, of which {peer['down']} came")
            equal("source", peer["source"], address == addresses[0])
            equal("transport", peer["transport"], "tcp")
            check(peer["client"].startswith("MS "), f"client is {peer['client']}")
            equal("the rates in a quiet moment", (peer["down_rate"], peer["up_rate"]), (0, 0))
    for payload in ("down_payload", "up_payload"):
        check(sum(status["totals"][payload] for status in statuses) > 0, f"no {payload}")


def check_publisher(status, sizes):
    equal("newest_chunk", status["newest_chunk"], max(sizes))
    equal("chunks.held", status["chunks"]["held"], len(sizes))
    equal("chunks.active", status["chunks"]["active"], len(sizes))
    equal("chunks.from_swarm", status["chunks"]["from_swarm"], 0)
    equal("disk", status["disk"], {"used": sum(sizes.values()), "limit": 0, "failing": False})
    equal("down_payload", status["totals"]["down_payload"], 0)
    check(status["totals"]["up_payload"] >= sum(sizes.values()) - sizes[1], "less than one copy left the publisher")
    equal("uplink", status["uplink"], 0)


def check_chunks(viewer, status, sizes):
    numbers = fetched(viewer)
    size = sum(sizes[number] for number in numbers)
    equal("newest_chunk", status["newest_chunk"], max(sizes))
    for name in ("held", "active", "from_swarm"):
        equal(f"chunks.{name}", status["chunks"][name], len(numbers))
    formation = status["swarm_formation"]
    equal("swarm_formation.count", formation["count"], len(numbers))
    check(0 <= formation["p50"] <= formation["p99"] < status["uptime"], f"swarm_formation is {formation}")
    check(size <= status["totals"]["down_payload"] < 1.5 * size, f"{size} bytes cost {status['totals']}")
    equal("disk.used", status["disk"]["used"], size)
    check(not status["disk"]["failing"], "the disk fails")
    check(0 < status["memory"]["chunks"] <= 64 << 20, f"memory is {status['memory']}")
    return size


def check_playout(status, size, sizes):
    equal("playhead", status["playhead"], {"chunk": max(sizes) + 1, "offset": 0})
    equal("on_time", status["on_time"], {"bytes": size, "late": 0})
    equal("gaps", status["gaps"], {"count": 0, "media_time": 0})
    latency = status["latency"]
    equal("latency.now", latency["now"], 0)  # everything known has been released
    equal("latency.target", latency["target"], 1000 * LATENCY_SECONDS)
    check(0 <= latency["p50"] <= latency["p99"] <= 1000 * CHUNK_SECONDS * len(sizes), f"latency is {latency}")
    media_time = 1000 * CHUNK_SECONDS * len(sizes)
    check(0 < status["buffered"] <= 1000 * LATENCY_SECONDS + media_time, f"buffered is {status['buffered']}")


def check_startup(event, viewer, status, wrote_at):
    """Between what the test did before it and what it saw after it."""
    startup = status["startup"]
    least = (wrote_at - viewer.event("listening")["at"]) * 1000
    most = (viewer.event("state", state="live")["at"] - event.began) * 1000
    check(0 <= int(least) <= startup["link_to_feed"] <= startup["link_to_first_byte"] <= most,
          f"startup is {startup}, seen from outside {least:.0f} to {most:.0f}")


def check_metrics(node):
    """The metrics between two statuses that are alike are those statuses' numbers."""

    def seen():
        before, text, after = node.status(), node.get("/metrics").decode(), node.status()
        paths = [path for path, _ in METRICS.values()]
        is_same = all(at(before, path) == at(after, path) for path in paths)
        return (before, text, after) if is_same else None

    before, text, after = until(seen, 20, "two statuses that are alike")
    values = {name: float(value) for name, value in re.findall(r"^minuteswarm_(\w+) (\S+)$", text, re.M)}
    needed = {*METRICS, "uptime_seconds", "buffered_seconds", "peers", "clients"}
    equal("the set of missing metrics", needed - set(values), set())
    for name, (path, factor) in METRICS.items():
        wanted = at(before, path) * factor
        check(abs(values[name] - wanted) <= 1e-5 * abs(wanted), f"{name} is {values[name]}, {path} {wanted}")
    check(before["uptime"] <= values["uptime_seconds"] * 1000 + 1 and
          values["uptime_seconds"] * 1000 <= after["uptime"] + 1, f"uptime is {values['uptime_seconds']}")
    equal("peers", values["peers"], len(before["peers"]))


def check_clients(viewer, newest):
    """A player that reads the continuous stream: it gets the newest chunk, and is listed with so many bytes."""
    equal("clients", viewer.status()["clients"], [])
    content = newest.read_bytes()
    place = urlsplit(viewer.url)
    player = http.client.HTTPConnection(place.hostname, place.port, timeout=20 * PATIENCE)
    player.request("GET", "/stream.ts")
    address = "%s:%d" % player.sock.getsockname()
    stream = player.getresponse()
    check(stream.read(len(content)) == content, "the stream is not the newest chunk")
    listed = viewer.until_status(lambda status: status["clients"], 10, "lists its player")["clients"]
    equal("clients", listed, [{"output": "/stream.ts", "address": address, "bytes": len(content)}])
    stream.close()
    player.close()
    viewer.until_status(lambda status: not status["clients"], 10, "its player has gone")


def check_all(event, statuses):
    sizes = event.sizes()
    for node, status in zip(event.all, statuses):
        check_shape(status)
        check_identity(event, node, status)
        check_totals(status)
    check_peers(event, statuses)
    check_publisher(statuses[0], sizes)
    for viewer, status in zip(event.viewers, statuses[1:]):
        check_playout(status, check_chunks(viewer, status, sizes), sizes)
    near, far = statuses[1:]
    equal("disk.limit", near["disk"]["limit"], CACHE_SIZE)
    equal("uplink", near["uplink"], UPLINK)
    equal("uplink", far["uplink"], 0)
    check(far["disk"]["limit"] > 0, "the cache has no bound by default")


def test_every_field_of_the_status_is_true(case):
    event = Event(case)
    for status in (node.status() for node in event.viewers):
        equal("state", status["state"], "starting")
        equal("startup", status["startup"], {"link_to_feed": None, "link_to_first_byte": None})
        equal("playhead", status["playhead"], None)
    wrote_at = time.monotonic()
    event.write(0, 0.5)
    statuses = event.settle(3)
    check_all(event, statuses)
    for viewer, status in zip(event.viewers, statuses[1:]):
        check_startup(event, viewer, status, wrote_at)
    for node in event.all:
        check_metrics(node)
    check_clients(event.near, chunk_files(event_folder(event.archive))[-1])
    equal("the publisher's state", event.publisher.status()["state"], "live")

    def has_rates():
        status = event.near.status()
        peers = status["peers"]
        return status["rates"]["down"] > 0 and sum(peer["down_rate"] for peer in peers) > 0

    event.write(0.5, 0.9)
    until(has_rates, 20, "the new chunks show as rates")
    check_all(event, event.settle(7))
    event.write(0.9, 1)
    event.publisher.process.stdin.close()
    for node in event.all:
        node.until_status(lambda status: status["state"] == "ended", 20, "has ended")
    for viewer in event.viewers:
        viewer.wait_exit(60, EXIT_DONE)
        equal("the states", [one["state"] for one in viewer.events("state")], ["starting", "live", "ended"])


def test_a_viewer_whose_source_pauses_is_stalled_and_counts_what_comes_late(case):
    publisher = case.publish("-", "--chunk", str(CHUNK_SECONDS), "--no-edge", stdin=subprocess.PIPE)
    viewer = case.watch(publisher.link, "--no-edge")
    viewer.until_status(lambda status: status["peers"], 20, "has a peer")
    write(publisher, 0, 0.4)
    status = viewer.until_status(lambda status: status["state"] == "stalled", 60, "waits past its deadline")
    viewer.event("state", 10, state="stalled")
    equal("on_time.late", status["on_time"]["late"], 0)
    target = 1000 * (1.5 * CHUNK_SECONDS + 1)  # it follows from the chunks' length
    check(target <= status["latency"]["target"] <= target + 250, f"latency.target is {status['latency']['target']}")
    write(publisher, 0.4, 0.8)
    viewer.until_status(lambda status: status["on_time"]["late"] > 0, 20, "counts late bytes")
    publisher.process.stdin.close()
    viewer.wait_exit(60, EXIT_DONE)
    states = " ".join(one["state"] for one in viewer.events("state"))
    check(re.fullmatch("starting( live stalled)+( live)? ended", states), f"the states are {states}")


def test_the_live_edges_fields_follow_known_traffic(case):
    _, publisher = case.publish_from(media.encoder(60), "--chunk", str(CHUNK_SECONDS))
    near = case.watch(publisher.link)
    far = case.watch(without_peers(publisher.link), peers=[near])
    for viewer in (near, far):
        viewer.until_status(lambda status: status["chunks"]["from_edge"] >= 2, 40, "has chunks that came over the live edge")
    addresses = {node: node.address for node in (publisher, near, far)}
    for viewer in (near, far):
        status = viewer.until_status(lambda status: status["edge"]["state"] == "fed"
                                     and all(stripe["parent"] for stripe in status["edge"]["stripes"]), 20, "has all stripes")
        edge = status["edge"]
        stripes = [stripe["stripe"] for stripe in edge["stripes"]]
        equal("the stripes", stripes, list(range(len(stripes))))
        equal("hops", edge["hops"], max(stripe["hops"] for stripe in edge["stripes"]))
        for stripe in edge["stripes"]:
            check(stripe["parent"] in addresses.values(), f"stripe {stripe['stripe']} comes from {stripe['parent']}")
            check((stripe["parent"] == addresses[publisher]) == (stripe["hops"] == 1), f"hops of {stripe}")
        for peer in status["peers"]:
            equal(f"stripes from {peer['address']}", peer["stripes_from"],
                  [stripe["stripe"] for stripe in edge["stripes"] if stripe["parent"] == peer["address"]])
        equal("blocks that nobody asked for, or forged", (edge["unexpected"], edge["forged"]), (0, 0))
        check(edge["slots_used"] <= edge["slots"] and edge["groups"] <= edge["newest_group"] + 1, f"edge: {edge}")
        sizes = {chunk_number(path): path.stat().st_size for path in chunk_files(event_folder(case.folder / "archive"))}
        whole = sum(sizes.get(number, 0) for number in fetched(viewer)) - status["totals"]["down_payload"]
        check(edge["data_bytes"] + edge["parity_bytes"] >= whole * 0.98, f"{whole} bytes came over the edge, it says {edge}")
        check(0 <= status["delay"]["p50"] <= status["delay"]["p99"] <= 60_000, f"delay: {status['delay']}")
        metrics = viewer.get("/metrics").decode()
        buckets = [float(line.split()[-1]) for line in metrics.splitlines() if "delay_seconds_bucket" in line]
        equal("the histogram's order", buckets, sorted(buckets))
        check(buckets[-1] > 0, "no byte is in the histogram")
        later = viewer.status()
        values = {name: float(value) for name, value in re.findall(r"^minuteswarm_(\w+) (\S+)$", metrics, re.M)}
        counters = {"chunks_from_edge_total": "chunks.from_edge", **{f"edge_{name}_total": f"edge.{name}" for name in EDGE_COUNTERS}}
        for name, path in counters.items():
            check(at(status, path) <= values[name] <= at(later, path), f"{name} is {values[name]}, {path} {at(status, path)} before")
    source = publisher.status()
    equal("the publisher's edge", source["edge"]["state"], "source")
    check(any(peer["stripes_to"] for peer in source["peers"]), "the publisher sends no stripe")


if __name__ == "__main__":
    main()
