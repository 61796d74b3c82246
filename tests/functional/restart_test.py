"""The publisher killed with SIGKILL at random points: the event goes on and no chunk is forked."""
import hashlib
import os
import random
import re
import time

import clients
import media
from harness import EXIT_DONE, check, chunk_files, chunk_number, event_folder, main, until

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


if __name__ == "__main__":
    main()
