"""The publisher killed with SIGKILL at random points: the event goes on and no chunk is forked."""
import hashlib
import json
import os
import random
import re
import time

import clients
import dht_test
import media
from harness import EXIT_DONE, EXIT_FAILED, LOOPBACK, check, chunk_files, chunk_number, event_folder, main, until

RESTARTS = int(os.environ.get("MINUTESWARM_RESTARTS", "50"))
LONGEST_LIFE = 1.5
TS_PACKET = 188


def digests(archive):
    """{chunk number: digest of its bytes}"""
    return {chunk_number(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in chunk_files(event_folder(archive))}


def check_not_forked(known, now):
    for number, digest in known.items():
        check(now.get(number) == digest, f"chunk {number} changed or vanished")
    check(sorted(now) == list(range(1, len(now) + 1)), f"numbers have gaps: {sorted(now)}")


def signed(case):
    """{chunk number: info-hash} of what the archive's feed states."""
    torrents = clients.chunk_torrents(case, event_folder(case.folder / "archive"))
    return {number: clients.info_hash(path) for number, path in torrents.items()}


def check_one_record_each(case):
    """The archive's feed has one record of each chunk that is there."""
    feed = (event_folder(case.folder / "archive") / "feed").read_bytes()
    numbers = [int(number) for number in re.findall(rb"6:numberi(\d+)e", feed)]
    check(numbers == list(range(1, len(numbers) + 1)), f"the feed's records are of {numbers}")
    return len(numbers)


def check_copy(cache, archive):
    """What a viewer kept is the archive's chunks, all of them and byte for byte."""
    copies = {path.name: path.read_bytes() for path in cache.rglob("*.ts")}
    originals = {path.name: path.read_bytes() for path in chunk_files(event_folder(archive))}
    check(set(copies) == set(originals), f"the viewer has {sorted(copies)} of {sorted(originals)}")
    wrong = [name for name, content in originals.items() if copies[name] != content]
    check(not wrong, f"the viewer has other bytes of {wrong}")


def check_goes_on(announced, run):
    """A run's own chunks follow each other, and all those of the runs before it; returns the newest."""
    numbers = [event["number"] for event in run.events("chunk")]
    check(numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True,
          f"one run closed the chunks {numbers}")
    check(not numbers or numbers[0] > announced, f"chunk {announced} was closed, and then {numbers[:1]}")
    return numbers[-1] if numbers else announced


def test_a_publisher_killed_at_random_points_goes_on_with_the_same_event(case):
    seed = random.randrange(1 << 32)
    print(f"random seed {seed}")
    dice = random.Random(seed)
    source = media.recording(20, gop=0.5)
    options = ("--chunk", "1", "--loop")
    publisher = case.publish(source, *options)
    # A fixed port, so that the viewer finds the publisher again where it was.
    port = publisher.address
    options += ("--listen", port)
    # What is asked is which bytes come, not how soon: nothing is to be skipped.
    viewer = case.watch(publisher.link, "--latency", "120", "--cache", case.folder / "cache", "--keep")
    publisher.chunk(1)
    viewer.chunk(1)
    known = digests(case.folder / "archive")
    hashes = signed(case)
    announced = 0
    for _ in range(RESTARTS):
        time.sleep(dice.random() * LONGEST_LIFE)
        publisher.kill()
        announced = check_goes_on(announced, publisher)
        publisher = case.publish(source, *options)
        if dice.random() < 0.2:
            # Again, somewhere in its start.
            time.sleep(dice.random() * 0.3)
            publisher.kill()
            announced = check_goes_on(announced, publisher)
            publisher = case.publish(source, *options)
        publisher.event("link", 20)
        now = digests(case.folder / "archive")
        check_not_forked(known, now)
        known = now
        out = signed(case)
        for number, info_hash in hashes.items():
            check(out.get(number) == info_hash, f"chunk {number} has two info-hashes")
        hashes = out
    last = max(known)
    check(last >= announced, f"chunk {announced} was announced and {last} is the newest")
    publisher.chunk(last + 2, 20)
    viewer.chunk(last + 2, 40)
    check(publisher.events("chunk")[0]["number"] <= last + 1, f"the last run left out chunk {last + 1}")
    check_goes_on(announced, publisher)
    until(lambda: viewer.status()["state"] == "live", 20, "the viewer plays")
    check(viewer.status()["dropped"]["bad_signature"] == 0, "the viewer saw bad signatures")
    publisher.interrupt()
    publisher.event("end", 40)
    viewer.wait_exit(60, EXIT_DONE)
    check_not_forked(known, digests(case.folder / "archive"))
    records = check_one_record_each(case)
    check(records == len(chunk_files(event_folder(case.folder / "archive"))), f"{records} records, other chunks")
    check_copy(case.folder / "cache", case.folder / "archive")


def test_the_unfinished_chunk_is_kept_by_a_restart(case):
    source = media.recording(20)
    publisher = case.publish(source, "--chunk", "4", "--loop")
    publisher.chunk(1)
    folder = event_folder(case.folder / "archive")
    part = until(lambda: [path for path in (folder / "chunks").glob("*.part") if path.stat().st_size > 20000], 20,
                 "a chunk is under way")[0]
    publisher.kill()
    recorded = part.read_bytes()
    publisher = case.publish(source, "--chunk", "4", "--loop")
    publisher.chunk(3)
    check(event_folder(case.folder / "archive") == folder, "the restart began a new event")
    kept = next(path for path in chunk_files(folder) if chunk_number(path) == 2).read_bytes()
    check(recorded.startswith(kept) and len(recorded) - len(kept) < TS_PACKET,
          f"of {len(recorded)} recorded bytes chunk 2 holds {len(kept)}, or others")


def test_the_dht_item_of_a_restart_names_the_chunks_before_it(case):
    publisher, entrance = dht_test.started(case)
    item = event_folder(case.folder / "archive") / "dht_item"
    publisher.chunk(3)
    until(item.exists, 60, "the item is put")
    publisher.kill()
    item.unlink()
    case.node(["publish", media.recording(20), "--loop", "--chunk", "2", *dht_test.PRIVATE, *entrance,
               "--key", case.folder / "channel.key", "--archive", case.folder / "archive"], "publisher")
    until(item.exists, 60, "the item is put again")
    hashes = int(re.search(rb"1:w(\d+):", item.read_bytes()).group(1)) // 20
    check(hashes >= 3, f"the item names {hashes} chunks")


def radio(case, *options):
    tone = media.made("tone-8s.mp3", ["-f", "lavfi", "-t", "8", "-i", "sine=frequency=440:sample_rate=44100",
                                      "-c:a", "libmp3lame", "-b:a", "96k"])
    return case.publish(tone, "--chunk", "2", "--loop", *options)


def test_a_film_after_killed_radio_begins_a_new_event_when_asked(case):
    publisher = radio(case)
    publisher.chunk(1)
    folder = event_folder(case.folder / "archive")
    until(lambda: [path for path in (folder / "chunks").glob("*.part") if path.stat().st_size > 5000], 20,
          "a chunk is under way")
    publisher.kill()
    film = media.recording(6)
    options = ("--key", case.folder / "channel.key", "--archive", case.folder / "archive", *LOOPBACK)
    refused = case.once("publish", film, *options, code=EXIT_FAILED)
    check("--new-event" in refused.errors, f"no way out is named: {refused.errors}")
    publisher = case.publish(film, "--chunk", "2", "--as-fast-as-possible", "--new-event")
    told = publisher.event("notice", 20, message=lambda text: "interrupted event" in text)["message"]
    check(folder.name in told, f"it says: {told}")
    publisher.event("end", 40)
    publisher.wait_exit(20, EXIT_DONE)
    check(not list((folder / "chunks").glob("*.part*")), "the chunk in progress is still open")
    said = json.loads(case.once("inspect", folder, "--json", code=EXIT_DONE).output)
    check(said["ended"] and said["event_torrent"], f"it was not ended properly: {said}")
    events = sorted(path.parent for path in (case.folder / "archive").glob("*/feed"))
    check(len(events) == 2 and events[0] == folder, f"the events are {events}")
    check(chunk_files(events[1])[0].suffix == ".ts", "the new event is not that of the film")


def test_a_restart_that_fails_leaves_the_interrupted_event_to_the_next(case):
    publisher = radio(case)
    publisher.chunk(1)
    folder = event_folder(case.folder / "archive")
    part = until(lambda: list((folder / "chunks").glob("*.part")), 20, "a chunk is under way")[0]
    publisher.kill()
    before = (case.folder / "channel.key").read_bytes()
    aside = part.rename(case.folder / "aside")
    part.mkdir()
    source = media.recording(6)
    failed = case.once("publish", source, "--key", case.folder / "channel.key", "--archive", case.folder / "archive",
                       *LOOPBACK, code=EXIT_FAILED)
    check(part.name in failed.errors, f"it says: {failed.errors}")
    check((case.folder / "channel.key").read_bytes() == before, "it used up an event's number")
    part.rmdir()
    aside.rename(part)
    publisher = radio(case)
    publisher.chunk(3)
    check(event_folder(case.folder / "archive") == folder, "the restart began a new event")


if __name__ == "__main__":
    main()
