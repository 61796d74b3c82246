"""What others do over the same lines: swarms of chunks without a live edge, and HLS from one web server."""
import media
import network
from harness import need, until, without_peers
from run import Swarm, is_radio

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 1000; }}
http {{
  access_log off; sendfile on; tcp_nodelay on;
  types {{ application/vnd.apple.mpegurl m3u8; video/mp2t ts; audio/mpeg mp3; }}
  server {{ listen {address}:80; root {folder}; add_header Cache-Control no-cache; }}
}}
"""


TRACKER = "bittorrent-tracker@11.2.3"  # Debian's opentracker serves none but the info-hashes that it is started with
TRACKER_PORT = 8000


def start_tracker(case, place):
    """A tracker at a place of its own, from npm, asked over UDP; its URL."""
    folder = network.TOOLS / "tracker"
    server = folder / "node_modules/bittorrent-tracker/server.js"
    if not server.exists():
        folder.mkdir(exist_ok=True)
        media.run([need("npm"), "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", TRACKER])
    with place.inside():
        process = case.run([need("node"), network.FOLDER / "tracker.mjs", server, place.address, TRACKER_PORT], "tracker")
    until(lambda: "listens" in process.output, 20, "the tracker listens")
    return f"udp://{place.address}:{TRACKER_PORT}/announce"


class Stock(Swarm):
    """Minute swarming as it was: a swarm for each chunk once that is closed, half a minute of buffer, and a tracker alone to find each
    other with, asked by every viewer for every chunk."""
    title = "chunk swarms, found by tracker alone"
    has_bars, latency, patience = False, 30, 40

    def publish(self, stream):
        place = self.source.network.add("tracker", network.line("fibre"))
        url = start_tracker(self.case, place)
        self.options = ("--no-edge", "--tracker", url, "--chunk-tracker", url)
        return super().publish(stream)

    def link(self):
        return without_peers(self.publisher.link)


class Hls:
    """ffmpeg writes segments, nginx at the source serves them to all. A player waits for the segment that it is at, and leaves out
    those that are no longer listed when it comes to them."""
    has_bars, skips, patience, latency = False, False, 20, None  # a player is as far behind as it begins
    seconds = 4

    def __init__(self, case, plan, source):
        self.case, self.plan, self.source = case, plan, source

    def publish(self, stream):
        folder = self.case.folder / "www"
        folder.mkdir()
        name, kind = ("%d.mp3", ["mp3", "-segment_format_options", "write_xing=0:id3v2_version=0"]) if is_radio(self.plan) else ("%d.ts", ["mpegts"])
        self.case.run([*media.FFMPEG, "-i", "pipe:0", "-c", "copy", "-f", "segment", "-segment_time", self.seconds, "-segment_format", *kind,
                       "-segment_list", folder / "live.m3u8", "-segment_list_type", "m3u8", "-segment_list_size", 6, "-segment_list_flags", "+live",
                       folder / name], "segmenter", stdin=stream)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, address=self.source.address))
        with self.source.inside():
            server = self.case.run([need("nginx"), "-p", folder, "-c", folder / "nginx.conf"], "nginx")
        until((folder / "live.m3u8").exists, 30, "the first segment")
        return server

    def watch(self, place, number):
        return None, f"http://{self.source.public}:80/live.m3u8"

    def status(self, place, node):
        return None


class Hls4(Hls):
    title = "HLS, segments of 4 s"


class Hls2(Hls):
    title = "HLS, segments of 2 s"
    seconds = 2


SYSTEMS = {"stock": Stock, "hls": Hls4, "hls-short": Hls2}
