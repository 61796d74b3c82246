"""Runs a scenario of tests/lab/scenarios with real processes in a network of namespaces, and says what came of it.

A scenario names the stream, the source's line, the viewers' lines (lines.toml, with changes), how viewers come and go, what
happens to lines, and the bars. The first viewer comes `lead` seconds after the first chunk was closed; `seconds` are measured,
from `settle` seconds after that. Each program is told of `told` of its line's uplink (TOLD).
"""
import contextlib
import itertools
import json
import math
import sched
import signal
import subprocess
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor

import edge
import figures
import media
import measure
import network
from harness import QUIET, Failure, Node, Publisher, check, need

SCENARIOS = network.FOLDER / "scenarios"
PROBE = network.TOOLS / "lab_probe"
LEAD = 5.0    # seconds from the first chunk's end to the first viewer
SAMPLE = 2.0  # seconds between looks at traffic and processes
TOLD = 0.97
UNLIKE = 300  # seconds of stream until a frame is like another; more than the latest comes behind
FIRST_PORT = 8000
PACKETS_TO_START = 100  # among which ffprobe looks for the first picture


def scenario(name):
    return tomllib.loads((SCENARIOS / f"{name}.toml").read_text())


def names():
    return sorted(path.stem for path in SCENARIOS.glob("*.toml"))


def line_of(spec):
    return network.line(spec["line"], **{key: value for key, value in spec.items() if key not in ("count", "line")})


def is_radio(plan):
    return plan["stream"].get("kind") == "radio"


def encoder(plan):
    """A command that sends a stream in real time, again and again: no two frames of as long as anybody may lag behind are alike."""
    need("ffmpeg")
    bits = network.rate(plan["stream"]["rate"])
    if is_radio(plan):
        name = f"lab-radio-{int(bits)}-{UNLIKE}s.mp3"
        file = media.made(name, ["-f", "lavfi", "-i", f"anoisesrc=seed=1:amplitude=0.3:duration={UNLIKE}", "-ac", "1", "-ar", "24000", "-c:a", "libmp3lame",
                                 "-b:a", str(int(bits)), "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3"])
        output = ["-write_xing", "0", "-id3v2_version", "0", "-f", "mp3"]
    else:
        file, output = edge.picture(bits, seconds=UNLIKE), ["-f", "mpegts"]
    return [*media.FFMPEG, "-re", "-stream_loop", "-1", "-i", file, "-c", "copy", "-flush_packets", "1", *output, "pipe:1"]


class Swarm:
    """minuteswarm at every place. Other systems in `rivals.py` have the same four functions."""
    title = "minuteswarm"
    options = ()
    has_bars = True
    latency = None  # that viewers ask for; the scenario's if it is none
    skips = True    # what does not come is left out
    patience = 1  # seconds after which nothing more of what was measured is waited for, beyond the latency asked for

    def __init__(self, case, plan, source):
        self.case, self.plan, self.source = case, plan, source
        self.publisher = None

    def _start(self, place, command, name, kind, port, **streams):
        told = int(network.rate(place.line.up) * self.plan.get("told", TOLD))
        with place.inside():
            return self.case.node([*command, "--json", "--listen", f"{place.address}:0", *QUIET, "--uplink", str(told),
                                   "--http", f"127.0.0.1:{port}", *self.options], name, kind, **streams)

    def publish(self, stream):
        """Starts the source, which reads the stream; returns its process when viewers may come."""
        command = ["publish", "-", "--key", self.case.folder / "channel.key", "--archive", self.case.folder / "archive",
                   "--chunk", str(self.plan["stream"].get("chunk", 4))]
        self.publisher = self._start(self.source, command, "publisher", Publisher, FIRST_PORT - 1, stdin=stream)
        self.publisher.chunk(1)
        return self.publisher

    def link(self):
        return self.publisher.link

    def watch(self, place, number):
        """A viewer's process (or none but the player) and the stream that its player opens."""
        port = FIRST_PORT + number
        node = self._start(place, ["watch", self.link(), "--latency", str(self.latency or self.plan["latency"])], "viewer", Node, port)
        return node, f"http://127.0.0.1:{port}/stream.{'mp3' if is_radio(self.plan) else 'ts'}"

    def status(self, place, node):
        """None of one that does not answer."""
        with place.inside(), contextlib.suppress(OSError, Failure):
            return json.loads(node.get("/api/status"))
        return None


