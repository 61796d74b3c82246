#!/usr/bin/env python3
"""A strict checker for HLS media playlists (RFC 8216) that knows nothing of how they were made.

`check(text)` looks at one playlist, a `Reloads` object at the same playlist over time. As a program it takes a folder
with one folder per playlist, whose files, in order of their names, are its reloads.
"""
import re
import sys
from pathlib import Path

DECIMAL = re.compile(r"\d+")
EXTINF = re.compile(r"(\d+(?:\.\d+)?),(.*)")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# Tag: the version that is needed for it; what isn't here is unknown to this checker.
TAGS = {
    "EXTM3U": 1, "EXT-X-VERSION": 1, "EXTINF": 1, "EXT-X-TARGETDURATION": 1, "EXT-X-MEDIA-SEQUENCE": 1,
    "EXT-X-DISCONTINUITY-SEQUENCE": 1, "EXT-X-ENDLIST": 1, "EXT-X-PLAYLIST-TYPE": 1, "EXT-X-DISCONTINUITY": 1,
    "EXT-X-PROGRAM-DATE-TIME": 1, "EXT-X-INDEPENDENT-SEGMENTS": 1, "EXT-X-START": 1, "EXT-X-BYTERANGE": 4,
    "EXT-X-MAP": 6,
}
PLAYLIST_TAGS = {
    "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE",
    "EXT-X-ENDLIST", "EXT-X-PLAYLIST-TYPE", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-START",
}
NUMBER_TAGS = {
    "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE",
}
BEFORE_SEGMENTS = {"EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE"}


class Segment:
    """A URI and what the tags before it say of it."""

    def __init__(self, uri, tags, discontinuities):
        self.uri = uri
        self.duration_text = (EXTINF.fullmatch(tags.get("EXTINF", "")) or [None, "0"])[1]
        self.duration = float(self.duration_text)
        self.date = tags.get("EXT-X-PROGRAM-DATE-TIME")
        self.is_discontinuity = "EXT-X-DISCONTINUITY" in tags
        self.discontinuities = discontinuities  # up to and with this one, in the playlist

    def identity(self):
        return self.uri, self.duration_text, self.date


class Playlist:
    """The parsed text, with `problems` found on the way."""

    def __init__(self, text):
        self.problems = []
        self.tags = {}
        self.segments = []
        self._pending = {}
        self._discontinuities = 0
        self._read_lines(text)
        self._check_whole()

    def number(self, tag, default=0):
        value = self.tags.get(tag, "")
        return int(value) if DECIMAL.fullmatch(value) else default

    @property
    def first_sequence(self):
        return self.number("EXT-X-MEDIA-SEQUENCE")

    @property
    def has_ended(self):
        return "EXT-X-ENDLIST" in self.tags

    def discontinuity_number(self, segment):
        return self.number("EXT-X-DISCONTINUITY-SEQUENCE") + segment.discontinuities

    def _problem(self, line, text):
        self.problems.append(f"line {line}: {text}" if line else text)

    def _read_lines(self, text):
        if text.startswith("\ufeff"):
            self._problem(1, "byte order mark (4)")
        lines = text.replace("\r\n", "\n").split("\n")
        if lines[0] != "#EXTM3U":
            self._problem(1, "the first line must be #EXTM3U (4.3.1.1)")
        if lines[-1] != "":
            self._problem(len(lines), "the last line does not end")
        for at, line in enumerate(lines[:-1], 1):
            if any(ord(character) < 32 for character in line):
                self._problem(at, "control character (4)")
            elif line.startswith("#EXT"):
                self._read_tag(at, line)
            elif line and not line.startswith("#"):
                self._read_uri(at, line)
        for tag in self._pending:
            self._problem(0, f"{tag} applies to no segment")

    def _read_tag(self, at, line):
        tag, _, value = line[1:].partition(":")
        if tag not in TAGS:
            return self._problem(at, f"unknown tag {tag}")
        if tag == "EXTM3U" and at > 1:
            return self._problem(at, "a second #EXTM3U")
        if tag in NUMBER_TAGS and not DECIMAL.fullmatch(value):
            self._problem(at, f"{tag} needs a decimal integer")
        if tag in PLAYLIST_TAGS or tag == "EXTM3U":
            self._read_playlist_tag(at, tag, value)
        else:
            self._read_segment_tag(at, tag, value)

    def _read_playlist_tag(self, at, tag, value):
        if tag in self.tags:
            self._problem(at, f"{tag} more than once")
        if tag in BEFORE_SEGMENTS and (self.segments or self._pending):
            self._problem(at, f"{tag} after a segment (4.3.3)")
        self.tags[tag] = value

    def _read_segment_tag(self, at, tag, value):
        if tag in self._pending:
            self._problem(at, f"{tag} twice for one segment")
        if tag == "EXTINF" and not EXTINF.fullmatch(value):
            self._problem(at, "EXTINF needs a decimal duration and a comma (4.3.2.1)")
        if tag == "EXT-X-PROGRAM-DATE-TIME" and not DATE.fullmatch(value):
            self._problem(at, "not an ISO 8601 date with a time zone (4.3.2.6)")
        self._pending[tag] = value

    def _read_uri(self, at, line):
        if "EXTINF" not in self._pending:
            self._problem(at, "a segment without EXTINF (4.3.2.1)")
        if re.search(r"[\s<>\"{}|\\^`]", line):
            self._problem(at, "not a URI")
        self._discontinuities += "EXT-X-DISCONTINUITY" in self._pending
        self.segments.append(Segment(line, self._pending, self._discontinuities))
        self._pending = {}

    def _check_whole(self):
        if "EXT-X-TARGETDURATION" not in self.tags:
            self._problem(0, "no EXT-X-TARGETDURATION (4.3.3.1)")
        target = self.number("EXT-X-TARGETDURATION")
        for segment in self.segments:
            if int(segment.duration + 0.5) > target:
                self._problem(0, f"{segment.uri}: {segment.duration} s is more than the target duration")
            if "." in segment.duration_text and self.number("EXT-X-VERSION", 1) < 3:
                self._problem(0, "decimal durations need version 3 (7)")
        uris = [segment.uri for segment in self.segments]
        if len(set(uris)) != len(uris):
            self._problem(0, "the same URI twice")
        dates = [segment.date for segment in self.segments if segment.date and not segment.is_discontinuity]
        if dates != sorted(dates):
            self._problem(0, "dates go back without a discontinuity")


