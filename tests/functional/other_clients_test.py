"""Other BitTorrent programs download chunks and events from minuteswarm alone."""
import urllib.parse

import clients
import media
from harness import EXIT_DONE, check, chunk_files, event_folder, main, until, without_peers


def recorded(case):
    """(chunk .torrent, event .torrent, tracker, event folder) of an event nobody serves yet."""
    tracker = clients.Tracker(case)
    publisher = case.publish(media.recording(20), "--chunk", "4", "--as-fast-as-possible", "--tracker", tracker.url)
    publisher.event("end", 40)
    folder = event_folder(case.folder / "archive")
    event = until(lambda: next(folder.glob("event.torrent"), None), 20, "the event torrent is made")
    publisher.wait_exit(20, EXIT_DONE)
    torrents = clients.chunk_torrents(case, folder, tracker.url)
    names = [name for number in sorted(torrents) for name in clients.torrent_files(torrents[number])]
    check(names == [path.name for path in chunk_files(folder)], f"the torrents are of {names}")
    tracker.start({clients.info_hash(path) for path in (*torrents.values(), event)})
    return torrents[2], event, tracker, folder


def test_aria2_downloads_a_chunk_and_the_event(case):
    clients.need("aria2c")
    chunk, event, tracker, folder = recorded(case)
    case.seed(folder, "--tracker", tracker.url)
    for torrent, sources in ((chunk, [chunk]), (event, [event, clients.magnet(event, tracker.url)])):
        info_hash = clients.info_hash(torrent)
        until(lambda one=info_hash: tracker.peers(one)[0], 40, f"{torrent.name} is announced", interval=0.2)
        for number, source in enumerate(sources):
            target = case.folder / f"aria2-{torrent.stem}-{number}"
            clients.aria2c(case, source, target)
            clients.check_download(torrent, target, folder / "chunks")


def test_transmission_downloads_a_chunk_and_the_event(case):
    clients.need("transmission-daemon")
    chunk, event, tracker, folder = recorded(case)
    downloads = []
    for torrent, source in ((chunk, chunk), (event, event), (event, clients.magnet(event, tracker.url))):
        program = clients.Transmission(case, case.folder / f"transmission-{len(downloads)}")
        program.add(source)
        downloads.append((torrent, program))
    for torrent, waiting in ((chunk, 1), (event, 2)):
        info_hash = clients.info_hash(torrent)
        until(lambda one=info_hash, count=waiting: sum(tracker.peers(one)) >= count, 20, "Transmission announces")
    case.seed(folder, "--tracker", tracker.url)
    for torrent, program in downloads:
        until(program.is_done, 60, f"Transmission downloads {torrent.name}", interval=0.2)
        clients.check_download(torrent, program.folder, folder / "chunks")


def test_transmission_cli_downloads_a_chunk_from_its_torrent(case):
    clients.need("transmission-cli")
    chunk, _, tracker, folder = recorded(case)
    process = clients.transmission_cli(case, chunk, case.folder / "downloads")
    until(lambda: sum(tracker.peers(clients.info_hash(chunk))), 20, "transmission-cli announces")
    case.seed(folder, "--tracker", tracker.url)
    until(lambda: "Seeding" in process.output, 60, "transmission-cli has the whole chunk", interval=0.2)
    clients.check_download(chunk, case.folder / "downloads", folder / "chunks")


def test_a_publisher_is_found_by_its_tracker_alone(case):
    tracker = clients.Tracker(case)
    # The tracker serves only what it was told of: chunks have to be there before it starts.
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop")
    publisher.chunk(2)
    link = publisher.link
    publisher.kill()
    torrents = clients.chunk_torrents(case, event_folder(case.folder / "archive"))
    chunks = [clients.info_hash(path) for path in torrents.values()]
    tracker.start([clients.channel_hash(link), *chunks])
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop", "--tracker", tracker.url)
    for chunk in chunks:
        until(lambda one=chunk: tracker.peers(one)[0], 40, "the publisher announces the chunks it has", interval=0.2)
    check(tracker.url in urllib.parse.unquote(publisher.link), f"the link names no tracker: {publisher.link}")
    viewer = case.watch(without_peers(publisher.link))
    viewer.event("state", 60, state="live")


def test_the_event_torrent_lists_every_chunk_in_order_with_the_same_bytes(case):
    _, event, _, folder = recorded(case)
    names = [name.split("/")[-1] for name in clients.torrent_files(event)]
    names = [name for name in names if not name.startswith(".pad")]
    check(names == [path.name for path in chunk_files(folder)], f"the event torrent lists {names}")
    sizes = list(clients.torrent_files(event).values())
    check(sum(sizes) >= sum(path.stat().st_size for path in chunk_files(folder)), "bytes are missing")


if __name__ == "__main__":
    main()
