"""What a run of the lab came to. Pure: lists of frames and samples in, figures out.

Latency is from the moment that a frame's last byte left the encoder's muxer (its capture) until the viewer's player has that
byte; one machine, one clock. A frame is told by its bytes, which neither a muxer nor BitTorrent changes: the stream's own time
stamps are set anew by each muxer, and bare MP3 has none. Frames are all of one duration, so shares of frames are shares of media time.

What counts of a viewer are the frames captured after its first byte came (or START after it opened the link, if none had by
then), and early enough to be played before it left, by one that plays as far behind as the first frame it played was: all of them for the figures named whole_…, those within the measured time for the others.
What lies before is what starting costs, which has figures of its own.

Served: began within START, of those that did not leave before.
Continuity: the share of these frames that were there by capture + the latency asked for.
Stalls: a player that begins so far behind capture, or as far as the first frame it played was, and that never skips by itself. For a frame that
comes later it waits, and is later from then on; waits within a second of each other are one stall. Frames that never come in a
row are one gap: they take their time and show nothing; where nothing is left out, the player waits for what is missing at the end
until it is ended.
"""
import bisect
from dataclasses import dataclass, field

from measure import percentile

START = 10.0  # seconds by which a viewer should have begun
TOGETHER = 1.0
SLACK = 0.02  # scheduling, which is not the network's


@dataclass
class Frame:
    captured: float
    arrived: float | None  # None: never


@dataclass
class Session:
    """One viewer from opening the link until it left."""
    place: str
    began: float
    ended: float
    first: float | None = None                  # first byte
    whole: list = field(default_factory=list)   # of what counts, in order of capture
    frames: list = field(default_factory=list)  # those of the measured time
    behind: float = 0.0                         # how far behind capture the first frame was when it was played
    first_picture: float | None = None          # that can be decoded, or sound


@dataclass
class Playing:
    stalls: int = 0
    stalled: float = 0.0
    gaps: int = 0


def read_notes(path):
    """(time of the first byte, [(time, media time, hash, end)]) of a file that lab_probe wrote."""
    first, frames = None, []
    for line in path.read_text().splitlines() if path.exists() else ():
        words = line.split()
        if words[0] == "first" and len(words) == 2:
            first = float(words[1])
        elif words[0] == "frame" and len(words) == 5:  # the last line may be cut short
            frames.append((float(words[1]), float(words[2]), words[3], int(words[4])))
    return first, frames


class Captures:
    """Every frame the source sent, and when."""

    def __init__(self, notes):
        self.times = [at for at, *_ in notes]
        self.by_hash = {}
        for index, (_, _, its_hash, _) in enumerate(notes):
            self.by_hash.setdefault(its_hash, []).append(index)

    def index(self, its_hash, arrived):
        """The newest such frame captured before; a looped source sends the same again."""
        found = self.by_hash.get(its_hash, ())
        at = bisect.bisect_right(found, arrived, key=lambda index: self.times[index])
        return found[at - 1] if at else None

    def arrivals(self, notes):
        """{index of a frame: when it came first}"""
        came = {}
        for at, _, its_hash, _ in notes:
            index = self.index(its_hash, at)
            if index is not None:
                came.setdefault(index, at)
        return came

    def counted(self, session, came, begin, end, latency):
        """The frames that count, see above; `latency`: how far behind it plays."""
        begin = max(begin, min(session.first or float("inf"), session.began + START))
        end = min(end, session.ended - latency)
        indexes = range(bisect.bisect_left(self.times, begin), bisect.bisect_left(self.times, end))
        return [Frame(self.times[index], came.get(index)) for index in indexes]


def latencies(frames):
    return [frame.arrived - frame.captured for frame in frames if frame.arrived is not None]


def on_time(frames, latency):
    """How many were there by then."""
    return sum(late <= latency + SLACK for late in latencies(frames))