class Reloads:
    """One playlist over time (RFC 8216 6.2.1, 6.2.2). `fixed_target`: its target duration must not even grow."""

    def __init__(self, fixed_target=True):
        self._fixed_target = fixed_target
        self._last = None
        self._seen = {}  # media sequence number -> (identity, discontinuity number)

    def check(self, text):
        """Problems of this reload, also compared with those before."""
        playlist = Playlist(text)
        problems = list(playlist.problems)
        if self._last is not None:
            problems += self._compare(self._last, playlist)
        for at, segment in enumerate(playlist.segments, playlist.first_sequence):
            now = segment.identity(), playlist.discontinuity_number(segment)
            before = self._seen.setdefault(at, now)
            if before[0] != now[0]:
                problems.append(f"entry {at} changed from {before[0]} to {now[0]}")
            if before[1] != now[1]:
                problems.append(f"entry {at} moved from discontinuity {before[1]} to {now[1]}")
        self._last = playlist
        return problems

    def _compare(self, last, playlist):
        target = playlist.number("EXT-X-TARGETDURATION")
        last_target = last.number("EXT-X-TARGETDURATION")
        if target < last_target or (self._fixed_target and target != last_target):
            yield f"the target duration changed from {last_target} to {target}"
        if playlist.first_sequence < last.first_sequence:
            yield "the media sequence went back"
        ended = last.first_sequence + len(last.segments)
        if playlist.first_sequence + len(playlist.segments) < ended:
            yield "segments vanished from the end"
        if playlist.number("EXT-X-DISCONTINUITY-SEQUENCE") < last.number("EXT-X-DISCONTINUITY-SEQUENCE"):
            yield "the discontinuity sequence went back"
        if last.has_ended and not playlist.has_ended:
            yield "the playlist goes on after EXT-X-ENDLIST"


def check(text):
    """Problems of one playlist; an empty list if there are none."""
    return Playlist(text).problems


def main(folder):
    found = 0
    files = 0
    for playlist in sorted(path for path in Path(folder).iterdir() if path.is_dir()):
        reloads = Reloads()
        for path in sorted(playlist.glob("*.m3u8")):
            files += 1
            for problem in reloads.check(path.read_text()):
                found += 1
                print(f"{path}: {problem}")
    print(f"{files} playlists, {found} problems")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