class Sitting(figures.Session):
    """A viewer's session with its processes."""

    def __init__(self, place, number):
        super().__init__(place.name, time.monotonic(), math.inf)
        self.at, self.number = place, number
        self.node = self.player = self.status = None
        self.is_away = False
        self.cpu = []  # (time, seconds of processor)
        self.resident = 0


class Run:
    """One scenario, once."""

    def __init__(self, case, plan, system):
        self.case, self.plan = case, plan
        self.system_type = system
        self.sittings, self.samples, self.events = [], [], []
        self.source_cpu, self.source_resident = [], 0
        self.numbers = itertools.count()

    def go(self):
        """Everything from the first namespace to the last process; figures are read afterwards."""
        self.net = network.Network()
        with self.net:
            self.source = self.net.add("source", line_of(self.plan["source"]))
            specs = [spec for spec in self.plan["viewers"] for _ in range(spec["count"])]
            self.net.random.shuffle(specs)
            self.places = [self.net.add(f"viewer{index:02}", line_of(spec)) for index, spec in enumerate(specs)]
            self.system = self.system_type(self.case, self.plan, self.source)
            self.captured = self.case.folder / "captured"
            sender = self.case.run(encoder(self.plan), "encoder", stdout=subprocess.PIPE)
            tee = self.case.run([PROBE, "-", self.captured], "tee", stdin=sender.process.stdout, stdout=subprocess.PIPE)
            self.publisher = self.system.publish(tee.process.stdout)
            for process in (sender, tee):
                process.process.stdout.close()
            self._play()
            for process in self.case.started:
                process.kill()
            self.overruns = self.source.overruns()
        self.wire = self.net.result
        check(self.wire, "lab_wire ended early")

    def _play(self):
        agenda = sched.scheduler(time.monotonic)
        self.agenda = agenda
        start = time.monotonic() + self.plan.get("lead", LEAD)
        self.begin = start + self.plan["settle"]
        self.end = self.begin + self.plan["seconds"]
        within = self.plan.get("arrivals", {}).get("within", 0)
        for index, place in enumerate(self.places):
            agenda.enterabs(start + within * index / len(self.places), 1, self._arrive, (place,))
        for event in self.plan.get("events", ()):
            place = next(place for place in (self.source, *self.places) if place.name == event["place"])
            agenda.enterabs(self.begin + event["at"], 0, self._happen, (f"{place.name} is cut", place.cut))
            agenda.enterabs(self.begin + event["at"] + event["cut"], 0, self._happen, (f"{place.name} is back", place.restore))
        agenda.enterabs(self.begin, 2, self._mark, ("busy_from",))
        agenda.enterabs(self.end, 2, self._mark, ("busy_to",))
        # What was captured at the end still has to come.
        agenda.enterabs(self.end + self.plan["latency"] + self.system.patience, 3, self._finish)
        self.is_over = threading.Event()
        watcher = threading.Thread(target=self._watch_processes, daemon=True)
        watcher.start()
        try:
            agenda.run()
        finally:
            self.is_over.set()
            watcher.join()

    def _mark(self, name):
        """Ticks of all cores, those idle, and the wire's seconds so far."""
        setattr(self, name, (*measure.processor_ticks(), self.net.wire_seconds()))

    def _happen(self, what, action):
        action()
        self.events.append((time.monotonic(), what))

    def _arrive(self, place):
        sitting = Sitting(place, next(self.numbers))
        sitting.node, url = self.system.watch(place, sitting.number)
        sitting.notes, sitting.copy = (self.case.folder / f"{kind}{sitting.number}" for kind in ("notes", "copy"))
        with place.inside():
            sitting.player = self.case.run([PROBE, url, sitting.notes, sitting.copy], "player")
        self.sittings.append(sitting)
        stay = self.plan.get("arrivals", {}).get("stay")
        leave = sitting.began + self.net.random.expovariate(1 / stay) if stay else math.inf
        if leave < self.end:
            self.agenda.enterabs(leave, 1, self._leave, (sitting,))

    def _leave(self, sitting):
        is_killed = self.net.random.random() < self.plan["arrivals"].get("killed", 0)
        sitting.status = self.system.status(sitting.at, sitting.node) if sitting.node else None
        sitting.ended, sitting.is_away = time.monotonic(), True
        for process in (sitting.node, sitting.player):
            if process and process.is_running():
                process.process.send_signal(signal.SIGKILL if is_killed else signal.SIGINT)
        self.agenda.enter(0, 1, self._arrive, (sitting.at,))  # another viewer, in its place

    def _finish(self):
        staying = [sitting for sitting in self.sittings if not sitting.is_away]
        self.fallen = [sitting.node.name for sitting in staying if sitting.node and not sitting.node.is_running()]
        for sitting in staying:
            sitting.ended = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            asked = [one for one in staying if one.node and one.node.is_running()]
            for sitting, status in zip(asked, pool.map(lambda one: self.system.status(one.at, one.node), asked)):
                sitting.status = status
        self.source_status = self.system.status(self.source, self.publisher)

    def _watch_processes(self):
        """Samples until all is over; the last ones in each are those of the end."""
        while True:
            now = time.monotonic()
            traffic = {place.name: place.traffic() for place in (self.source, *self.places)}
            present = [sitting for sitting in list(self.sittings) if not sitting.is_away]
            self.samples.append((now, len(present), traffic))
            with contextlib.suppress(OSError):
                self.source_cpu.append((now, measure.cpu_seconds(self.publisher.pid)))
                self.source_resident = measure.resident_bytes(self.publisher.pid)
            for sitting in present:
                with contextlib.suppress(OSError):
                    process = sitting.node or sitting.player
                    sitting.cpu.append((now, measure.cpu_seconds(process.pid)))
                    sitting.resident = max(sitting.resident, measure.resident_bytes(process.pid))
            if self.is_over.wait(SAMPLE):
                return

    @property
    def asked(self):
        """How far behind its players are told to play, or the scenario's latency."""
        return self.system.latency or self.plan["latency"]

    def read(self):
        """What players wrote down, put beside what the encoder sent."""
        _, notes = figures.read_notes(self.captured)
        check(notes, "the encoder sent nothing")
        self.captures = figures.Captures(notes)
        for sitting in self.sittings:
            sitting.first, came = figures.read_notes(sitting.notes)
            arrivals = self.captures.arrivals(came)
            sitting.behind = sitting.first - self.captures.times[min(arrivals)] if arrivals else 0.0
            sitting.whole = self.captures.counted(sitting, arrivals, -math.inf, self.end, max(self.asked, sitting.behind))
            sitting.frames = [frame for frame in sitting.whole if frame.captured >= self.begin]
            sitting.first_picture = self._first_picture(sitting, came)
        within = [note for note in notes if self.begin <= note[0] <= self.end]
        check(len(within) > 1, "the encoder sent nothing while it was measured")
        self.bits = (within[-1][3] - within[0][3]) * 8 / (within[-1][0] - within[0][0])

    def _first_picture(self, sitting, came):
        """When the bytes were there of the first picture (or sound) that ffprobe decodes."""
        frames = None
        if not came:
            return None
        with contextlib.suppress(Failure):  # of what has too little to decode
            frames = json.loads(media.run(["ffprobe", "-v", "quiet", "-select_streams", "a:0" if is_radio(self.plan) else "v:0", "-read_intervals",
                                           f"%+#{PACKETS_TO_START}", "-show_entries", "frame=pkt_pos", "-of", "json", sitting.copy])).get("frames")
        if not frames:
            return None
        at = int(frames[0].get("pkt_pos", 0))
        return next((time_there for time_there, _, _, end in came if end > at), None)


def prepare(nat=False):
    """Raises what stands in the way of a lab here."""
    network.check_possible(nat)
    for tool in ("lab_wire", "lab_probe"):
        check((network.TOOLS / tool).exists(), f"{network.TOOLS / tool} is not built")
