"""A live event from an encoder to viewers in a chain: what they write, show and serve, and how they end."""
import re
import sys
import time
import urllib.request

import media
from harness import (EXIT_DONE, EXIT_INTERRUPTED, PATIENCE, ROOT, Case, check, check_tail, chunk_files, event_folder,
                     free_port, main, until, without_peers)

sys.path.insert(0, str(ROOT / "tests/support"))
from m3u8_checker import Playlist, Reloads  # noqa: E402: it is not beside this file

SECONDS = 16
PACKET = 188


def watch_chain(case: Case, link):
    """Three viewers, each writing a file; only the first knows the publisher, the others the one before."""
    viewers = [case.watch(link, "-o", case.folder / "first.ts")]
    for name in ("second.ts", "third.ts"):
        viewers.append(case.watch(without_peers(link), "-o", case.folder / name, peers=viewers[-1:]))
    return viewers


def check_viewers(case, viewers):
    for viewer, name in zip(viewers, ("first.ts", "second.ts", "third.ts")):
        viewer.event("end", 40)
        viewer.wait_exit(30, EXIT_DONE)
        check_tail(case.folder / name, case.folder / "archive", least=4)
        media.check_continuous(case.folder / name)
        media.check_decodes(case.folder / name)


def check_hls(viewer):
    """The sliding playlist while the event runs: every reload is right, every segment is there and whole packets."""
    viewer.until_status(lambda status: status["state"] == "live", 20, "plays")
    reloads, seen = Reloads(), {}

    def has_moved():
        text = viewer.get("/live.m3u8").decode()
        problems = reloads.check(text)
        check(not problems, f"live.m3u8: {problems[:3]}")
        for segment in Playlist(text).segments:
            if segment.uri not in seen:
                seen[segment.uri] = viewer.get(segment.uri)
                check(seen[segment.uri][:1] == b"G" and len(seen[segment.uri]) % 188 == 0,
                      f"{segment.uri} is no transport stream")
        return len(seen) >= 4

    until(has_moved, 30, "the playlist moves on", interval=0.25)
    retained = Playlist(viewer.get("/dvr.m3u8").decode()).segments
    check(len(retained) >= 4, f"the retained window lists {len(retained)} segments")


def test_viewers_in_a_chain_get_every_byte_of_an_encoder_on_standard_input(case):
    encoder, publisher = case.publish_from(media.encoder(SECONDS), "--chunk", "2", "--title", "A test")
    viewers = watch_chain(case, publisher.link)
    viewers[0].until_status(lambda status: status["title"] == "A test", 10, "knows the title")
    check_hls(viewers[2])
    encoder.wait_exit(SECONDS + 20, 0)
    publisher.event("end", 20)
    check_viewers(case, viewers)


def test_viewers_in_a_chain_get_every_byte_of_an_rtmp_encoder(case):
    port = free_port()
    address = f"rtmp://127.0.0.1:{port}/live/key"
    publisher = case.publish(address, "--chunk", "2")
    viewers = watch_chain(case, publisher.link)
    publisher.event("listening")
    encoder = case.run(media.encoder(SECONDS, ["-f", "flv", address]), "encoder")
    encoder.wait_exit(SECONDS + 20, 0)
    last = publisher.events("chunk")[-1]["number"]
    check(last >= 5, f"only {last} chunks of {SECONDS} s")
    # The listener waits for the encoder to come back; it is the person who ends the event.
    publisher.interrupt()
    publisher.event("end", 20)
    check_viewers(case, viewers)


def test_those_who_wait_for_an_event_get_its_beginning(case):
    address = f"rtmp://127.0.0.1:{free_port()}/live/key"
    # Twice the encoder's rate for three of them, so that each has most of it from the others.
    publisher = case.publish(address, "--chunk", "4", "--uplink", "1M")
    viewers = watch_chain(case, publisher.link)
    for viewer in viewers:
        viewer.until_status(lambda status: status["peers"], 20, "has a neighbour")
    encoder = case.run(media.encoder(10, ["-f", "flv", address]), "encoder")
    encoder.wait_exit(30, 0)
    publisher.interrupt()
    for viewer, name in zip(viewers, ("first.ts", "second.ts", "third.ts")):
        viewer.event("end", 40)
        viewer.wait_exit(30, EXIT_DONE)
        check_tail(case.folder / name, case.folder / "archive")
        lacks = sum(path.stat().st_size for path in chunk_files(event_folder(case.folder / "archive")))
        lacks -= (case.folder / name).stat().st_size
        check(lacks == 0, f"{name} lacks the first {lacks} bytes")


