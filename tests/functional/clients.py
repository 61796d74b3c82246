"""Other people's BitTorrent programs, and just enough of the format to check what they get."""
import hashlib
import json
import os
import re
import urllib.error
import urllib.request
from pathlib import Path

from harness import Failure, check, chunk_number, free_port, need, until


def decode(data, at=0):
    """(value, position after it) of a bencoded value; strings stay bytes."""
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in b"ld" and kind:
        items, at = [], at + 1
        while data[at:at + 1] != b"e":
            item, at = decode(data, at)
            items.append(item)
        return (items if kind == b"l" else dict(zip(items[::2], items[1::2]))), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1:end], end


def encode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(encode, value)) + b"e"
    return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"


def read_torrent(path):
    return decode(Path(path).read_bytes())[0]


def info_hash(path):
    """40 hex digits; the info dict is canonical, so that encoding it again gives its bytes."""
    return hashlib.sha1(encode(read_torrent(path)[b"info"])).hexdigest()


def channel_hash(link):
    """Info-hash of the swarm of a link's channel."""
    key = bytes.fromhex(re.search("urn:btpk:([0-9a-f]{64})", link).group(1))
    return hashlib.sha1(b"minuteswarm:channel:1:" + key).hexdigest()


def torrent_files(path):
    """{path below the download folder: size}"""
    info = read_torrent(path)[b"info"]
    name = info[b"name"].decode()
    if b"files" not in info:
        return {name: info[b"length"]}
    return {os.path.join(name, *(part.decode() for part in file[b"path"])): file[b"length"] for file in info[b"files"]}


def chunk_torrents(case, folder, *trackers):
    """{chunk number: .torrent file} of an event's folder."""
    target = Path(folder).with_name("torrents")
    options = [word for tracker in trackers for word in ("--tracker", tracker)]
    case.once("link", folder, "--torrents", target, *options, code=0)
    return {chunk_number(path.with_suffix("")): path for path in target.glob("*.torrent")}


def magnet(torrent, tracker):
    return f"magnet:?xt=urn:btih:{info_hash(torrent)}&tr={urllib.request.quote(tracker, safe='')}"


class Tracker:
    """opentracker. Debian builds it to serve only listed info-hashes, so `start` takes them."""

    def __init__(self, case, host="127.0.0.1"):
        self._case = case
        self._program = need("opentracker")
        self.host, self.port = host, free_port()
        self.url = f"http://{host}:{self.port}/announce"

    def start(self, info_hashes):
        folder = self._case.folder / "tracker"
        folder.mkdir()
        # As root it becomes `nobody` and makes this folder its root.
        self._case.folder.chmod(0o755)
        folder.chmod(0o755)
        (folder / "whitelist").write_text("".join(f"{one}\n" for one in info_hashes))
        process = self._case.run([self._program, "-i", self.host, "-p", self.port, "-P", self.port,
                                  "-d", folder, "-w", "whitelist"], "opentracker")

        def answers():
            if not process.is_running():
                raise Failure(f"opentracker ended: {process.errors}")
            try:
                urllib.request.urlopen(self.url, timeout=1).read()
            except urllib.error.HTTPError:
                return True
            except OSError:
                return False
            return True

        until(answers, 10, "opentracker answers")

    def peers(self, one):
        """(complete, incomplete) peers it knows of an info-hash."""
        quoted = urllib.request.quote(bytes.fromhex(one), safe="")
        with urllib.request.urlopen(f"http://{self.host}:{self.port}/scrape?info_hash={quoted}", timeout=5) as reply:
            files = decode(reply.read())[0].get(b"files", {})
        counts = files.get(bytes.fromhex(one), {})
        return counts.get(b"complete", 0), counts.get(b"incomplete", 0)


def aria2c(case, source, folder, seconds=60):
    """Downloads a .torrent file or magnet and returns when it is done."""
    command = [need("aria2c"), "--no-conf", "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false",
               "--enable-peer-exchange=false", "--seed-time=0", "--listen-port", free_port(), "--interface=127.0.0.1",
               "--file-allocation=none", "--bt-tracker-interval=2", "--dir", folder, source]
    case.run(command, "aria2c").wait_exit(seconds, 0)


# Transmission dials no loopback address it learns, and knows only one peer of an address: whoever is to serve it
# here has to come after it and dial it.


class Transmission:
    """transmission-daemon without DHT, PEX, LPD and port mapping, driven over its RPC."""

    def __init__(self, case, folder):
        program = need("transmission-daemon")
        self.folder = Path(folder)
        config = Path(f"{folder}-config")
        config.mkdir(parents=True)
        port = free_port()
        self._url = f"http://127.0.0.1:{port}/transmission/rpc"
        self._session = ""
        settings = {"rpc-port": port, "rpc-bind-address": "127.0.0.1", "peer-port": free_port(), "dht-enabled": False,
                    "pex-enabled": False, "lpd-enabled": False, "utp-enabled": False, "port-forwarding-enabled": False,
                    "download-dir": str(self.folder),
                    "rename-partial-files": False, "incomplete-dir-enabled": False}
        (config / "settings.json").write_text(json.dumps(settings))
        self._process = case.run([program, "--foreground", "--config-dir", config], "transmission")
        until(self._is_up, 15, "transmission-daemon answers")

    def _is_up(self):
        check(self._process.is_running(), "transmission-daemon ended")
        try:
            return self._call("session-get") is not None
        except OSError:
            return False

    def _call(self, method, **arguments):
        body = json.dumps({"method": method, "arguments": arguments}).encode()
        for _ in range(2):
            request = urllib.request.Request(self._url, body, {"X-Transmission-Session-Id": self._session})
            try:
                with urllib.request.urlopen(request, timeout=5) as reply:
                    answer = json.load(reply)
            except urllib.error.HTTPError as refusal:
                if refusal.code != 409:
                    raise
                self._session = refusal.headers["X-Transmission-Session-Id"]
                continue
            check(answer["result"] == "success", f"transmission: {method}: {answer['result']}")
            return answer["arguments"]
        return None

    def add(self, source):
        """A .torrent file or magnet."""
        self._call("torrent-add", filename=str(source))

    def is_done(self):
        torrents = self._call("torrent-get", fields=["percentDone", "metadataPercentComplete"])["torrents"]
        return torrents and all(one["metadataPercentComplete"] == 1 and one["percentDone"] == 1 for one in torrents)


def transmission_cli(case, source, folder):
    """Starts transmission-cli, which goes on seeding when it has everything; returns its process."""
    program = need("transmission-cli")
    config = Path(f"{folder}-config")
    config.mkdir(parents=True)
    Path(folder).mkdir(parents=True, exist_ok=True)
    (config / "settings.json").write_text(json.dumps({
        "dht-enabled": False, "pex-enabled": False, "lpd-enabled": False, "utp-enabled": False,
        "rename-partial-files": False}))
    return case.run([program, "-g", config, "-w", folder, "-p", free_port(), "-M", source], "transmission-cli")


def check_download(torrent, folder, originals):
    """Every file of the torrent is in the folder and equals the one in `originals` of the same last name."""
    for name, size in torrent_files(torrent).items():
        got = Path(folder) / name
        check(got.exists() and got.stat().st_size == size, f"{name} is missing or has another size")
        wanted = Path(originals) / Path(name).name
        if wanted.exists():
            check(got.read_bytes() == wanted.read_bytes(), f"{name} differs from the archive's bytes")
        else:
            check(Path(name).suffix not in (".ts", ".mp3", ".aac", ".mp4"), f"the archive has no {name}")
