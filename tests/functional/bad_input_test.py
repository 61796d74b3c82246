"""What goes wrong at the edges gets one clear line and the right exit code, or a status and recovery."""
import contextlib
import os
import shutil
import socket
import subprocess
import urllib.parse

import clients
import media
from harness import (EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, LOOPBACK, Skip, archive_bytes, check,
                     chunk_files, event_folder, main, until, without_peers)

UNSERVED = "magnet:?xs=urn:btpk:" + "a" * 64 + "&s=6d696e757465737761726d"


def check_refused(process, *words, code=EXIT_FAILED):
    """Ended with the code after one line on stderr that holds each of the words."""
    process.wait_exit(20, code)
    said = [line for line in process.errors.splitlines() if line.strip()]
    check(said, f"{process.command[1:3]} says nothing")
    for word in words:
        check(word.lower() in said[-1].lower(), f"'{word}' is not in: {said[-1]}")
    check(len(said) == 1, f"{len(said)} lines instead of one: {said[:5]}")


def publish_once(case, source, *options):
    return case.once("publish", source, "--key", case.folder / "channel.key", "--archive", case.folder / "archive",
                     *LOOPBACK, *options, seconds=30)


def test_a_missing_source_is_named(case):
    check_refused(publish_once(case, case.folder / "nothing.ts"), "nothing.ts")


def test_an_unreadable_source_is_named(case):
    noise = case.folder / "noise.ts"
    noise.write_bytes(bytes((i * 7919 >> 3) & 0xFF for i in range(200000)))
    check_refused(publish_once(case, noise), "noise.ts")


def test_an_empty_standard_input_is_said(case):
    check_refused(publish_once(case, "-"))


def test_a_source_without_picture_and_sound_is_refused(case):
    text = case.folder / "subtitles.srt"
    text.write_text("1\n00:00:00,000 --> 00:00:05,000\nNothing to see\n")
    check_refused(publish_once(case, text), "audio")


def check_command_helps(case, source, streams):
    """Refused with a command to paste, which then does what it promises."""
    refused = publish_once(case, source)
    check_refused(refused, "ffmpeg -i INPUT")
    check("--transcode" not in refused.errors, f"it names an option that is none: {refused.errors}")
    check(not list((case.folder / "archive").iterdir()), "an empty event was left behind")
    encoding, _, publishing = refused.errors.strip().splitlines()[-1].partition("ffmpeg ")[2].partition(" | ")
    check(publishing.startswith("minuteswarm publish - "), f"no command to paste: {refused.errors}")
    words = [str(source) if word == "INPUT" else word for word in encoding.split()]
    encoder, publisher = case.publish_from([*media.FFMPEG, *words], "--chunk", "2", "--as-fast-as-possible")
    encoder.wait_exit(60, 0)
    publisher.event("end", 40)
    whole = case.folder / "whole"
    whole.write_bytes(archive_bytes(case.folder / "archive"))
    check(media.streams(whole) == streams, f"{media.streams(whole)}")


def test_codecs_of_the_web_are_refused_with_the_command_that_helps(case):
    webm = media.made("vp9-opus-6s.webm", [*media.picture_and_beeps(6, "160x90", 15), "-c:v", "libvpx-vp9", "-deadline",
                                           "realtime", "-cpu-used", "8", "-g", "30", "-b:v", "100k", "-c:a", "libopus"])
    check_command_helps(case, webm, {"video": "h264", "audio": "aac"})


def test_a_sound_that_is_not_carried_is_refused_with_the_command_that_helps(case):
    flac = media.made("tone-6s.flac", ["-f", "lavfi", "-t", "6", "-i", "sine=frequency=440:sample_rate=44100"])
    check_command_helps(case, flac, {"audio": "aac"})


def test_a_taken_port_is_named(case):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        address = f"127.0.0.1:{port}"
        source = media.recording(20)
        check_refused(publish_once(case, source, "--http", address), port)
        check_refused(publish_once(case, source, "--listen", address), port)