def check_interrupted(case, publisher, viewers):
    """Ctrl-C while the encoder sends: what was recorded is closed, announced and taken, and all of them end."""
    publisher.chunk(2)
    viewers[-1].chunk(1)
    publisher.interrupt()
    started = time.monotonic()
    publisher.wait_exit(30, EXIT_INTERRUPTED)
    took = time.monotonic() - started
    check(took < 7 * PATIENCE, f"the publisher took {took:.1f} s to stop")
    publisher.event("end")
    files = chunk_files(event_folder(case.folder / "archive"))
    last = publisher.events("chunk")[-1]["number"]
    check(last == len(files) >= 3, f"chunk {last} of {len(files)} was announced last")
    for viewer, name in zip(viewers, ("first.ts", "second.ts", "third.ts")):
        viewer.event("end", 30)
        viewer.wait_exit(30, EXIT_DONE)
        check_tail(case.folder / name, case.folder / "archive")


def test_interrupting_while_an_encoder_sends_on_standard_input_ends_the_event(case):
    _, publisher = case.publish_from(media.encoder(90), "--chunk", "3")
    check_interrupted(case, publisher, watch_chain(case, publisher.link))


def test_interrupting_while_an_rtmp_encoder_sends_ends_the_event(case):
    address = f"rtmp://127.0.0.1:{free_port()}/live/key"
    publisher = case.publish(address, "--chunk", "3")
    viewers = watch_chain(case, publisher.link)
    case.run(media.encoder(90, ["-f", "flv", address]), "encoder")
    check_interrupted(case, publisher, viewers)


def test_interrupting_before_the_encoder_comes_leaves_no_event(case):
    publisher = case.publish(f"rtmp://127.0.0.1:{free_port()}/live/key")
    case.watch(publisher.link).event("listening")
    publisher.until_status(lambda status: status["peers"], 20, "has a viewer")
    publisher.interrupt()
    publisher.wait_exit(10, EXIT_INTERRUPTED)
    check(not list((case.folder / "archive").iterdir()), "an empty event was left behind")


def test_hls_plays_from_a_live_edge_to_the_end(case):
    encoder, publisher = case.publish_from(media.encoder(SECONDS), "--chunk", "2")
    viewer = case.watch(publisher.link)
    viewer.until_status(lambda status: status["state"] == "live", 20, "plays")
    played = case.folder / "played.ts"
    player = case.run([*media.FFMPEG, "-live_start_index", "0", "-i", viewer.url + "live.m3u8", "-c", "copy", played],
                      "player")
    encoder.wait_exit(SECONDS + 20, 0)
    player.wait_exit(40, 0)
    length = media.check_continuous(played)
    check(length > SECONDS / 2, f"the player got {length:.1f} s of {SECONDS} s")
    media.check_decodes(played)
    viewer.wait_exit(30, EXIT_DONE)


def test_a_continuous_stream_starts_at_a_keyframe_and_decodes(case):
    _, publisher = case.publish_from(media.encoder(SECONDS), "--chunk", "2")
    viewer = case.watch(publisher.link)
    viewer.until_status(
        lambda status: status["playhead"] and status["playhead"]["chunk"] >= 2, 20, "is in chunk 2")
    viewer.until_status(lambda status: status["on_time"]["bytes"] > 0, 10, "counts bytes on time")
    recorded = case.folder / "recorded.ts"
    case.run([*media.FFMPEG, "-i", viewer.url + "stream.ts", "-t", "5", "-c", "copy", recorded], "player") \
        .wait_exit(30, 0)
    media.check_decodes(recorded)
    first = media.probe(recorded, "-select_streams", "v", "-show_entries", "packet=flags",
                        "-read_intervals", "%+#1")["packets"][0]
    check("K" in first["flags"], "the first picture is no keyframe")


def test_players_and_outputs_have_bytes_before_their_chunk_is_closed(case):
    _, publisher = case.publish_from(media.encoder(60), "--chunk", "60")
    viewer = case.watch(publisher.link)
    copy = case.folder / "copy.ts"
    with copy.open("wb") as output:
        writer = case.node(["watch", publisher.link, *case.loopback(), "-o", "-"], "writer", media=output)
    with urllib.request.urlopen(viewer.url + "stream.ts", timeout=30 * PATIENCE) as stream:
        played = stream.read(1000 * PACKET)
    until(lambda: copy.stat().st_size >= 1000 * PACKET, 30, "the output is written")
    status = viewer.status()
    check(not chunk_files(event_folder(case.folder / "archive")), "the first chunk is closed")
    check(status["chunks"]["from_edge"] == status["chunks"]["from_swarm"] == 0, f"chunks are whole: {status['chunks']}")
    check(len(played) == 1000 * PACKET and played[::PACKET] == b"G" * 1000, "what is played is no transport stream")
    check(writer.is_running(), "the writer ended")


def test_a_bitrate_that_the_source_does_not_state_is_measured(case):
    _, publisher = case.publish_from(media.encoder(30), "--chunk", "1")
    publisher.chunk(2)
    folder = event_folder(case.folder / "archive")
    until(lambda: re.search(r"media .*, [1-9]\d* kbit/s", case.once("inspect", folder).output), 20, "inspect says it")


if __name__ == "__main__":
    main()
