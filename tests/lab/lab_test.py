"""The lab: what its lines do to packets, and the program over them."""
import contextlib
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("functional", "bench")]
import figures  # noqa: E402
import media  # noqa: E402
import network  # noqa: E402
import results  # noqa: E402
import run  # noqa: E402
from harness import PATIENCE, Skip, archive_bytes, check, main, until  # noqa: E402

PORT = 7000


def udp(place):
    with place.inside():
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.bind((place.address, PORT))
    end.settimeout(1)
    return end


def send_numbers(sender, receiver, place, count, interval):
    """[(number, seconds on the way)] in order of coming."""
    arrived = []

    def receive():
        while not arrived or arrived[-1][0] != count:
            try:
                number, sent = struct.unpack("!Id", receiver.recv(100))
            except TimeoutError:
                return
            arrived.append((number, time.monotonic() - sent))

    thread = threading.Thread(target=receive)
    thread.start()
    for number in range(count):
        sender.sendto(struct.pack("!Id", number, time.monotonic()), (place.public, PORT))
        time.sleep(interval)
    thread.join()
    return arrived


def test_packets_take_as_long_as_both_lines_say_and_are_lost_as_often(case):
    network.check_possible()
    with network.Network() as net:
        a = net.add("a", network.line("plain", delay=20, loss=0.1))
        b = net.add("b", network.line("plain", delay=10))
        arrived = send_numbers(udp(a), udp(b), b, 1000, 0.002)
    took = [seconds for _, seconds in arrived]
    check(0.86 < len(arrived) / 1000 < 0.94, f"{len(arrived)} of 1000 packets came over a line that loses 10 %")
    check(min(took) >= 0.030, f"a packet took only {min(took) * 1000:.1f} ms")
    check(statistics.median(took) < 0.032 * PATIENCE, f"packets took {statistics.median(took) * 1000:.1f} ms")
    check([number for number, _ in arrived] == sorted(number for number, _ in arrived), "packets overtook each other")
    check(net.result["lost"] == 1000 - len(arrived), f"the wire says {net.result}")


def test_jitter_keeps_the_order_unless_the_line_says_otherwise(case):
    network.check_possible()
    with network.Network() as net:
        a = net.add("a", network.line("plain", delay=5, jitter=30))
        b = net.add("b", network.line("plain"))
        c = net.add("c", network.line("plain", reorder=True))
        sender = udp(a)
        kept, mixed = (send_numbers(sender, udp(place), place, 300, 0.003) for place in (b, c))
    for arrived in (kept, mixed):
        took = [seconds for _, seconds in arrived]
        check(len(arrived) >= 298 and min(took) >= 0.005 and max(took) > 0.025, f"{len(arrived)} packets took {min(took)} to {max(took)} s")
    orders = [[number for number, _ in arrived] for arrived in (kept, mixed)]
    check(orders[0] == sorted(orders[0]), "packets overtook each other")
    check(orders[1] != sorted(orders[1]), "no packet overtook another")


def tcp_rate(sender, receiver, seconds):
    """Payload bits per second that one connection brings over."""
    with receiver.inside():
        listener = socket.create_server((receiver.address, PORT))
    with sender.inside():
        out = socket.create_connection((receiver.public, PORT), 5)
    into = listener.accept()[0]
    into.settimeout(5)
    end = time.monotonic() + 1 + seconds  # a second for TCP to find its pace

    def send():
        with contextlib.suppress(OSError):  # the other end closes
            while time.monotonic() < end:
                out.send(bytes(20_000))

    thread = threading.Thread(target=send)
    thread.start()
    received, began = 0, None
    while time.monotonic() < end:
        size = len(into.recv(65536))
        if time.monotonic() > end - seconds:
            began = began or time.monotonic()
            received += size
    passed = time.monotonic() - began
    into.close()
    thread.join(5)
    return received * 8 / passed


def test_uplink_and_downlink_hold_their_rates(case):
    network.check_possible()
    with network.Network() as net:
        narrow_up = net.add("narrow-up", network.line("dsl", up="2M"))
        narrow_down = net.add("narrow-down", network.line("dsl", up="20M", down="3M"))
        wide = net.add("wide", network.line("fibre"))
        for sender, receiver, bits in ((narrow_up, wide, 2e6), (wide, narrow_down, 3e6)):
            got = tcp_rate(sender, receiver, 3)
            # Headers take 52 of 1500 bytes.
            check(0.8 * bits < got < 0.98 * bits, f"{got / 1e6:.2f} Mbit/s from {sender.name} to {receiver.name}")
        sent = narrow_up.traffic()[0]
        check(sent < 2e6 / 8 * 5, f"{sent} bytes left over 2 Mbit/s within 4 s")


