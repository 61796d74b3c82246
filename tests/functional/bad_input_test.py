"""What goes wrong at the edges gets one clear line and the right exit code, or a status and recovery."""
import os
import socket
import subprocess

import clients
import media
from harness import (EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, LOOPBACK, Skip, archive_bytes, check, chunk_files,
                     event_folder, main, until, without_peers)


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


def test_a_lost_source_is_a_status_and_comes_back(case):
    address = f"tcp://127.0.0.1:{clients.free_port()}?listen=1"
    target = ["-f", "mpegts", address.replace("?listen=1", "")]
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
        publisher.stop()
    finally:
        for process in case.started:
            process.stop()
        subprocess.run(["umount", small], check=False)


if __name__ == "__main__":
    main()
