"""A DHT of our own on loopback: the key alone is enough to find the publisher."""
import media
from harness import HTTP, Node, Publisher, event_folder, main, until, without_peers

PRIVATE = ("--listen", "127.0.0.1:0", "--no-lsd", "--no-port-mapping", "--json", *HTTP)


def bare(link):
    """The link with nothing but the key and the salt."""
    return "&".join(part for part in without_peers(link).split("&") if part.startswith(("magnet:", "s=")))


def started(case):
    """(publisher whose first chunk is out, options of another node of its DHT)"""
    # Some node must be known to begin with; a relay of another channel is one that does nothing else.
    case.once("keygen", case.folder / "other.key", code=0)
    other = case.once("link", "--key", case.folder / "other.key", code=0).output.strip()
    router = case.node(["relay", other, *PRIVATE, "--dht-bootstrap", "none"], "router")
    entrance = ("--dht-bootstrap", router.address)
    publisher = case.node(["publish", media.recording(20), "--loop", "--chunk", "2", *PRIVATE, *entrance,
                           "--key", case.folder / "channel.key", "--archive", case.folder / "archive"],
                          "publisher", Publisher)
    publisher.chunk(1)
    return publisher, entrance


def test_a_viewer_finds_the_publisher_by_the_key_alone(case):
    publisher, entrance = started(case)
    viewer = case.node(["watch", bare(publisher.link), *PRIVATE, *entrance], "viewer", Node)
    viewer.event("state", 90, state="live")
    until(lambda: viewer.status()["peers"], 10, "the viewer has a peer")
    viewer.chunk(publisher.status()["newest_chunk"] + 1, 30)


def test_the_dht_remembers_a_publisher_that_has_gone(case):
    publisher, entrance = started(case)
    event = event_folder(case.folder / "archive")
    until(lambda: (event / "dht_item").exists(), 60, "the item is put")
    publisher.kill()
    viewer = case.node(["watch", bare(publisher.link), *PRIVATE, *entrance], "viewer", Node)
    viewer.event("notice", 60, message=lambda text: "the DHT knows this broadcast" in text)


if __name__ == "__main__":
    main()
