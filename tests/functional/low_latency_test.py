"""Low-latency HLS from the live edge: parts, blocking reloads, hints, and players that know nothing of them."""
import sys
import threading
import time
import urllib.error

import media
from harness import ROOT, check, chunk_files, chunk_number, event_folder, main, until
from page_test import install_playwright, look

for folder in ("tests/support", "tests/bench"):
    sys.path.insert(0, str(ROOT / folder))
from ll_client import LowLatencyClient, latency_behind_muxer  # noqa: E402: these are not beside this file
from m3u8_checker import Playlist, Reloads  # noqa: E402

PACKET = 188


def start(case, *options, seconds=90, chunk=2):
    """Publisher and viewer of a live edge whose playlist has parts."""
    _, publisher = case.publish_from(media.encoder(seconds), "--chunk", str(chunk))
    viewer = case.watch(publisher.link, *options)
    viewer.until_status(lambda status: status["state"] == "live", 20, "plays")
    until(lambda: Playlist(viewer.get("/live.m3u8").decode()).part_target, 30, "the playlist has parts")
    return publisher, viewer


def status_of(node, path):
    try:
        node.get(path)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def check_parts(part_bodies, client):
    """Parts of a closed segment are the segment, one after the other; returns {segment's URI: its bytes}."""
    whole = {}
    for at, segment in enumerate(client.playlist.segments, client.playlist.first_sequence):
        bodies = [part_bodies.get((at, index)) for index in range(len(segment.parts))]
        if not bodies or None in bodies:
            continue
        whole[segment.uri] = client.get(segment.uri)
        check(b"".join(bodies) == whole[segment.uri], f"the parts of {segment.uri} are not the segment")
    return whole


def test_a_low_latency_player_gets_every_part_of_every_chunk(case):
    publisher, viewer = start(case)
    client, reloads, bodies, segments = LowLatencyClient(viewer.url + "live.m3u8"), Reloads(fixed_target=False), {}, {}
    waited = 0
    while len(segments) < 4:
        known = client.playlist and (client.playlist.next_sequence, len(client.playlist.parts))
        playlist = client.reload()
        problems = reloads.check(client.text)
        check(not problems, f"live.m3u8: {problems[:3]}\n{client.text}")
        check(not playlist.has_ended, "the event ended too early")
        if known:
            listed = dict(playlist.all_parts())
            check(known in listed or known[0] < playlist.next_sequence, f"a blocking reload came back without {known}")
            waited += 1
        for part in client.new_parts():
            check(part.body[:1] == b"G" and len(part.body) % PACKET == 0, f"{part.uri} is no transport stream")
            bodies[part.sequence, part.index] = part.body
        segments.update(check_parts(bodies, client))
    check(waited > 3 * len(segments), f"only {waited} reloads for {len(segments)} segments")
    archived = {f"chunks/{chunk_number(path)}.ts": path for path in chunk_files(event_folder(case.folder / "archive"))}
    for uri, body in segments.items():
        check(uri in archived and archived[uri].read_bytes() == body, f"{uri} is not the publisher's chunk")


def test_a_hinted_part_is_held_until_it_is_there(case):
    _, viewer = start(case)
    client = LowLatencyClient(viewer.url + "live.m3u8")
    held = LowLatencyClient(viewer.url + "live.m3u8")
    for _ in range(8):
        playlist = client.reload()
        wanted, answer = playlist.hint, []
        fetch = threading.Thread(target=lambda: answer.append(held.get(wanted)))
        fetch.start()
        client.reload()
        fetch.join(20)
        check(answer, f"{wanted} was not answered")
        listed = {part.uri for _, part in client.playlist.all_parts()}
        check(wanted in listed, f"{wanted} was hinted at but isn't listed")
        check(client.get(wanted) == answer[0] and answer[0][:1] == b"G", f"{wanted} changed")


