"""A network of namespaces on this machine: a namespace for each place, joined in the middle by `lab_wire`.

  place ── line (tbf: uplink) ══ veth ══ (tbf: downlink) ── middle ── TUN ── lab_wire: delay, jitter, loss, order

Behind NAT a place has a gateway, a namespace of its own, whose line it is. The two ends of a line have one hardware address
and no ARP, so that nothing but the place's packets uses its rate; offloading is off, so that what is shaped and lost is
packets of at most 1500 bytes. Addresses are those for benchmarks (RFC 2544): to BitTorrent programs they are not a home's.
No address leaves these namespaces. A place's own kernel sees the queue of its uplink, as where a modem is part of the computer.
Needs root. All of it ends with the `with` block; what a killed process left is removed by the next one.
"""
import contextlib
import ctypes
import json
import os
import random
import signal
import subprocess
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import measure
from harness import BUILD, Failure, Skip, check, die_with_parent, need

FOLDER = Path(__file__).resolve().parent
TOOLS = BUILD / "tests/lab"
PREFIX = "minuteswarm-lab-"
NAMESPACES = Path("/run/netns")
CLONE_NEWNET = 0x40000000
MTU = 1500
ALL_LINKS_ALIKE = "02:00:00:00:00:01"
PRIVATE, GATEWAY = "192.168.1.2", "192.168.1.1"
# A masquerading router takes packets for a port only from where the port has sent to; it drops all others unanswered.
MASQUERADE = {"port-restricted": "masquerade", "symmetric": "masquerade fully-random"}
NAT_RULES = """
table ip nat {{
  chain out {{ type nat hook postrouting priority srcnat; oifname "line" {kind}; }}
  chain own {{ type filter hook input priority filter; iifname "line" drop; }}
}}
"""


def rate(text):
    """Bits per second of 56k, 1.5M or a number."""
    text = str(text)
    factor = {"k": 1e3, "M": 1e6}.get(text[-1:], 1)
    return float(text[:-1] if factor > 1 else text) * factor


@dataclass(frozen=True)
class Line:
    """What lies between a place and the middle; `lines.toml` names the usual ones."""
    up: str = "100M"       # bits per second
    down: str = "100M"
    delay: float = 0       # ms one way
    jitter: float = 0      # up to so many ms more
    loss: float = 0        # share of packets, either way
    queue: float = 150     # ms that its buffers hold
    reorder: bool = False  # jitter lets packets overtake each other
    nat: str = "none"      # none, port-restricted, symmetric

    def shaped(self, to):
        """Options of tbf. Bursts are of 5 ms at most, but let two packets pass."""
        bits = rate(to)
        burst = max(2 * (MTU + 14), int(bits / 8 * 0.005))
        return f"tbf rate {int(bits)}bit burst {burst} limit {max(8 * (MTU + 14), int(bits / 8 * self.queue / 1000)) + burst}"


LINES = tomllib.loads((FOLDER / "lines.toml").read_text())


def line(name, **changes):
    """A line of lines.toml, some of its values changed."""
    if name not in LINES:
        raise Failure(f"lines.toml has no line {name}")
    return replace(Line(**LINES[name]), **changes)


def run(*command, given=None):
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise Failure(f"{' '.join(command[:6])}: {(done.stderr or done.stdout).strip()[:300]}")
    return done.stdout


@contextlib.contextmanager
def namespace(name):
    """This thread is in the namespace; processes, threads and sockets that it makes meanwhile stay there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as before, open(NAMESPACES / name) as wanted:
        check(libc.setns(wanted.fileno(), CLONE_NEWNET) == 0, f"cannot enter {name}: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            libc.setns(before.fileno(), CLONE_NEWNET)


def remove(names):
    """Ends what runs in namespaces and removes them, and so all that is in them."""
    for name in names:
        pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, timeout=60, check=False).stdout
        for pid in pids.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    subprocess.run(["ip", "-force", "-batch", "-"], input="".join(f"netns delete {name}\n" for name in names),
                   capture_output=True, text=True, timeout=60, check=False)


def leftovers():
    """Namespaces of labs whose process is gone."""
    if not NAMESPACES.is_dir():
        return []
    return [one.name for one in NAMESPACES.glob(PREFIX + "*")
            if not Path("/proc", one.name.removeprefix(PREFIX).split("-")[0]).exists()]


def check_possible(nat=False):
    """Raises Skip with the reason where there can be no lab."""
    if os.geteuid() != 0:
        raise Skip("needs root, to make network namespaces")
    for command in ("ip", "tc", *(("nft",) if nat else ())):
        need(command)
    if not Path("/dev/net/tun").exists():
        raise Skip("there is no /dev/net/tun")
    name = f"{PREFIX}{os.getpid()}-trial"
    try:
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "add", "name", "one", "type", "veth", "peer", "name", "other")
        run("tc", "-n", name, "qdisc", "add", "dev", "one", "root", "tbf", "rate", "1mbit", "burst", "3000", "limit", "9000")
        if nat:
            with namespace(name):
                run("nft", "-f", "-", given=NAT_RULES.format(kind=MASQUERADE["symmetric"]))
    except Failure as failure:
        raise Skip(f"network namespaces cannot be used here: {failure}") from None
    finally:
        remove([name])


class Place:
    """Where a process can run: `with place.inside():` and start it."""

    def __init__(self, network, name, address, its_line):
        self.network, self.name, self.line = network, name, its_line
        self.public = address
        self.address = address if its_line.nat == "none" else PRIVATE  # to listen at
        self.namespace = network.name(name)
        self.edge = self.namespace if its_line.nat == "none" else network.name(name + "-gateway")

    def inside(self):
        return namespace(self.namespace)

    def cut(self):
        self.network.tell(f"cut {self.public}")

    def restore(self):
        self.network.tell(f"restore {self.public}")

    def traffic(self):
        """(sent, received) bytes on its line so far, with all headers but those of Ethernet."""
        with namespace(self.edge):
            for text in Path("/proc/thread-self/net/dev").read_text().splitlines():
                words = text.replace(":", " ").split()
                if words[0] == "line":
                    frames = 14
                    return int(words[9]) - frames * int(words[10]), int(words[1]) - frames * int(words[2])
        raise Failure(f"{self.name} has no line")

    def overruns(self):
        """Packets that its uplink's buffer had no room for."""
        return json.loads(run("tc", "-n", self.edge, "-s", "-j", "qdisc", "show", "dev", "line"))[0]["drops"]


