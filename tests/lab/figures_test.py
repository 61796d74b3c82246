"""The arithmetic behind the lab's figures."""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("functional", "bench")]
from cases import with_viewers  # noqa: E402
from figures import Captures, Frame, Session, behind_at, evenness, judge, of_sessions, play  # noqa: E402
from harness import check, main  # noqa: E402


def equal(got, wanted):
    check(got == wanted, f"{got} instead of {wanted}")


def steady(count, late, begin=100.0):
    return [Frame(begin + index / 10, begin + index / 10 + late) for index in range(count)]


def test_frames_are_told_by_their_bytes_also_when_the_source_repeats_itself(_):
    captures = Captures([(1.0, 0, "a", 1), (2.0, 1, "b", 2), (11.0, 10, "a", 3)])
    equal(captures.arrivals([(1.5, 77, "a", 1), (1.6, 77, "a", 2), (12.0, 99, "a", 3), (12.5, 99, "x", 4)]), {0: 1.5, 2: 12.0})


def test_a_viewer_is_judged_from_its_first_byte_to_its_leave(_):
    captures = Captures([(float(second), 0, str(second), 0) for second in range(100)])
    session = Session("a", began=10.0, ended=50.0, first=12.5)
    counted = captures.counted(session, {13: 14.0}, begin=float("-inf"), end=100, latency=3)
    equal((counted[0], counted[-1].captured, len(counted)), (Frame(13.0, 14.0), 46.0, 34))
    never = captures.counted(Session("b", began=10.0, ended=50.0), {}, begin=0, end=100, latency=3)
    equal((never[0].captured, len(never)), (20.0, 27))


def test_a_late_frame_is_a_stall_and_the_player_is_later_from_then_on(_):
    frames = steady(100, 1.0)
    for index in (50, 51, 52):
        frames[index].arrived += 3.0
    frames[80].arrived += 2.5
    played = play(frames, 2.0)
    equal((played.stalls, round(played.stalled, 6), played.gaps), (1, 2.0, 0))
    equal(play(steady(10, 7.0), 7.0).stalls, 0)


def test_who_was_late_before_the_measured_time_is_so_in_it(_):
    whole = steady(100, 1.0)
    whole[20].arrived += 5.0
    session = Session("a", 90.0, 200.0, 99.0, whole, whole[50:], behind=2.5)
    equal((behind_at(session, 2.0), behind_at(session, 9.0)), (6.0, 9.0))
    session.whole = whole[21:]
    equal(behind_at(session, 2.0), 2.5)


def test_a_player_that_began_three_segments_back_waits_for_none_of_them(_):
    segments = [Frame(100 + index / 10, 100 + (index // 40 + 1) * 4.0) for index in range(400)]
    equal(play(segments[10:], 12.0).stalls, 0)
    equal(play(segments[10:], 3.0).stalls, 1)


def test_frames_that_never_come_are_gaps_and_no_stall(_):
    frames = steady(100, 1.0)
    for index in (10, 11, 40):
        frames[index].arrived = None
    played = play(frames, 2.0)
    equal((played.stalls, played.gaps), (0, 2))


def test_a_player_that_leaves_nothing_out_waits_until_its_end(_):
    frames = steady(100, 1.0)
    for frame in frames[60:]:
        frame.arrived = None
    played = play(frames, 2.0, waits_until=120.0)
    equal((played.stalls, round(played.stalled, 6), played.gaps), (1, 12.0, 0))


def test_what_such_a_player_has_left_out_all_the_same_is_a_gap(_):
    frames = steady(100, 1.0)
    for index in (30, 31, 99):
        frames[index].arrived = None
    played = play(frames, 2.0, waits_until=120.0)
    equal((played.stalls, played.gaps), (1, 1))


def test_figures_of_two_viewers(_):
    good, bad = steady(100, 0.5), steady(50, 0.5) + [Frame(105 + index / 10, None) for index in range(50)]
    before = [Frame(99 + index / 10, None) for index in range(10)]
    never = Session("c", 90.0, 200.0)
    sessions = [Session("a", 90.0, 200.0, 91.0, before + good, good), Session("b", 90.0, 200.0, 101.5, bad, bad), never]
    figures = of_sessions(sessions, 3)
    equal((figures["continuity_percent"], figures["continuity_worst_viewer_percent"], round(figures["served_percent"])), (75.0, 50.0, 33))
    equal((round(figures["whole_continuity_percent"], 3), figures["first_byte_p95_s"]), (round(100 * 150 / 210, 3), float("inf")))
    equal((figures["first_byte_p50_s"], figures["first_picture_p50_s"]), (11.5, float("inf")))
    hours = figures["whole_viewer_hours"]
    equal((figures["whole_gaps_per_viewer_hour"] * hours, figures["whole_stalls_per_viewer_hour"]), (2, 0))
    equal(of_sessions(sessions, 3, skips=False)["whole_gaps_per_viewer_hour"] * hours, 1)
    verdicts = judge(figures, {"continuity_percent": {"least": 99.9}, "latency_p99_s": {"most": 2}, "absent": {"least": 0}})
    equal([verdict["met"] for verdict in verdicts.values()], [False, True, False])


def test_a_scenario_with_more_viewers_has_the_same_mixture_and_pace(_):
    plan = {"about": "Some", "settle": 30, "arrivals": {"within": 12}, "viewers": [{"count": 8, "line": "fibre"}, {"count": 16, "line": "dsl"}]}
    more = with_viewers(plan, 48)
    equal(([spec["count"] for spec in more["viewers"]], more["settle"], more["arrivals"]), ([16, 32], 60, {"within": 24}))
    equal([spec["count"] for spec in with_viewers(plan, 3)["viewers"]], [1, 2])


def test_evenness_is_one_when_all_give_the_same(_):
    equal((evenness([2, 2, 2, 2]), evenness([8, 0, 0, 0]), evenness([0, 0])), (1.0, 0.25, None))


if __name__ == "__main__":
    main()
