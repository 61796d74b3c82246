"""Runs the program for the functional tests, the demonstration and the bench.

Everything they assume about the program's command line, its JSON events and its status stands in this file.
A test file is a program: its functions named test_… take a `Case` and are run in order, or those named on the
command line alone. Exit code 0 is passed, 1 failed, 77 skipped (after a line `SKIPPED: reason`).
"""
import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("MINUTESWARM", ROOT / "build/dev/cli/minuteswarm")).resolve()
BUILD = Path(os.environ.get("MINUTESWARM_BUILD", PROGRAM.parent.parent)).resolve()
# Sanitizers and busy machines make everything slower; no test is about how long a wait took.
PATIENCE = float(os.environ.get("MINUTESWARM_PATIENCE", "1"))
# CTest ends a test after so many seconds; ending it a little before leaves time to say where it was.
TIMEOUT = int(os.environ.get("MINUTESWARM_TIMEOUT", "0"))

QUIET = ("--no-dht", "--no-lsd", "--no-port-mapping")
LOOPBACK = ("--listen", "127.0.0.1:0", *QUIET)
HTTP = ("--http", "127.0.0.1:0")
EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
SKIP_CODE = 77
REPORT_SECONDS = 10
CRASH = re.compile(
    r".*(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|terminate called|Assertion .* failed).*")


class Failure(Exception):
    """What a test expected and did not get."""


class Skip(Exception):
    """Why a test can't run here."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def until(question, seconds, what, interval=0.05):
    """The first true answer to `question`; what it waits for is named when it never comes."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failure(f"waited {seconds * PATIENCE:.0f} s in vain for: {what}")
        time.sleep(interval)


def need(command):
    found = shutil.which(command)
    if not found:
        raise Skip(f"{command} is not installed")
    return found