def test_a_line_that_is_cut_passes_nothing_until_it_is_restored(case):
    network.check_possible()
    with network.Network() as net:
        a = net.add("a", network.line("plain", delay=1))
        b = net.add("b", network.line("plain"))
        ends = udp(a), udp(b)

        def answers():
            return bool(send_numbers(*ends, b, 1, 0))

        check(answers(), "nothing passes a line")
        b.cut()
        until(lambda: not answers(), 5, "the line is cut")
        check(not answers() and not answers(), "a cut line passed a packet")
        b.restore()
        until(answers, 5, "the line is there again")
    check(net.result["cut"] >= 2, f"the wire says {net.result}")


def test_behind_nat_answers_come_and_nothing_else(case):
    network.check_possible(nat=True)
    with network.Network() as net:
        inner = net.add("inner", network.line("plain", nat="port-restricted"))
        symmetric = net.add("symmetric", network.line("plain", nat="symmetric"))
        outer = [net.add(f"outer{index}", network.line("plain")) for index in (1, 2)]
        ends = [udp(place) for place in outer]
        for place, is_same in ((inner, True), (symmetric, False)):
            behind = udp(place)
            seen = []
            for end, there in zip(ends, outer):
                behind.sendto(b"out", (there.public, PORT))
                data, address = end.recvfrom(100)
                check(data == b"out" and address[0] == place.public, f"{place.name} is seen as {address}")
                end.sendto(b"back", address)
                check(behind.recv(100) == b"back", f"no answer came to {place.name}")
                seen.append(address[1])
            check((seen[0] == seen[1]) == is_same, f"{place.name} is seen at the ports {seen}")
            with outer[0].inside():
                stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            stranger.sendto(b"uninvited", (place.public, seen[0]))
            behind.settimeout(0.3)
            try:
                check(behind.recv(100) != b"uninvited", f"a stranger's packet came to {place.name}")
            except TimeoutError:
                pass


def test_nothing_is_left_of_a_lab_whose_process_died(case):
    network.check_possible()
    child = os.fork()
    if child == 0:
        net = network.Network().__enter__()
        net.add("a", network.line("plain"))
        os._exit(0)
    os.waitpid(child, 0)
    left = network.leftovers()
    check(any(name.startswith(f"{network.PREFIX}{child}-") for name in left), f"only {left} was left")
    with network.Network():
        check(not network.leftovers(), f"{network.leftovers()} is still there")


def test_the_probe_tells_frames_behind_another_muxer(case):
    """The stream itself passes it unchanged."""
    pictures = media.recording(4)
    sounds = media.made("lab-sounds.mp3", ["-f", "lavfi", "-i", "anoisesrc=seed=1:duration=4", "-c:a", "libmp3lame", "-b:a", "64k"])

    def hashes(path):
        notes = case.folder / "notes"
        passed = media.run([run.PROBE, "-", notes], given=path.read_bytes())
        check(passed == path.read_bytes(), f"{path.name} was changed")
        found = figures.read_notes(notes)[1]
        check([end for *_, end in found] == sorted(end for *_, end in found), "frames end in disorder")
        return [its_hash for _, _, its_hash, _ in found]

    for source, frames in ((pictures, 4 * 30), (sounds, 4 * 48000 / 1152)):
        wanted = hashes(source)
        check(abs(len(wanted) - frames) <= 3 and len(set(wanted)) == len(wanted), f"{len(wanted)} frames in {source.name}")
        again = case.folder / "again.ts"
        media.run([*media.FFMPEG, "-i", source, "-c", "copy", "-output_ts_offset", "500", "-f", "mpegts", again])
        told = hashes(again)
        check(set(told) <= set(wanted) and len(told) >= len(wanted) - 2, f"{len(told)} of {len(wanted)} frames are told again")


def test_every_scenario_names_lines_and_places_that_there_are(_):
    check({"home", "56k", "churn", "source-drop", "nat", "lossy", "crowd"} <= set(run.names()), f"only {run.names()}")
    for name in run.names():
        plan = run.scenario(name)
        lines = [run.line_of(spec) for spec in (plan["source"], *plan["viewers"])]
        check(all(line.nat in ("none", *network.MASQUERADE) for line in lines), f"{name}: an unknown kind of NAT")
        ups = [network.rate(run.line_of(spec).up) for spec in plan["viewers"] for _ in range(spec["count"])]
        check(sum(ups) / len(ups) >= 1.5 * network.rate(plan["stream"]["rate"]), f"{name}: too little uplink for all")
        names = {"source", *(f"viewer{index:02}" for index in range(len(ups)))}
        check(all(event["place"] in names for event in plan.get("events", ())), f"{name}: an event at no place")
        check({*plan} <= {"about", "stream", "latency", "lead", "settle", "seconds", "told", "source", "viewers", "arrivals", "events", "bars"},
              f"{name}: {[*plan]}")


