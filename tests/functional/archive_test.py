"""Finished events: watched without their publisher, exported, inspected, repaired."""
import os
import re
import shutil

import media
from harness import (EXIT_DONE, archive_bytes, check, check_tail, chunk_files, chunk_number, event_folder, main, until,
                     without_peers)

SECONDS = 20


def finished(case, *options):
    """The folder of an event that is over, and its link without any address."""
    publisher = case.publish(media.recording(SECONDS), "--chunk", "2", "--as-fast-as-possible", *options)
    link = publisher.link
    publisher.event("end", 40)
    publisher.interrupt()
    publisher.wait_exit(20)
    return event_folder(case.folder / "archive"), without_peers(link)


def damage(folder, which):
    """Overwrites some bytes in the middle of a chunk."""
    path = chunk_files(folder)[which]
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\0" * 1000)
    return path


def test_a_finished_event_is_watched_from_a_seed_alone(case):
    folder, link = finished(case)
    seeder = case.seed(folder)
    output = case.folder / "whole.ts"
    viewer = case.watch(link, "-o", output, peers=[seeder])
    viewer.event("end", 60)
    viewer.wait_exit(30, EXIT_DONE)
    check(check_tail(output, case.folder / "archive") == 1, "the viewer did not start at the first chunk")
    media.check_continuous(output)
    check(abs(media.duration(output) - SECONDS) < 0.5, f"{media.duration(output)} s of {SECONDS} s")


def test_a_long_event_is_watched_from_its_start(case):
    # More chunks than one answer has records, and than a session has torrents.
    publisher = case.publish(media.recording(80, gop=0.5), "--chunk", "1", "--as-fast-as-possible")
    publisher.event("end", 60)
    publisher.wait_exit(20, EXIT_DONE)
    folder = event_folder(case.folder / "archive")
    check(len(chunk_files(folder)) > 70, f"there are only {len(chunk_files(folder))} chunks")
    seeder = case.seed(folder)
    output = case.folder / "whole.ts"
    viewer = case.watch(without_peers(publisher.link), "-o", output, peers=[seeder])
    viewer.wait_exit(100, EXIT_DONE)
    check(output.read_bytes() == archive_bytes(case.folder / "archive"), "the output differs from the archive")


def short_chunks(case, *options):
    """The folder of an event of one-second chunks that is over, and its link without any address."""
    publisher = case.publish(media.recording(20, gop=0.5), "--chunk", "1", "--as-fast-as-possible", *options)
    publisher.wait_exit(60, EXIT_DONE)
    return event_folder(case.folder / "archive"), without_peers(publisher.link)


def test_a_finished_event_is_played_past_chunks_that_nobody_has(case):
    folder, link = short_chunks(case)
    missing = chunk_files(folder)[8:14]
    for path in missing:
        path.unlink()
    seeder = case.seed(folder)
    output = case.folder / "out.ts"
    viewer = case.watch(link, "-o", output, peers=[seeder])
    viewer.event("warning", 30, message=lambda text: "nobody here has chunks 9 to 14" in text)
    status = viewer.until_status(lambda status: status["gaps"]["count"], 30, "skips what is missing")
    check(status["gaps"]["count"] == 1 and 5500 < status["gaps"]["media_time"] < 6500, f"gaps: {status['gaps']}")
    viewer.wait_exit(40, EXIT_DONE)
    left = sum(path.stat().st_size for path in chunk_files(folder))
    check(output.stat().st_size == left, f"{output.stat().st_size} bytes of the {left} that are there")


def test_a_finished_event_whose_front_was_not_retained_is_played_from_what_is_left(case):
    folder, link = short_chunks(case, "--retain", "2s")
    first = chunk_number(chunk_files(folder)[0])
    check(first > 3, f"chunk {first} is the first one retained")
    seeder = case.seed(folder)
    output = case.folder / "out.ts"
    viewer = case.watch(link, "-o", output, peers=[seeder])
    viewer.wait_exit(40, EXIT_DONE)
    check(output.read_bytes() == archive_bytes(case.folder / "archive"), "the output differs from what is left")


def check_players_get_the_start(case, viewer):
    viewer.until_status(lambda status: status["state"] == "ended", 40, "has it all")
    playlist = viewer.get("/live.m3u8").decode()
    check("\nchunks/1.ts\n" in playlist and "#EXT-X-ENDLIST" in playlist, f"live.m3u8 is {playlist}")
    check(viewer.get("/stream.ts") == archive_bytes(case.folder / "archive"), "the stream differs from the archive")


def test_players_of_a_finished_event_get_its_start(case):
    folder, link = short_chunks(case)
    seeder = case.seed(folder)
    check_players_get_the_start(case, case.watch(link, peers=[seeder]))
    check_players_get_the_start(case, case.watch(folder))


def test_an_archive_folder_is_watched_without_any_peer(case):
    folder, _ = finished(case)
    output = case.folder / "whole.ts"
    viewer = case.watch(folder, "-o", output)
    viewer.wait_exit(SECONDS + 40, EXIT_DONE)
    check(output.read_bytes() == archive_bytes(case.folder / "archive"), "the output differs from the archive")