def free_port():
    """A port for a foreign program that can't be asked which one it took; ours always get port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url, headers=None, seconds=10):
    """Body of a GET; raises urllib.error.HTTPError for 4xx and 5xx."""
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=seconds * PATIENCE) as reply:
        return reply.read()


def die_with_parent():
    """Runs in a new child: a test that is killed leaves nothing behind. Where the test runs in the background, a shell may have
    told it to ignore SIGINT, and the child would, too."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Process:
    """Any program, its output kept in files of the case's folder."""

    def __init__(self, name, command, folder, stdin=subprocess.DEVNULL, stdout=None, environment=None):
        self.name = name
        self.command = [str(word) for word in command]
        self.error_path = Path(folder) / f"{name}.stderr"
        self.output_path = Path(folder) / f"{name}.stdout"
        with open(self.error_path, "ab") as errors, open(self.output_path, "ab") as output:
            self.process = subprocess.Popen(
                self.command, stdin=stdin, stdout=output if stdout is None else stdout, stderr=errors,
                cwd=folder, env={**os.environ, **(environment or {})}, preexec_fn=die_with_parent)

    @property
    def pid(self):
        return self.process.pid

    @property
    def errors(self):
        return self.error_path.read_text(errors="replace")

    @property
    def output(self):
        return self.output_path.read_text(errors="replace")

    def is_running(self):
        return self.process.poll() is None

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def kill(self):
        """SIGKILL: no chance to tidy up."""
        if self.is_running():
            self.process.kill()
        self.process.wait()

    def terminate(self):
        """Asks it to end, for tidying up."""
        if self.is_running():
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()

    def make_end(self):
        """Waits a while for one that was asked to end; nothing is checked."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.kill()

    def stop(self):
        self.terminate()
        self.make_end()

    def wait_exit(self, seconds, code=None):
        try:
            got = self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs after {seconds * PATIENCE:.0f} s") from None
        if code is not None and got != code:
            raise Failure(f"{self.name} ended with {got} instead of {code}: {self.errors[-600:].strip()}")
        return got

    def report(self):
        lines = self.errors.splitlines()[-12:]
        state = "runs" if self.is_running() else f"exit code {self.process.returncode}"
        return "\n".join([f"--- {self.name} ({state}): {' '.join(self.command)}"[:400], *lines])


def parse_event(line):
    with contextlib.suppress(ValueError):
        event = json.loads(line)
        if isinstance(event, dict):
            return event
    return {"event": "not JSON", "line": line.decode(errors="replace")}


class Node(Process):
    """minuteswarm with --json: its events as they come.

    link (link) · listening (address) · http (url) · state (state: starting, live, stalled, ended) ·
    chunk (number: closed by the publisher, complete at a viewer) · notice (message) · warning (message) · end
    """

    def __init__(self, name, arguments, folder, stdin=subprocess.DEVNULL, media=None, environment=None):
        command = [PROGRAM, *arguments]
        super().__init__(name, command, folder, stdin, subprocess.PIPE if media is None else media, environment)
        self._events = []
        self._changed = threading.Condition()
        self._reader = None
        if media is None:
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()

    def _read(self):
        with open(self.output_path, "ab") as kept:
            for line in self.process.stdout:
                kept.write(line)
                kept.flush()
                self._add(parse_event(line))
        self._add({"event": "closed"})

    def _add(self, event):
        event["at"] = time.monotonic()  # when it was read, for the bench
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def events(self, name=None):
        with self._changed:
            return [event for event in self._events if name is None or event.get("event") == name]

    def event(self, name, seconds=20, **wanted):
        """Waits for an event of this name; keyword arguments are values, or functions that judge them."""

        def matches(event):
            return event.get("event") == name and all(
                judge(event.get(key)) if callable(judge) else event.get(key) == judge
                for key, judge in wanted.items())

        end = time.monotonic() + seconds * PATIENCE
        seen = 0
        with self._changed:
            while True:
                for event in self._events[seen:]:
                    if matches(event):
                        return event
                    if event.get("event") == "closed":
                        raise Failure(f"{self.name} ended before '{name}': {self.errors[-600:].strip()}")
                seen = len(self._events)
                left = end - time.monotonic()
                if left <= 0:
                    raise Failure(f"{self.name} gave no event '{name}' within {seconds * PATIENCE:.0f} s")
                self._changed.wait(left)

    @property
    def url(self):
        """Address of its local HTTP server, with the slash at the end."""
        return self.event("http")["url"]

    @property
    def address(self):
        """host:port other peers can dial."""
        return self.event("listening")["address"]

    def get(self, path, headers=None):
        return get(self.url + path.lstrip("/"), headers)

    def status(self):
        return json.loads(self.get("/api/status"))

    def until_status(self, question, seconds, what):
        """Waits until `question` is true of the status, which it returns."""

        def ask():
            if not self.is_running():
                raise Failure(f"{self.name} ended before: {what}: {self.errors[-600:].strip()}")
            with contextlib.suppress(OSError):
                status = self.status()
                return status if question(status) else None

        return until(ask, seconds, f"{self.name}: {what}")

    def chunk(self, number, seconds=30):
        """Waits for this chunk or a later one: closed by a publisher, complete at a viewer."""
        return self.event("chunk", seconds, number=lambda got: got is not None and got >= number)


class Publisher(Node):
    @property
    def link(self):
        return self.event("link")["link"]


class Case:
    """One test: a folder of its own, and everything started in it, ended with it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.started = []
        self.are_apart = False  # see loopback
        self.hosts = 0
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        self.environment = {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"),
                            "XDG_CACHE_HOME": str(home / "cache"), "XDG_CONFIG_HOME": str(home / "config")}

    def keep(self, process):
        self.started.append(process)
        return process

    def _name(self, wish):
        taken = sum(process.name.rstrip("0123456789") == wish for process in self.started)
        return f"{wish}{taken + 1}"

    def run(self, command, name="program", stdin=subprocess.DEVNULL, stdout=None):
        """Starts a foreign program."""
        return self.keep(Process(self._name(name), command, self.folder, stdin, stdout, self.environment))

    def node(self, arguments, name="minuteswarm", kind=Node, **options):
        return self.keep(kind(self._name(name), arguments, self.folder, environment=self.environment, **options))

    def once(self, *arguments, seconds=60, code=None, stdin=subprocess.DEVNULL):
        """Runs minuteswarm to its end, without --json."""
        process = self.keep(Process(self._name("once"), [PROGRAM, *arguments], self.folder, stdin,
                                    environment=self.environment))
        process.wait_exit(seconds, code)
        return process

    def loopback(self):
        """Where the next node listens. Nodes apart have an address each, and so, as hosts do, ports of their own: the kernel
        looks for a free one of an address for a long time once thousands of its connections have just ended."""
        if not self.are_apart:
            return LOOPBACK
        self.hosts += 1
        return ("--listen", f"127.0.{1 + self.hosts // 250}.{1 + self.hosts % 250}:0", *QUIET)

    def publish(self, source, *options, archive="archive", stdin=subprocess.DEVNULL, key="channel.key"):
        return self.node(["publish", source, "--json", "--key", self.folder / key, "--archive", self.folder / archive,
                          *self.loopback(), *HTTP, *options], "publisher", Publisher, stdin=stdin)

    def publish_from(self, encoder_command, *options, **places):
        """An encoder's standard output piped into `publish -`; returns both."""
        encoder = self.run(encoder_command, "encoder", stdout=subprocess.PIPE)
        publisher = self.publish("-", *options, stdin=encoder.process.stdout, **places)
        encoder.process.stdout.close()
        return encoder, publisher

    def watch(self, link, *options, peers=()):
        return self.node(["watch", link, "--json", *self.loopback(), *HTTP, *peer_options(peers), *options], "viewer")

    def seed(self, *arguments):
        return self.node(["seed", *arguments, "--json", *self.loopback(), *HTTP], "seeder", Publisher)

    def end(self):
        for process in reversed(self.started):
            process.terminate()
        for process in self.started:
            process.make_end()

    def check_conduct(self):
        """Nothing crashed unseen, and --json wrote nothing but JSON."""
        for process in self.started:
            crash = CRASH.search(process.errors)
            check(not crash, f"{process.name}: {crash and crash.group(0)}")
            if isinstance(process, Node):
                other = process.events("not JSON")
                check(not other, f"{process.name} writes to standard output: {other and other[0]['line']}")

    def report(self):
        return "\n".join(process.report() for process in self.started)