def lines_of(name):
    """The source's first."""
    plan = run.scenario(name)
    return [run.line_of(plan["source"]), *(run.line_of(spec) for spec in plan["viewers"] for _ in range(spec["count"]))]


def test_scenarios_are_as_hard_as_they_are_said_to_be(_):
    """Viewers, latency, times the bitrate that they can send at least, and bars."""
    share = "continuity_percent"
    wanted = {
        "home": (24, 3, 1.5, {share: 99.9, "latency_p99_s": 2, "source_upload_times_bitrate": 2}),
        "56k": (60, 8, 1.5, {share: 99.5, "source_upload_of_line": 1}),
        "churn": (20, 3, 1.5, {"whole_stalls_per_viewer_hour": 1}),
        "source-drop": (12, 8, 1.5, {"stalls_per_viewer_hour": 0}),
        "nat": (24, 3, 2, {share: 99.9, "served_percent": 100}),
        "lossy": (12, 5, 1.5, {share: 99.5}),
        "crowd": (30, 3, 1.5, {"first_byte_p95_s": 3}),
    }
    for name, (viewers, latency, mean, bars) in wanted.items():
        plan = run.scenario(name)
        rate = network.rate(plan["stream"]["rate"])
        ups = [network.rate(run.line_of(spec).up) for spec in plan["viewers"] for _ in range(spec["count"])]
        check((len(ups), plan["latency"]) == (viewers, latency), f"{name}: {len(ups)} viewers, {plan['latency']} s")
        check(sum(ups) / len(ups) >= mean * rate, f"{name}: {sum(ups) / len(ups) / rate} bitrates of uplink")
        got = {figure: next(iter(bar.values())) for figure, bar in plan["bars"].items()}
        check(bars.items() <= got.items(), f"{name}: bars {got}")
        check(plan["settle"] <= (60 if name == "56k" else 30) and plan["seconds"] >= 40, f"{name}: a shorter or later look")
    check(network.rate(run.line_of(run.scenario("home")["source"]).up) == 2e6, "home: the source's line")
    check(run.line_of(run.scenario("56k")["source"]).up == "56k", "56k: the source's line")
    check(all(line.loss >= 0.02 and line.jitter >= 30 for line in lines_of("lossy")), "lossy: a better line")
    source, *viewers = lines_of("nat")
    public = [line for line in viewers if line.nat == "none"]
    check({line.nat for line in viewers} == {"none", "port-restricted"} and len(public) * 3 <= len(viewers), "nat: too many without")
    check(all(network.rate(line.up) >= 3e6 for line in public) and source.nat == "none", "nat: too little of the public ones")
    source, *viewers = lines_of("home")
    trips = [2 * (one.delay + other.delay) for one in viewers for other in viewers]
    check(min(trips) <= 12 and 70 <= max(trips) <= 80, f"home: round trips of {min(trips)} to {max(trips)} ms")
    check(all(line.loss >= 0.0005 for line in (source, *viewers)), "home: a better line")
    ups = [network.rate(line.up) for line in viewers]
    check((min(ups), max(ups)) == (0.3e6, 4e6), f"home: uplinks of {min(ups)} to {max(ups)}")
    check(2 * (lines_of("56k")[0].delay + min(line.delay for line in lines_of("56k")[1:])) >= 140, "56k: a shorter round trip")
    check(run.scenario("churn")["arrivals"]["stay"] == 60, "churn: they stay longer")
    check([(event["place"], event["cut"]) for event in run.scenario("source-drop")["events"]] == [("source", 5)], "source-drop: the cut")
    check(run.scenario("crowd")["arrivals"]["within"] <= 3, "crowd: they take longer")


def test_who_is_not_root_is_told_so(_):
    said = subprocess.run([sys.executable, "-c", "import sys; sys.path[:0] = sys.argv[1:]; import os, network\n"
                           "if os.geteuid() == 0:\n os.setuid(65534)\n"
                           "try:\n network.check_possible()\nexcept network.Skip as reason:\n print(reason)", *sys.path],
                          capture_output=True, text=True, check=False).stdout
    check("needs root" in said, f"it says {said!r}")