def test_an_event_is_exported_whole_and_in_part(case):
    folder, _ = finished(case)
    for suffix in ("mp4", "mkv", "ts"):
        whole = case.folder / f"whole.{suffix}"
        case.once("export", folder, "-o", whole, code=EXIT_DONE)
        check(media.streams(whole) == {"video": "h264", "audio": "aac"}, f"{suffix}: {media.streams(whole)}")
        check(abs(media.duration(whole) - SECONDS) < 0.5, f"{suffix}: {media.duration(whole)} s of {SECONDS} s")
        media.check_decodes(whole)
    part = case.folder / "part.mp4"
    case.once("export", folder, "-o", part, "--from", "4", "--to", "10", code=EXIT_DONE)
    check(5.5 < media.duration(part) < 8.5, f"--from 4 --to 10 gave {media.duration(part)} s")
    media.check_decodes(part)


def test_inspect_tells_a_good_archive_from_a_damaged_one(case):
    folder, link = finished(case)
    good = case.once("inspect", folder, code=EXIT_DONE).output
    check(str(len(chunk_files(folder))) in good, f"inspect does not say how many chunks there are: {good[:300]}")
    channel = link.split("urn:btpk:")[1][:64]
    check(channel in good, "inspect does not name the channel")
    damaged = damage(folder, 3)
    missing = chunk_files(folder)[5]
    missing.unlink()
    report = case.once("inspect", folder)
    check(report.process.returncode == 1, f"inspect of a damaged archive ended with {report.process.returncode}")
    for number, word in ((4, "damaged"), (6, "missing")):
        check(any(re.search(rf"\b{number}\b", line) and word in line for line in report.output.splitlines()),
              f"inspect does not call chunk {number} {word}: {report.output[:400]}")
    check(damaged.exists(), "inspect removed something")


def test_inspect_says_what_a_link_names(case):
    _, link = finished(case)
    said = case.once("inspect", link, code=EXIT_DONE).output
    check(link.split("urn:btpk:")[1][:64] in said, f"the channel is not in: {said[:300]}")


def test_a_seed_repairs_its_archive_from_another_seed(case):
    folder, _ = finished(case)
    copy = case.folder / "copy" / folder.name
    shutil.copytree(folder, copy)
    originals = {path.name: path.read_bytes() for path in chunk_files(folder)}
    files = chunk_files(copy)
    damage(copy, 3)
    os.truncate(files[1], files[1].stat().st_size - 20000)
    with open(files[4], "ab") as file:
        file.write(b"more than there was")
    files[5].unlink()
    files[6].write_bytes(b"")
    files[7].write_bytes(bytes(files[7].stat().st_size))
    whole = case.seed(folder)
    repairing = case.seed(copy, "--peer", whole.address)

    def is_whole():
        return {path.name: path.read_bytes() for path in chunk_files(copy)} == originals

    until(is_whole, 60, "the damaged copy is repaired", interval=0.3)
    repairing.until_status(lambda status: status["chunks"]["held"] == len(originals), 20, "serves all chunks")


def test_what_retention_has_deleted_is_not_looked_for(case):
    # The newest fifteen chunks stay, whatever the limit.
    publisher = case.publish(media.recording(20, gop=0.5), "--chunk", "1", "--as-fast-as-possible", "--retain", "2s")
    publisher.event("end", 40)
    publisher.wait_exit(20, EXIT_DONE)
    folder = event_folder(case.folder / "archive")
    kept = len(chunk_files(folder))
    expired = max(chunk_number(path) for path in chunk_files(folder)) - kept
    check(expired >= 3, f"only {expired} chunks have expired")
    said = case.once("inspect", folder, code=EXIT_DONE).output
    check(f"{expired} chunks" in said and "missing" not in said, f"inspect says: {said}")
    seeder = case.seed(folder)
    told = seeder.event("notice", 20, message=lambda text: "expired" in text)["message"]
    check(f"{expired} chunks" in told, f"it says: {told}")
    seeder.until_status(lambda status: status["chunks"]["held"] == kept, 20, "serves what is there")
    check(not seeder.events("warning"), f"it warns: {seeder.events('warning')}")
    check(seeder.status()["chunks"]["active"] <= kept, f"it fetches: {seeder.status()['chunks']}")


def test_a_growing_archive_is_served_as_it_grows(case):
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop")
    publisher.chunk(2)
    seeder = case.seed(event_folder(case.folder / "archive"))
    viewer = case.watch(without_peers(publisher.link), peers=[seeder])
    viewer.event("state", 30, state="live")
    newest = seeder.status()["newest_chunk"]
    viewer.chunk(newest + 2, 30)
    check(not [event for event in seeder.events("warning") if "looking for peers" in event["message"]],
          "the seeder took a chunk that was being closed for a damaged one")
    publisher.interrupt()
    publisher.wait_exit(30)
    viewer.wait_exit(30, EXIT_DONE)
    seeder.until_status(lambda status: status["state"] == "ended", 10, "knows the end")


def test_a_seeder_killed_while_it_serves_finds_its_archive_unharmed(case):
    folder, link = finished(case)
    before = archive_bytes(case.folder / "archive")
    seeder = case.seed(folder)
    viewer = case.watch(link, "-o", case.folder / "out.ts", peers=[seeder])
    viewer.chunk(1, 40)
    seeder.kill()
    again = case.seed(folder, "--listen", seeder.address)
    viewer.event("end", 60)
    viewer.wait_exit(30, EXIT_DONE)
    check(again.is_running(), "the seeder did not start again")
    check(archive_bytes(case.folder / "archive") == before, "the archive changed")


if __name__ == "__main__":
    main()