def test_a_taken_default_port_gives_way_to_the_next(case):
    """Whoever has 8088 here, this test or another program."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            taken.bind(("127.0.0.1", 8088))
            taken.listen()
        viewer = case.node(["watch", UNSERVED, "--json", *LOOPBACK])
        port = int(viewer.url.rstrip("/").rpartition(":")[2])
        check(port > 8088, f"it took port {port}")
        check(viewer.status()["role"] == "watch", "it does not answer there")


def test_links_that_are_none_are_refused(case):
    key = "a" * 64
    torrent = "magnet:?xt=urn:btih:" + "b" * 40 + "&dn=Something"
    for link, word in (("magnet:?xs=urn:btpk:abc&s=6d696e757465737761726d", "key"), ("https://example.org/", "link"),
                       (torrent, "torrent"), ("magnet:?", "magnet"), (f"magnet:?xs=urn:btpk:{key}&s=00", "salt")):
        process = case.once("watch", link, *LOOPBACK, seconds=20)
        check(process.process.returncode in (EXIT_FAILED, EXIT_USAGE), f"{link}: {process.process.returncode}")
        check_refused(process, word, code=process.process.returncode)


def test_a_key_in_use_is_refused(case):
    first = case.publish(media.recording(20), "--loop", "--chunk", "2")
    first.event("link")
    check_refused(publish_once(case, media.recording(20)), "another process", "channel.key")
    check(first.is_running(), "the first publisher ended")


def test_a_reader_that_stops_does_not_keep_the_program_from_ending(case):
    event = finished(case)
    viewer = case.node(["watch", event, *LOOPBACK, "-o", "-"], "viewer", media=subprocess.PIPE)
    check(len(viewer.process.stdout.read(20000)) == 20000, "the output ended early")
    viewer.interrupt()
    viewer.wait_exit(10, EXIT_INTERRUPTED)


def finished(case):
    """The folder of an event that is over."""
    case.publish(media.recording(6), "--chunk", "2", "--as-fast-as-possible").wait_exit(40, EXIT_DONE)
    return event_folder(case.folder / "archive")


def test_what_is_no_event_is_named_with_what_to_give_instead(case):
    event = finished(case)
    (case.folder / "empty").mkdir()
    (case.folder / "notes.txt").write_text("Nothing to see\n")
    film, wanted = str(media.recording(6)), "event's folder"
    for given, words in (("archive", ("archive holds one event", event.name)), ("notes.txt", ("notes.txt", wanted)),
                         ("empty", ("empty is empty", "<channel>-<event>")), (film, (film, wanted)),
                         (event / "chunks", ("chunks is not an event's folder", "<channel>-<event>"))):
        for command in (("seed", given, *LOOPBACK), ("watch", given, *LOOPBACK), ("export", given, "-o", "out.mp4"),
                        ("inspect", given), ("link", given)):
            check_refused(case.once(*command), *words)
    second = event.with_name(event.name[:-1] + ("1" if event.name[-1] == "0" else "0"))
    shutil.copytree(event, second)
    check_refused(case.once("inspect", "archive"), "archive holds 2 events", max(event.name, second.name))


def test_a_link_in_a_file_is_judged_with_its_name(case):
    link = case.folder / "link.txt"
    link.write_text(UNSERVED + "\n")
    check("a" * 64 in case.once("inspect", "link.txt", code=EXIT_DONE).output, "the file's link is not read")
    link.write_text("magnet:?xs=urn:btpk:abc\n")
    for command in ("watch", "relay", "inspect"):
        check_refused(case.once(command, "link.txt"), "link.txt", "key")
    check_refused(case.once("relay", "home"), "home is a folder", "seed")
    check_refused(case.once("watch", "-", *LOOPBACK), "standard input holds no link")


def test_a_file_is_replaced_only_when_asked(case):
    event = finished(case)
    for name, command in (("out.ts", ("watch", event, "-o", "out.ts")), ("out.mp4", ("export", event, "-o", "out.mp4"))):
        output = case.folder / name
        output.write_text("precious")
        check_refused(case.once(*command), name, "--force")
        check(output.read_text() == "precious", f"{command[0]} replaced it")
        case.once(*command, "--force", code=EXIT_DONE)
        check(output.stat().st_size > 10000, f"{command[0]} --force wrote {output.stat().st_size} bytes")
    case.once("watch", event, "-o", "/dev/null", code=EXIT_DONE)
    pipe = case.folder / "pipe"
    os.mkfifo(pipe)
    reader = case.run(["cat", pipe])
    case.once("watch", event, "-o", pipe, code=EXIT_DONE)
    reader.wait_exit(20, 0)
    check(reader.output_path.read_bytes() == archive_bytes(case.folder / "archive"), "the pipe got something else")


def test_an_event_given_twice_is_seeded_once(case):
    event = finished(case)
    seeder = case.seed(event, f"{event}/")
    said = seeder.event("warning", 20)["message"]
    check(event.name in said and "left out" in said, f"it says: {said}")
    seeder.until_status(lambda status: status["chunks"]["held"] == len(chunk_files(event)), 20, "holds each chunk once")
    check(seeder.link and len(seeder.events("seeding")) == 1, f"{seeder.events('seeding')}")


def test_facts_are_notices_and_problems_are_warnings(case):
    publisher = case.publish(media.recording(20), "--loop", "--chunk", "2")
    publisher.event("notice", 20, message=lambda text: text.startswith("recording h264"))
    viewer = case.watch(publisher.link)
    viewer.event("state", 30, state="live")
    for node in (publisher, viewer):
        check(not node.events("warning"), f"{node.name}: {node.events('warning')}")
    waiting = case.publish(f"tcp://127.0.0.1:{clients.free_port()}?listen=1", key="other.key", archive="other")
    waiting.event("warning", 20, message=lambda text: "waiting for the encoder" in text)
    check(not waiting.events("notice"), f"{waiting.events('notice')}")


def newer_peer(address, link):
    """Joins a node's channel swarm as one that speaks a later version of ms_channel; returns its connection."""
    handshake = clients.encode({b"m": {b"ms_channel": 7}, b"ms": clients.encode({b"v": 2})})
    host, _, port = address.rpartition(":")
    peer = socket.create_connection((host, int(port)), timeout=20)
    peer.sendall(b"\x13BitTorrent protocol" + b"\0\0\0\0\0\x10\0\0" + bytes.fromhex(clients.channel_hash(link)) +
                 os.urandom(20) + (len(handshake) + 2).to_bytes(4, "big") + b"\x14\0" + handshake)
    return peer