def play(frames, behind, waits_until=None):
    """`waits_until`: when the player was ended, of one that is never told to go on without a frame. What later ones came without, it
    has left out all the same."""
    result = Playing()
    was_there, last_stall = True, float("-inf")
    last = max((index for index, frame in enumerate(frames) if frame.arrived is not None), default=-1)
    for index, frame in enumerate(frames):
        arrived = waits_until if frame.arrived is None and index > last else frame.arrived
        if arrived is None:
            result.gaps += was_there
            was_there = False
            continue
        late = arrived - frame.captured
        if late > behind + SLACK:
            result.stalls += frame.captured - last_stall > TOGETHER
            result.stalled += late - behind
            behind, last_stall = late, frame.captured
        was_there = True
    return result


def behind_at(session, latency):
    """How far behind capture it plays as the measured time begins: as at first, and as late as what came since."""
    begin = session.frames[0].captured if session.frames else float("inf")
    return max([session.behind, latency, *latencies([frame for frame in session.whole if frame.captured < begin])])


def spread(values, unit=""):
    """Median, 95th percentile and worst of the values that are there."""
    ordered = sorted(value for value in values if value is not None)
    if not ordered:
        return {}
    return {f"p50{unit}": percentile(ordered, 0.5), f"p95{unit}": percentile(ordered, 0.95), f"worst{unit}": ordered[-1]}


def evenness(values):
    """Jain's index: 1 when all give the same, 1/n when one gives all."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else None


def of_playing(views, latency):
    """What (frames, how far behind, when a player that never skips was ended) of all viewers come to."""
    views = [view for view in views if view[0]]
    frames = [frame for shown, *_ in views for frame in shown]
    played = [play(*view) for view in views]
    hours = sum(shown[-1].captured - shown[0].captured for shown, *_ in views) / 3600
    return {
        "continuity_percent": 100 * on_time(frames, latency) / len(frames) if frames else None,
        "continuity_worst_viewer_percent": min((100 * on_time(shown, latency) / len(shown) for shown, *_ in views), default=None),
        "delivered_percent": 100 * len(latencies(frames)) / len(frames) if frames else None,
        "viewer_hours": hours,
        "stalls_per_viewer_hour": sum(one.stalls for one in played) / hours if hours else None,
        "stalled_s_per_viewer_hour": sum(one.stalled for one in played) / hours if hours else None,
        "gaps_per_viewer_hour": sum(one.gaps for one in played) / hours if hours else None,
    }


def waits(sessions, name):
    """From opening the link, in order; for ever, of those that were there for START and have not had it."""
    due = [one for one in sessions if getattr(one, name) is not None or one.ended - one.began >= START]
    return sorted(float("inf") if getattr(one, name) is None else getattr(one, name) - one.began for one in due)


def of_sessions(sessions, latency, skips=True, asked=None):
    """Figures of what viewers saw; `skips`: whether the system leaves out what does not come, `asked`: how far behind its players are
    told to play, if that is not the latency by which frames are to be there."""
    asked = asked or latency
    late = sorted(latencies([frame for session in sessions for frame in session.frames]))
    firsts, pictures = waits(sessions, "first"), waits(sessions, "first_picture")
    whole = of_playing([(one.whole, max(one.behind, asked), None if skips else one.ended) for one in sessions], latency)
    return {
        "viewers": len({session.place for session in sessions}), "sessions": len(sessions),
        "served_percent": 100 * sum(first <= START for first in firsts) / len(firsts) if firsts else None,
        "first_byte_p50_s": percentile(firsts, 0.5), "first_byte_p95_s": percentile(firsts, 0.95),
        "first_picture_p50_s": percentile(pictures, 0.5), "first_picture_p95_s": percentile(pictures, 0.95),
        "latency_p50_s": percentile(late, 0.5), "latency_p99_s": percentile(late, 0.99), "latency_p999_s": percentile(late, 0.999),
        **of_playing([(one.frames, behind_at(one, asked), None if skips else one.ended) for one in sessions], latency),
        **{f"whole_{name}": value for name, value in whole.items()},
    }


def judge(figures, bars):
    """{figure: {value, bar, met}}"""
    verdicts = {}
    for name, bar in bars.items():
        value = figures.get(name)
        met = value is not None and bar.get("least", float("-inf")) <= value <= bar.get("most", float("inf"))
        verdicts[name] = {"value": value, **bar, "met": met}
    return verdicts
