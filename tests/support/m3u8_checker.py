#!/usr/bin/env python3
"""A strict checker for HLS media playlists (RFC 8216; "bis" is draft-pantos-hls-rfc8216bis, for low latency) that
knows nothing of how they were made.

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
    "EXT-X-MAP": 6, "EXT-X-SERVER-CONTROL": 1, "EXT-X-PART-INF": 1, "EXT-X-PART": 1, "EXT-X-PRELOAD-HINT": 1,
}
PLAYLIST_TAGS = {
    "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE",
    "EXT-X-ENDLIST", "EXT-X-PLAYLIST-TYPE", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-START",
    "EXT-X-SERVER-CONTROL", "EXT-X-PART-INF", "EXT-X-PRELOAD-HINT",
}
NUMBER_TAGS = {
    "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE",
}
ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",\s]+)(?:,|$)')
SLACK = 0.000_002  # of durations in microseconds
BEFORE_SEGMENTS = {"EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE"}


def attributes(text):
    """An attribute list as a dictionary; None if it is malformed (4.2)."""
    found = {match[1]: match[2].strip('"') for match in ATTRIBUTE.finditer(text)}
    covered = sum(len(match[0]) for match in ATTRIBUTE.finditer(text))
    return found if covered == len(text) and not text.endswith(",") else None


def decimal(text):
    """0 if it is none."""
    return float(text) if text and re.fullmatch(r"\d+(\.\d+)?", text) else 0.0


class Part:
    """A partial segment (bis 4.4.4.9)."""

    def __init__(self, tag):
        self.uri = tag.get("URI", "")
        self.duration = decimal(tag.get("DURATION"))
        self.is_independent = tag.get("INDEPENDENT") == "YES"

    def identity(self):
        return self.uri, self.duration, self.is_independent


class Segment:
    """A URI and what the tags before it say of it."""

    def __init__(self, uri, tags, discontinuities, parts):
        self.uri = uri
        self.parts = parts
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
        self.parts = []  # of the segment that is still to be listed
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

    @property
    def control(self):
        return attributes(self.tags.get("EXT-X-SERVER-CONTROL", "")) or {}

    @property
    def part_target(self):
        """Seconds; 0 without low latency."""
        return decimal((attributes(self.tags.get("EXT-X-PART-INF", "")) or {}).get("PART-TARGET"))

    @property
    def part_hold_back(self):
        return decimal(self.control.get("PART-HOLD-BACK"))

    @property
    def hint(self):
        """URI of the part that comes next; None without low latency."""
        return (attributes(self.tags.get("EXT-X-PRELOAD-HINT", "")) or {}).get("URI")

    @property
    def next_sequence(self):
        """Of the segment that is still to be listed."""
        return self.first_sequence + len(self.segments)

    @property
    def begins_anew(self):
        """A discontinuity lies before the segment that is still to be listed."""
        return "EXT-X-DISCONTINUITY" in self._pending

    def all_parts(self):
        """[((media sequence number, index), part)] in order"""
        lists = [*((at, segment.parts) for at, segment in enumerate(self.segments, self.first_sequence)),
                 (self.next_sequence, self.parts)]
        return [((at, index), part) for at, parts in lists for index, part in enumerate(parts)]

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
            if not self.parts or tag == "EXTINF":
                self._problem(0, f"{tag} applies to no segment")

    def _read_tag(self, at, line):
        tag, _, value = line[1:].partition(":")
        if tag not in TAGS:
            return self._problem(at, f"unknown tag {tag}")
        if tag == "EXTM3U" and at > 1:
            return self._problem(at, "a second #EXTM3U")
        if tag in NUMBER_TAGS and not DECIMAL.fullmatch(value):
            self._problem(at, f"{tag} needs a decimal integer")
        if tag in ("EXT-X-SERVER-CONTROL", "EXT-X-PART-INF", "EXT-X-PART", "EXT-X-PRELOAD-HINT") \
                and attributes(value) is None:
            self._problem(at, f"{tag} needs an attribute list (4.2)")
        if tag == "EXT-X-PART":
            self.parts.append(Part(attributes(value) or {}))
        elif tag in PLAYLIST_TAGS or tag == "EXTM3U":
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
        if tag != "EXTINF" and self.parts:
            self._problem(at, f"{tag} behind the first part of its segment (bis 4.4.4.9)")
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
        self.segments.append(Segment(line, self._pending, self._discontinuities, self.parts))
        self._pending = {}
        self.parts = []

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
        if "EXT-X-PART-INF" in self.tags or "EXT-X-SERVER-CONTROL" in self.tags or self.all_parts() or self.hint:
            self._check_low_latency(target)

    def _check_low_latency(self, target):
        if not self.part_target:
            return self._problem(0, "parts need EXT-X-PART-INF with a PART-TARGET (bis 4.4.3.7)")
        if self.control.get("CAN-BLOCK-RELOAD") != "YES":
            self._problem(0, "low latency needs CAN-BLOCK-RELOAD=YES (bis 4.4.3.8)")
        if self.part_hold_back < 3 * self.part_target - SLACK:
            self._problem(0, f"PART-HOLD-BACK is {self.part_hold_back}, less than three part targets (bis 4.4.3.8)")
        if self.has_ended and self.hint:
            self._problem(0, "a hint although nothing comes any more (bis 4.4.5.3)")
        if self.hint is None and not self.has_ended:
            self._problem(0, "no EXT-X-PRELOAD-HINT (bis 6.2.6)")
        uris = [part.uri for _, part in self.all_parts()]
        if len(set(uris)) != len(uris) or "" in uris or self.hint in uris:
            self._problem(0, "a part without a URI of its own, or the hint is one that is there")
        behind = sum(part.duration for part in self.parts)
        for segment in reversed(self.segments):
            if segment.parts and behind >= 3 * target:
                self._problem(0, f"{segment.uri} has parts {behind:.1f} s before the end (bis 6.2.2)")
            behind += segment.duration
            total = sum(part.duration for part in segment.parts)
            if segment.parts and abs(total - segment.duration) > 0.05:
                self._problem(0, f"the parts of {segment.uri} are {total:.3f} s of {segment.duration} s")
        for parts in (*(segment.parts for segment in self.segments), self.parts):
            for part in parts:
                self._check_part(part, part is parts[-1])

    def _check_part(self, part, is_last):
        """bis 4.4.4.9"""
        if part.duration > self.part_target + SLACK:
            self._problem(0, f"{part.uri}: {part.duration} s is more than the part target")
        if part.duration < 0.85 * self.part_target - SLACK and not (is_last or part.is_independent):
            self._problem(0, f"{part.uri}: {part.duration} s is less than 85 % of the part target")


class Reloads:
    """One playlist over time (RFC 8216 6.2.1, 6.2.2). `fixed_target`: its target duration must not even grow."""

    def __init__(self, fixed_target=True):
        self._fixed_target = fixed_target
        self._last = None
        self._seen = {}  # media sequence number -> (identity, discontinuity number)
        self._seen_parts = {}  # (media sequence number, index) -> identity

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
        for at, part in playlist.all_parts():
            before = self._seen_parts.setdefault(at, part.identity())
            if before != part.identity():
                problems.append(f"part {at} changed from {before} to {part.identity()}")
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
        if last.part_target and playlist.part_target:
            yield from self._compare_parts(last, playlist)

    def _compare_parts(self, last, playlist):
        if playlist.part_target != last.part_target:
            yield f"the part target changed from {last.part_target} to {playlist.part_target}"
        known = {at for at, _ in last.all_parts()}
        listed = {at: part for at, part in playlist.all_parts()}
        at = last.next_sequence
        if at == playlist.next_sequence and len(playlist.parts) < len(last.parts):
            yield f"parts of segment {at} vanished"
        if at < playlist.next_sequence and last.parts and at >= playlist.first_sequence:
            closed = playlist.segments[at - playlist.first_sequence]
            if closed.parts and len(closed.parts) < len(last.parts):
                yield f"parts of segment {at} vanished when it was closed"
        hinted = listed.get((at, len(last.parts)))
        is_anew = not last.parts and (playlist.begins_anew if at == playlist.next_sequence
                                      else playlist.segments[at - playlist.first_sequence].is_discontinuity)
        if hinted and (at, len(last.parts)) not in known and hinted.uri != last.hint and not is_anew:
            yield f"{last.hint} was hinted at, but {hinted.uri} came"


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