def test_impossible_reloads_and_parts_are_refused(case):
    _, viewer = start(case)
    playlist = Playlist(viewer.get("/live.m3u8").decode())
    for query in ("_HLS_part=0", "_HLS_msn=x", "_HLS_msn=-1", f"_HLS_msn={playlist.next_sequence + 40}",
                  f"_HLS_msn={playlist.next_sequence}&_HLS_part=4000"):
        check(status_of(viewer, f"/live.m3u8?{query}") == 400, f"{query} is not refused")
    check(status_of(viewer, f"/live.m3u8?_HLS_msn={playlist.first_sequence}") == 200, "an old segment is waited for")
    check(status_of(viewer, "/parts/4000-0.ts") == 404, "a part of a far chunk is waited for")


def test_ffmpeg_plays_a_low_latency_playlist_as_plain_hls(case):
    _, viewer = start(case)
    played = case.folder / "played.ts"
    case.run([*media.FFMPEG, "-i", viewer.url + "live.m3u8", "-t", "6", "-c", "copy", played], "player") \
        .wait_exit(40, 0)
    check(media.check_continuous(played) > 4, "too little was played")
    media.check_decodes(played)


def test_a_publishers_own_playlist_and_a_viewer_without_the_edge_have_no_parts(case):
    publisher, viewer = start(case)
    plain = case.watch(publisher.link, "--no-edge")
    plain.until_status(lambda status: status["state"] == "live", 20, "plays")
    for node in (publisher, plain):
        until(lambda node=node: len(Playlist(node.get("/live.m3u8").decode()).segments) >= 2, 20, "lists chunks")
        check(b"PART" not in node.get("/live.m3u8"), f"{node.name} offers parts")
    check(b"PART" in viewer.get("/live.m3u8"), "the viewer at the edge has none any more")


def test_parts_come_long_before_their_chunk_is_closed(case):
    """Not how fast the machine is: parts are there while their chunk, eight seconds long, is being recorded. The playlist begins when
    the one before is closed."""
    _, viewer = start(case, chunk=8)
    closed = chunk_files(event_folder(case.folder / "archive"))
    result = latency_behind_muxer(viewer.url + "live.m3u8", 5)
    check(result["parts"] >= 8, f"only {result['parts']} parts in 5 s")
    check(chunk_files(event_folder(case.folder / "archive")) == closed, "a chunk was closed meanwhile")
    print(f"{viewer.name}: {result}")


def test_the_page_plays_close_to_the_live_edge(case):
    install_playwright()
    _, viewer = start(case)
    seen = look(case, viewer.url, "page-low-latency", "low-latency")
    check("error" not in seen, seen.get("error"))
    check(not seen["refused"], f"the player is refused {seen['refused'][:3]}")
    check(seen["advanced"] > 1, f"the clock advanced {seen['advanced']} s in {seen['watched']} s: {seen}")
    check(seen["isLow"] and seen["parts"] >= 5, f"the player took {seen['parts']} parts")
    check(seen["target"] < 4, f"the player wants to be {seen['target']} s behind the live edge")
    check(not seen["complaints"], f"the page complains: {seen['complaints'][:3]}")
    print(f"hls.js: {seen['latency']:.2f} s behind the edge, wanted {seen['target']:.2f} s, {seen['parts']} parts")


def test_the_end_of_an_event_ends_the_playlist_and_its_parts(case):
    publisher, viewer = start(case)
    client, reloads = LowLatencyClient(viewer.url + "live.m3u8"), Reloads(fixed_target=False)
    publisher.interrupt()
    end = time.monotonic() + 30
    while not (client.playlist and client.playlist.has_ended) and time.monotonic() < end:
        client.reload()
        problems = reloads.check(client.text)
        check(not problems, f"live.m3u8: {problems[:3]}\n{client.text}")
    check(client.playlist.has_ended and not client.playlist.all_parts(), "the playlist does not end")
    client.close()


if __name__ == "__main__":
    main()
