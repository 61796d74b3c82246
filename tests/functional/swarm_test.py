"""Peers come and go: viewers keep what they have and find others."""
import signal
import time

import media
from harness import EXIT_DONE, check, chunk_files, chunk_number, event_folder, main, until, without_peers


def test_a_chunk_of_which_one_copy_left_reaches_all_ten_viewers(case):
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop", "--uplink", "1500k", "--no-edge")
    link = publisher.link
    viewers = [case.watch(link, "--no-edge") for _ in range(10)]
    for viewer in viewers:
        viewer.event("state", 40, state="live")
    newest = publisher.events("chunk")[-1]["number"] + 1
    publisher.chunk(newest, 20)
    given = publisher.status()["totals"]["up_payload"]  # of the chunks before it
    folder = event_folder(case.folder / "archive")
    size = next(path for path in chunk_files(folder) if chunk_number(path) == newest).stat().st_size

    def copies():
        return (publisher.status()["totals"]["up_payload"] - given) / size

    def is_out():
        return any(event["number"] >= newest for viewer in viewers for event in viewer.events("chunk"))

    # A copy's worth of bytes is a copy only when none of them left twice.
    until(lambda: copies() >= 1 and is_out(), 40, "one copy of a chunk has left", interval=0.005)
    left = copies()
    publisher.kill()
    print(f"{left:.2f} copies of chunk {newest} had left")
    check(left < 2, f"{left:.2f} copies had left before the publisher could be killed")
    for viewer in viewers:
        viewer.chunk(newest, 40)
        check(viewer.is_running(), "a viewer ended with the publisher")


def test_viewers_give_each_other_most_of_what_they_take(case):
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop", "--no-edge")
    viewers = [case.watch(publisher.link, "--no-edge") for _ in range(8)]
    for viewer in viewers:
        viewer.event("state", 40, state="live")
    last = publisher.events("chunk")[-1]["number"] + 4
    for viewer in viewers:
        viewer.chunk(last, 40)
    exchanged, givers = set(), set()  # connections end, and what is counted of them with them

    def everybody_gave():
        for viewer in viewers:
            for peer in viewer.status()["peers"]:
                if peer["down"] and not peer["source"]:
                    exchanged.add(frozenset((viewer.address, peer["address"])))
                    givers.add(peer["address"])
        return len(givers) == len(viewers)

    until(everybody_gave, 40, "every viewer gives something")
    peers = [peer for viewer in viewers for peer in viewer.status()["peers"]]
    taken = sum(peer["down"] for peer in peers)
    from_source = sum(peer["down"] for peer in peers if peer["source"])
    print(f"{from_source} of {taken} bytes came from the publisher; {len(exchanged)} pairs of viewers exchanged chunks")
    check(from_source < taken / 2, "the publisher gave half of it and more")
    # A chain or a star has as many pairs as viewers, or less.
    check(len(exchanged) > len(viewers), "too few pairs of viewers exchanged chunks")


def check_uplink(node, limit):
    """Over any twenty of 25 seconds no more than the limit leaves, all that BitTorrent sends included, and half of it does.

    On a busy machine a count can be most of a second old before it is told, which is a twentieth of twenty seconds.
    """
    counts = []  # the bytes; when they were not known yet, and when they were: they are counted once a second
    asked, known = time.monotonic(), node.status()["totals"]["up"]

    def enough_seconds_pass():
        nonlocal asked, known
        before, asked = asked, time.monotonic()
        was_known, known = known, node.status()["totals"]["up"]
        if known != was_known:
            counts.append((known, before, time.monotonic()))
        return counts and counts[-1][2] - counts[0][1] > 25

    until(enough_seconds_pass, 40, "25 seconds pass", interval=0.1)
    rates = [(last - first) * 8 / (end - start)
             for first, start, _ in counts for last, _, end in counts if end - start >= 20]
    print(f"at most {max(rates):.0f} bits per second of {limit} left over twenty seconds")
    check(max(rates) <= 1.05 * limit, f"{max(rates):.0f} bits per second left over twenty seconds")
    check(max(rates) >= 0.5 * limit, f"only {max(rates):.0f} bits per second left: the limit was not reached")


def test_the_uplink_limit_holds_on_loopback(case):
    limit = 200_000
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop", "--uplink", str(limit), "--no-edge")
    viewer = case.watch(publisher.link, "--no-edge")
    viewer.event("state", 40, state="live")  # the recording has more than twice the limit
    check_uplink(publisher, limit)


def test_the_uplink_limit_holds_with_a_live_edge(case):
    # Twice the recording's rate at the source, nothing at the viewers: more is wanted of it than it has.
    limit = 1_000_000
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop", "--uplink", str(limit))
    for _ in range(4):
        case.watch(publisher.link, "--uplink", "16k")
    publisher.until_status(lambda status: status["totals"]["up"] > limit / 8 * 5, 40, "sends")
    check_uplink(publisher, limit)