def peer_options(nodes):
    """--peer for each node (or host:port) given."""
    addresses = [node if isinstance(node, str) else node.address for node in nodes]
    return [word for address in addresses for word in ("--peer", address)]


def without_peers(link):
    """The link as somebody has it who knows no address."""
    return re.sub(r"&x\.pe=[^&]*", "", link)


def event_folder(archive):
    """The one event below an archive folder."""
    found = sorted(path.parent for path in Path(archive).glob("*/feed"))
    check(len(found) == 1, f"{archive} holds {len(found)} events instead of one")
    return found[0]


def chunk_number(path):
    return int(re.search(r"-(\d+)\.\w+$", Path(path).name).group(1))


def chunk_files(folder):
    """An event's closed chunks in order."""
    files = [path for path in (Path(folder) / "chunks").iterdir() if ".part" not in path.suffixes]
    return sorted(files, key=chunk_number)


def archive_bytes(archive):
    return b"".join(path.read_bytes() for path in chunk_files(event_folder(archive)))


def check_tail(output, archive, least=1):
    """The file is the end of the archive's bytes, from a random access point on; returns the chunk it began in."""
    files = chunk_files(event_folder(archive))
    got = Path(output).read_bytes()
    name = Path(output).name
    check(got, f"{name} is empty")
    whole = b"".join(path.read_bytes() for path in files)
    check(whole.endswith(got), f"{name} ({len(got)} bytes) is not how the archive ({len(whole)} bytes) ends")
    begin = len(whole) - len(got)
    for index, path in enumerate(files):
        if begin < path.stat().st_size:
            break
        begin -= path.stat().st_size
    check(begin == 0 or is_program_table(got), f"{name} begins within chunk {chunk_number(path)}, at no random access point")
    check(len(files) - index >= least, f"{name} holds only {len(files) - index} chunks")
    return chunk_number(path)


def is_program_table(packets):
    """Whether MPEG-TS begins with an SDT or a PAT, as a random access point inside a chunk does."""
    return packets[0] == 0x47 and (packets[1] & 0x1F, packets[2]) in ((0, 0x11), (0, 0))


def give_up(*_):
    raise Failure(f"not done after {TIMEOUT - REPORT_SECONDS} s")


def run_case(name, test):
    folder = tempfile.mkdtemp(prefix=f"minuteswarm-{name}-")
    case = Case(folder)
    started = time.monotonic()
    outcome = "failed"
    if TIMEOUT:
        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(TIMEOUT - REPORT_SECONDS)
    try:
        test(case)
        case.check_conduct()
        outcome = "ok"
    except Skip as reason:
        outcome = "skipped"
        print(f"SKIPPED: {reason}")
    except Exception as error:  # noqa: BLE001: whatever went wrong, the next case still runs
        print(f"{name}: {error}" if isinstance(error, Failure) else traceback.format_exc())
        print(case.report())
    finally:
        signal.alarm(0)
        case.end()
    print(f"{outcome}  {name}  ({time.monotonic() - started:.1f} s)", flush=True)
    if outcome == "failed" and "MINUTESWARM_KEEP" in os.environ:
        print(f"kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def main():
    """Runs the calling file's tests and ends the process with what came of them."""
    tests = {name: value for name, value in vars(sys.modules["__main__"]).items() if name.startswith("test_")}
    unknown = [name for name in sys.argv[1:] if name not in tests]
    if unknown or not PROGRAM.exists():
        print(f"no test {unknown[0]}" if unknown else f"{PROGRAM} is not built")
        sys.exit(1)
    outcomes = [run_case(name, tests[name]) for name in sys.argv[1:] or tests]
    if "failed" in outcomes:
        sys.exit(1)
    sys.exit(0 if "ok" in outcomes else SKIP_CODE)
