"""A strict low-latency HLS client (draft-pantos-hls-rfc8216bis): how far behind the muxer a player could play."""
import http.client
import re
import sys
import time
import urllib.parse
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from m3u8_checker import Playlist  # noqa: E402: it is not beside this file

WAIT = 30  # seconds for one answer, above what a server may hold one


class NotFound(Exception):
    """The server answered with a status other than 200."""

    def __init__(self, path, status):
        super().__init__(f"{path}: {status}")
        self.status = status


class Part:
    """A partial segment as it was received."""

    def __init__(self, sequence, index, listed, received_at, media_end, body):
        self.sequence = sequence
        self.index = index
        self.uri = listed.uri
        self.received_at = received_at  # Unix time
        self.media_end = media_end  # Unix time by the publisher's clock; None while no date is known
        self.body = body


class LowLatencyClient:
    """Follows one playlist by blocking reloads over one connection and fetches every new part at once."""

    def __init__(self, url):
        parsed = urllib.parse.urlsplit(url)
        self._connection = http.client.HTTPConnection(parsed.hostname, parsed.port, timeout=WAIT)
        self._path = parsed.path
        self._seen = set()
        self._ends = {}  # media sequence number -> Unix time at which the segment ends
        self.playlist = None
        self.text = ""

    def get(self, path):
        self._connection.request("GET", urllib.parse.urljoin(self._path, path))
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise NotFound(path, answer.status)
        return body

    def close(self):
        self._connection.close()

    def reload(self):
        """Waits for the part after the last one listed; a plain reload where there are no parts yet."""
        query = ""
        if self.playlist is not None and self.playlist.part_target:
            query = f"?_HLS_msn={self.playlist.next_sequence}&_HLS_part={len(self.playlist.parts)}"
        self.text = self.get(self._path + query).decode()
        self.playlist = Playlist(self.text)
        for at, segment in enumerate(self.playlist.segments, self.playlist.first_sequence):
            begin = unix_time(segment.date) if segment.date else self._ends.get(at - 1)
            if begin is not None:
                self._ends[at] = begin + segment.duration
        return self.playlist

    def new_parts(self):
        """Fetches what the last reload brought, oldest first. The first reload counts as seen but for its newest part."""
        listed = self.playlist.all_parts()
        if not self._seen:
            self._seen.update(at for at, _ in listed[:-1])
        for (sequence, index), part in listed:
            if (sequence, index) in self._seen:
                continue
            self._seen.add((sequence, index))
            body = self.get(part.uri)
            yield Part(sequence, index, part, time.time(), self._media_end(sequence, index), body)

    def _media_end(self, sequence, index):
        begin = self._ends.get(sequence - 1)
        parts = self.playlist.parts
        if sequence < self.playlist.next_sequence:
            segment = self.playlist.segments[sequence - self.playlist.first_sequence]
            begin, parts = unix_time(segment.date) if segment.date else begin, segment.parts
        return None if begin is None else begin + sum(part.duration for part in parts[:index + 1])


def unix_time(date):
    return datetime.fromisoformat(re.sub("Z$", "+00:00", date)).timestamp()


def latency_behind_muxer(url, seconds=10, patience=30):
    """Follows the low-latency playlist at `url` (…/live.m3u8) for `seconds` once it has parts.

    Returns seconds: {"parts": count, "part_target", "part_hold_back", "received": {"median", "p99", "worst"} from a
    part's media end, by the publisher's clock, to its reception, "player": the same with PART-HOLD-BACK on top, as far
    behind as a player is that keeps to it}. The clocks must agree: both ends on one machine, or synchronised. Raises
    RuntimeError when no parts come within `patience` seconds.
    """
    client = LowLatencyClient(url)
    end = time.monotonic() + patience
    while not client.reload().part_target:
        if time.monotonic() > end:
            raise RuntimeError(f"{url} offers no parts")
        time.sleep(0.1)
    waits = []
    end = time.monotonic() + seconds
    for _ in client.new_parts():
        pass  # these have waited for us
    while time.monotonic() < end and not client.reload().has_ended:
        waits += [part.received_at - part.media_end for part in client.new_parts() if part.media_end is not None]
    client.close()
    if not waits:
        raise RuntimeError(f"{url} brought no part within {seconds} s")
    waits.sort()
    hold_back = client.playlist.part_hold_back
    received = {"median": waits[len(waits) // 2], "p99": waits[min(len(waits) - 1, int(0.99 * len(waits)))],
                "worst": waits[-1]}
    return {"parts": len(waits), "part_target": client.playlist.part_target, "part_hold_back": hold_back,
            "received": received, "player": {name: wait + hold_back for name, wait in received.items()}}


if __name__ == "__main__":
    print(latency_behind_muxer(sys.argv[1]))