def test_who_steps_back_plays_at_the_latency_that_chunks_allow_and_returns(case):
    # Two copies for four viewers that have none to give.
    publisher = case.publish(media.recording(20), "--chunk", "4", "--loop", "--uplink", "1M")
    viewers = [case.watch(publisher.link, "--uplink", "16k") for _ in range(4)]

    def away():
        return [viewer for viewer in viewers if viewer.status()["edge"]["state"] == "stepped_back"]

    until(away, 60, "somebody steps back")
    until(lambda: any(viewer.status()["latency"]["target"] >= 7000 for viewer in away()), 30, "its latency is that of chunks")
    fed = [status for status in (viewer.status() for viewer in viewers) if status["edge"]["state"] == "fed"]
    print(f"{len(fed)} are fed, with latencies of {[status['latency']['target'] for status in fed]} ms")
    case.watch(publisher.link, "--uplink", "8M")
    until(lambda: all(viewer.status()["edge"]["state"] == "fed" for viewer in viewers), 60, "all are fed by one with uplink")
    newest = publisher.status()["newest_chunk"]
    for viewer in viewers:
        viewer.chunk(newest + 2, 40)
        viewer.until_status(lambda status: status["state"] == "live", 20, "plays")


def test_a_late_viewer_starts_near_the_live_edge(case):
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop", "--no-edge")
    early = case.watch(publisher.link, "--no-edge")
    publisher.chunk(6, 40)
    late = case.watch(publisher.link, "--no-edge", "-o", case.folder / "late.ts")
    status = late.until_status(lambda status: status["playhead"], 20, "plays")
    newest = publisher.status()["newest_chunk"]
    # Three seconds of latency and the two of a chunk are at most three chunks.
    check(newest - status["playhead"]["chunk"] <= 3,
          f"it started at chunk {status['playhead']['chunk']} when {newest} was the newest")
    late.until_status(lambda status: status["latency"]["now"] <= 6000, 20, "is within six seconds")
    check(early.status()["gaps"]["count"] == 0, "the early viewer has gaps")


def test_a_viewer_whose_only_peer_dies_moves_to_others(case):
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop")
    near = case.watch(publisher.link)
    near.event("state", 30, state="live")
    far = case.watch(without_peers(publisher.link), peers=[near])
    far.event("state", 30, state="live")
    before = far.until_status(lambda status: status["peers"], 20, "has a peer")["newest_chunk"]
    near.kill()
    publisher.chunk(before + 3, 40)
    far.chunk(before + 3, 40)
    check(far.status()["state"] == "live", "the viewer whose peer died does not play")


def test_a_killed_viewer_leaves_the_others_playing_and_comes_back(case):
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop", "--no-edge")
    cache = case.folder / "cache"
    killed = case.watch(publisher.link, "--no-edge", "--cache", cache, "--keep")
    other = case.watch(publisher.link, "--no-edge")
    killed.chunk(3, 40)
    killed.kill()
    again = case.watch(publisher.link, "--no-edge", "--cache", cache, "--keep")
    again.event("state", 30, state="live")
    newest = publisher.status()["newest_chunk"]
    again.chunk(newest + 1, 40)
    other.chunk(newest + 1, 40)
    check(other.status()["gaps"]["count"] == 0, "the other viewer has gaps")


def edge_of(viewers):
    return [viewer.status()["edge"] for viewer in viewers]


def check_lost_root(case, death):
    """Who the source feeds and others hang from is lost: each stripe finds another way to the source, and nobody misses a byte."""
    most_hops = 12
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop", "--uplink", "900k")
    viewers = [case.watch(publisher.link, "--latency", "5", "--uplink", "2M") for _ in range(6)]
    until(lambda: all(edge["state"] == "fed" for edge in edge_of(viewers)), 60, "all are fed")
    settled = publisher.status()["newest_chunk"] + 3
    for viewer in viewers:  # until what they lacked as they came has come or is given up
        viewer.chunk(settled, 40)

    def hang_from(one):
        return sum(stripe["parent"] == one.address for edge in edge_of(viewers) for stripe in edge["stripes"])

    def roots():
        fed = {peer["address"] for peer in publisher.status()["peers"] if peer["stripes_to"]}
        return [viewer for viewer in viewers if viewer.address in fed and hang_from(viewer)]

    root = until(lambda: max(roots(), key=hang_from, default=None), 20, "the source feeds somebody that others hang from")
    print(f"{hang_from(root)} stripes of others come from {root.name}")
    others = [viewer for viewer in viewers if viewer is not root]
    gaps = [viewer.status()["gaps"]["count"] for viewer in others]
    newest = publisher.status()["newest_chunk"]
    root.process.send_signal(death)

    def have_moved():
        edges = edge_of(others)
        parents = {stripe["parent"] for edge in edges for stripe in edge["stripes"]}
        return all(edge["state"] == "fed" for edge in edges) and root.address not in parents

    until(have_moved, 20, "nobody has a stripe of it any more")
    for viewer in others:
        viewer.chunk(newest + 4, 40)
    after = [viewer.status()["gaps"]["count"] for viewer in others]
    check(after == gaps, f"somebody missed something: {after} gaps, before {gaps}")
    hops = [stripe["hops"] for edge in edge_of(others) for stripe in edge["stripes"]]
    check(max(hops) < most_hops, f"paths of {hops} hops")


def test_a_child_of_the_source_that_is_killed_is_replaced(case):
    check_lost_root(case, signal.SIGKILL)


def test_a_child_of_the_source_that_falls_silent_is_replaced(case):
    check_lost_root(case, signal.SIGSTOP)


def test_viewers_of_an_event_that_ends_stop_by_themselves(case):
    publisher = case.publish(media.recording(10), "--chunk", "2")
    viewers = [case.watch(publisher.link) for _ in range(3)]
    publisher.event("end", 40)
    for viewer in viewers:
        viewer.event("end", 40)
        viewer.wait_exit(30, EXIT_DONE)


if __name__ == "__main__":
    main()