class Network:
    """The lab while it stands: `with Network() as network: a = network.add("a", line("dsl"))`."""

    def __init__(self, seed=1):
        self.places = []
        self.made = []
        self.result = None
        self._seed = seed
        self._wire = None
        self.random = random.Random(seed)

    def name(self, part):
        return f"{PREFIX}{os.getpid()}-{part}"

    def __enter__(self):
        remove(leftovers())
        try:
            self._make("middle")
            with namespace(self.name("middle")):
                self._wire = subprocess.Popen([TOOLS / "lab_wire", "wire", str(self._seed)], stdin=subprocess.PIPE,
                                              stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
                Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            check(self._wire.stdout.readline() == "ready\n", "lab_wire did not start")
            # What comes from a line goes to the wire, what comes from the wire goes to a line.
            self._ip("middle", f"link set wire mtu {MTU} txqueuelen 10000 up", "route add default dev wire table 1",
                     "rule add not iif wire lookup 1 priority 1")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.end_wire()
        remove(self.made)

    def end_wire(self):
        """Ends all traffic; returns what lab_wire counted."""
        if self._wire:
            with contextlib.suppress(subprocess.TimeoutExpired):
                text = self._wire.communicate(timeout=10)[0]
                self.result = json.loads(text or "null")
            self._wire.kill()
            self._wire = None
        return self.result

    def wire_seconds(self):
        """Of processor, so far."""
        return measure.cpu_seconds(self._wire.pid)

    def tell(self, command):
        self._wire.stdin.write(command + "\n")
        self._wire.stdin.flush()

    def add(self, name, its_line):
        number = len(self.places)
        address = f"198.18.{number // 250}.{number % 250 + 1}"
        place = Place(self, name, address, its_line)
        self.places.append(place)
        self.tell(f"line {address} {its_line.delay} {its_line.jitter} {its_line.loss} {'any' if its_line.reorder else 'fifo'}")
        self._make(name)
        edge = name
        if its_line.nat != "none":
            edge = name + "-gateway"
            self._make(edge)
            self._pair(name, "line", edge, "home")
            self._ip(name, f"addr add {PRIVATE}/24 dev line", f"route add default via {GATEWAY}")
            self._ip(edge, f"addr add {GATEWAY}/24 dev home")
            with namespace(self.name(edge)):
                Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
                run("nft", "-f", "-", given=NAT_RULES.format(kind=MASQUERADE[its_line.nat]))
        end = f"line{number}"
        self._pair(edge, "line", "middle", end)
        self._ip(edge, f"addr add {address}/32 dev line", "route add default dev line")
        self._ip("middle", f"route add {address}/32 dev {end}")
        run("tc", "-n", self.name(edge), "-batch", "-", given=f"qdisc add dev line root {its_line.shaped(its_line.up)}\n")
        run("tc", "-n", self.name("middle"), "-batch", "-", given=f"qdisc add dev {end} root {its_line.shaped(its_line.down)}\n")
        return place

    def _make(self, part):
        name = self.name(part)
        run("ip", "netns", "add", name)
        self.made.append(name)
        with namespace(name):
            for key, value in (("ipv6/conf/all/disable_ipv6", 1), ("ipv6/conf/default/disable_ipv6", 1),
                               ("ipv4/conf/all/rp_filter", 0), ("ipv4/conf/default/rp_filter", 0), ("ipv4/tcp_no_metrics_save", 1)):
                with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
                    Path("/proc/sys/net", key).write_text(str(value))
        self._ip(part, "link set lo up")

    def _pair(self, one, name_there, other, name_here):
        run("ip", "link", "add", "name", name_there, "address", ALL_LINKS_ALIKE, "netns", self.name(one), "type", "veth",
            "peer", "name", name_here, "address", ALL_LINKS_ALIKE, "netns", self.name(other))
        for part, device in ((one, name_there), (other, name_here)):
            self._ip(part, f"link set {device} arp off mtu {MTU} gso_max_segs 1 up")

    def _ip(self, part, *commands):
        run("ip", "-n", self.name(part), "-batch", "-", given="".join(f"{command}\n" for command in commands))