def told_of_newer_protocol(node):
    return [event["message"] for event in node.events() if "newer protocol" in event.get("message", "")]


def test_a_newer_protocol_is_told_once(case):
    publisher = case.publish(media.recording(20), "--loop", "--chunk", "2")
    publisher.chunk(1)
    seeder = case.seed(event_folder(case.folder / "archive"))
    viewer = case.watch(publisher.link)
    for node in (publisher, seeder, viewer):
        for _ in range(2):
            with newer_peer(node.address, publisher.link) as peer:
                while peer.recv(4096):  # until it is hung up on
                    pass
        check(node.status()["role"], f"{node.name} does not answer any more")
        said = until(lambda: told_of_newer_protocol(node), 5, f"{node.name} says that there is a newer protocol")
        check(len(said) == 1 and "update" in said[0], f"{node.name} says {said}")


def test_a_link_that_nobody_serves_is_noted(case):
    viewer = case.watch(UNSERVED)
    note = viewer.until_status(lambda status: status["note"], 45, "notes that nobody is there")["note"]
    check("no peers" in note and "\n" not in note, f"it notes: {note}")
    viewer.event("warning", 5, message=note)
    check(viewer.status()["state"] == "starting", f"{viewer.status()['state']}")


def test_a_viewer_that_comes_before_its_publisher_waits_and_says_so(case):
    first = case.publish(media.recording(10), "--chunk", "2", "--as-fast-as-possible")
    link, address = first.link, first.address
    first.interrupt()
    first.wait_exit(20)
    early = case.watch(without_peers(link), "--peer", address)
    status = early.until_status(lambda status: status["state"] == "starting", 10, "says it is starting")
    check(status["peers"] == [], f"it has peers: {status['peers']}")
    case.publish(media.recording(20), "--loop", "--chunk", "2", "--listen", address, archive="second")
    early.event("state", 40, state="live")


def check_encoder_leaves_and_comes_back(case, address, target):
    publisher = case.publish(address, "--chunk", "2")
    publisher.event("link")
    viewer = case.watch(publisher.link)

    def send(seconds):
        return case.run(media.encoder(seconds, target), "encoder").wait_exit(seconds + 30)

    until(lambda: send(8) == 0, 60, "the encoder connects")
    before = publisher.events("chunk")[-1]["number"]
    viewer.until_status(lambda status: status["state"] == "stalled", 30, "says that it stalls")
    until(lambda: send(8) == 0, 60, "the encoder connects again")
    publisher.chunk(before + 2, 30)
    viewer.chunk(before + 2, 30)
    check(publisher.is_running() and viewer.is_running(), "the encoder's leave ended the event")