def test_a_report_holds_its_pictures_and_names_a_missed_bar(case):
    python = next((one for one in (sys.executable, "/usr/bin/python3")
                   if subprocess.run([one, "-c", "import matplotlib"], capture_output=True, check=False).returncode == 0), None)
    if not python:
        raise Skip("needs matplotlib")
    ours = {"about": "Two", "system": "minuteswarm", "viewers": [{"place": "viewer00", "nat": "none"}], "places": {"source": "1M", "viewer00": "1M"},
            "figures": {"scenario_latency_s": 3, "stream_bits_per_second": 1e6, "continuity_percent": 99.0, "first_byte_p95_s": "never"},
            "bars": {"continuity_percent": {"value": 99.0, "least": 99.9, "met": False}}, "behind_nat": ["viewer00"],
            "latency_over_time": [[0, 0.5, 0.9, 1.0], [1, 0.5, None, 1.0]], "quantiles": [[0.5, 0.5], [0.99, 0.9]],
            "uploads": [[0, 1, 1.1]], "feeding": [["source", "viewer00", 8]], "events": [[0.5, "source is cut"]]}
    folder = case.folder / "report"
    folder.mkdir()
    (folder / "pair.json").write_text(json.dumps(ours))
    (folder / "pair.hls.json").write_text(json.dumps({**ours, "system": "HLS", "bars": {}, "feeding": []}))
    subprocess.run([python, Path(__file__).with_name("report.py"), folder], check=True, capture_output=True)
    page, text = ((folder / f"report.{kind}").read_text() for kind in ("html", "md"))
    check(page.count("src='data:image/png;base64,") == 4 and "src='http" not in page, "the page does not hold its pictures")
    check(len([*folder.glob("pair-*.png")]) == 4, "there are not four pictures")
    check("| pair | 3 | HLS |" in text and "missed: continuity_percent 99, bar least 99.9" in text, text)


def test_a_viewer_plays_over_the_lab_and_outlives_a_cut(case):
    run.prepare()
    smoke = run.Run(case, run.scenario("smoke"), run.Swarm)
    smoke.go()
    smoke.read()
    found = results.of(smoke)
    seen = found["figures"]
    check(found["bars"]["delivered_percent"]["met"], f"{seen['delivered_percent']} % came")
    check(not any(row["whole_stalls"] or row["whole_gaps"] for row in found["viewers"]), f"it did not play on: {found['viewers']}")
    check(seen["ended_by_themselves"] == 0, "a viewer ended")
    check(seen["latency_p50_s"] > 0.050, f"bytes took {seen['latency_p50_s']} s over 50 ms of lines")
    worst = max(row[2] for row in found["latency_over_time"])
    check(0.5 < worst < 5.0, f"the cut of half a second made bytes {worst} s late")
    check(0.9 < seen["source_upload_times_bitrate"] < 2, f"the source sent {seen['source_upload_times_bitrate']} times the stream")
    check(found["feeding"] and all(edge[:2] == ["source", "viewer00"] for edge in found["feeding"]), f"who fed whom: {found['feeding']}")
    check(smoke.wire["cut"] > 0 and smoke.wire["overflow"] == 0, f"the wire says {smoke.wire}")
    played = smoke.sittings[0].copy.read_bytes()
    check(played and played[:100_000] in archive_bytes(case.folder / "archive"), "what was played is not what was sent")


def test_two_behind_nat_feed_each_other(case):
    """The source's line does not carry the stream twice, and no viewer can be dialled."""
    run.prepare(nat=True)
    hidden = {"line": "cable", "up": "2M", "nat": "port-restricted"}
    plan = {"about": "Two behind NAT", "latency": 3, "lead": 1, "settle": 10, "seconds": 5, "stream": {"rate": "500k", "chunk": 2},
            "source": {"line": "cable", "up": "1M"}, "viewers": [{"count": 2, **hidden}]}
    pair = run.Run(case, plan, run.Swarm)
    pair.go()
    pair.read()
    addresses = [place.public for place in pair.places]
    for sitting, other in zip(pair.sittings, reversed(addresses)):
        peers = {peer["address"].rsplit(":", 1)[0]: peer["transport"] for peer in sitting.status["peers"]}
        check(peers == {pair.source.public: "tcp", other: "utp"}, f"{sitting.at.name} knows {peers}")
    seen = results.of(pair)["figures"]
    check(seen["delivered_percent"] == 100, f"{seen['delivered_percent']} % came")


if __name__ == "__main__":
    main()