def test_a_lost_source_is_a_status_and_comes_back(case):
    address = f"tcp://127.0.0.1:{clients.free_port()}"
    check_encoder_leaves_and_comes_back(case, address + "?listen=1", ["-f", "mpegts", address])


def test_an_rtmp_encoder_leaves_and_comes_back(case):
    address = f"rtmp://127.0.0.1:{clients.free_port()}/live/key"
    check_encoder_leaves_and_comes_back(case, address, ["-f", "flv", address])


def test_a_second_publisher_with_a_copy_of_the_key_is_told(case):
    first = case.publish(media.recording(20), "--loop", "--chunk", "2")
    first.chunk(1)
    shutil.copy(case.folder / "channel.key", case.folder / "copy.key")
    address = urllib.parse.parse_qs(urllib.parse.urlsplit(first.link).query)["x.pe"][0]
    second = case.publish(media.recording(20), "--loop", "--chunk", "2", "--peer", address, key="copy.key", archive="other")
    until(lambda: not (first.is_running() and second.is_running()), 30, "one of them stops")
    loser = second if first.is_running() else first
    loser.wait_exit(30, EXIT_FAILED)
    said = loser.events("error")[-1]["message"]
    check("another publisher is using this channel's key" in said, f"it said: {said}")
    check((second if loser is first else first).is_running(), "both of them stopped")


def test_interrupting_once_closes_and_announces_the_chunk_in_progress(case):
    publisher = case.publish(media.recording(20), "--loop", "--chunk", "4")
    viewer = case.watch(publisher.link, "-o", case.folder / "out.ts")
    publisher.chunk(1)
    folder = event_folder(case.folder / "archive")
    until(lambda: [part for part in (folder / "chunks").glob("*.part") if part.stat().st_size > 20000], 20,
          "a chunk is in progress")
    publisher.interrupt()
    publisher.wait_exit(30, EXIT_INTERRUPTED)
    check(not list((folder / "chunks").glob("*.part")), "a chunk was left open")
    last = len(chunk_files(folder))
    check(last >= 2, "the chunk in progress was not closed")
    check(publisher.events("chunk")[-1]["number"] == last, "the last chunk was not announced")
    viewer.chunk(last, 30)


def test_interrupting_a_viewer_stops_it_cleanly(case):
    publisher = case.publish(media.recording(20), "--loop", "--chunk", "2")
    viewer = case.watch(publisher.link, "-o", case.folder / "out.ts")
    viewer.event("state", 30, state="live")
    viewer.interrupt()
    viewer.wait_exit(15, EXIT_INTERRUPTED)
    check(publisher.is_running(), "the publisher ended with its viewer")


def test_a_full_disk_is_said_and_recovered_from(case):
    if os.geteuid() != 0:
        raise Skip("a small disk to fill can only be mounted by root")
    small = case.folder / "small"
    small.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], capture_output=True, check=False)
    if mount.returncode != 0:
        raise Skip(f"can't mount a small disk: {mount.stderr.decode(errors='replace').strip()}")
    try:
        filler = small / "filler"
        filler.write_bytes(b"\0" * 1500 * 1024)
        publisher = case.publish(media.recording(20), "--loop", "--chunk", "2", archive="small/archive")
        said = publisher.event("warning", 40, message=lambda text: text and "disk" in text.lower())
        check("\n" not in said["message"], "the warning is more than one line")
        check(publisher.is_running(), "the publisher ended")
        filler.unlink()
        newest = max([event["number"] for event in publisher.events("chunk")], default=0)
        publisher.chunk(newest + 1, 40)
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        publisher.until_status(lambda status: status["disk"]["failing"], 40, "says that the disk fails")
        publisher.interrupt()
        publisher.wait_exit(20, EXIT_FAILED)
        said = publisher.event("error")["message"]
        check("is kept" in said and "same command" in said and "waits" not in said, f"it says: {said}")
    finally:
        for process in case.started:
            process.stop()
        subprocess.run(["umount", small], check=False)


if __name__ == "__main__":
    main()
