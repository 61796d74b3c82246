"""How those who were named no address, or only one, find the others."""
import socket
import time

import media
from harness import HTTP, PATIENCE, Publisher, Skip, check, main, until, without_peers

LSD_GROUP, LSD_PORT = "239.192.152.143", 6771  # BEP 14
LOCAL = ("--listen", "127.0.0.1:0", "--no-dht", "--no-port-mapping", "--json", *HTTP)


def need_multicast():
    """Whether what is sent to the group on the loopback interface comes back there."""
    loopback = socket.inet_aton("127.0.0.1")
    with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
        try:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            receiver.bind(("", LSD_PORT))
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(LSD_GROUP) + loopback)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
            receiver.settimeout(3)
            sender.sendto(b"?", (LSD_GROUP, LSD_PORT))
            receiver.recv(1)
        except OSError as error:
            raise Skip(f"no multicast on the loopback interface: {error}") from None


def is_neighbour(node, other):
    return any(peer["address"] == other.address for peer in node.status()["peers"])


def test_viewers_that_know_only_a_third_find_each_other_and_the_publisher(case):
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop")
    third = case.watch(publisher.link)
    link = without_peers(publisher.link)
    first, second = case.watch(link, peers=[third]), case.watch(link, peers=[third])
    until(lambda: is_neighbour(first, second) and is_neighbour(second, first), 20, "the two are neighbours")
    until(lambda: is_neighbour(first, publisher) and is_neighbour(second, publisher), 20, "and of the publisher, too")
    third.kill()
    newest = publisher.events("chunk")[-1]["number"] if publisher.events("chunk") else 0
    for viewer in (first, second):
        viewer.chunk(newest + 2, 40)


def test_a_viewer_finds_the_publisher_in_the_local_network(case):
    need_multicast()
    publisher = case.node(["publish", media.recording(20), "--loop", "--chunk", "2", *LOCAL,
                           "--key", case.folder / "channel.key", "--archive", case.folder / "archive"],
                          "publisher", Publisher)
    publisher.chunk(1)
    viewer = case.node(["watch", without_peers(publisher.link), *LOCAL], "viewer")
    viewer.event("state", 40, state="live")
    until(lambda: is_neighbour(viewer, publisher), 10, "the publisher is its peer")


def test_a_tracker_is_asked_as_soon_as_there_is_a_port_to_tell(case):
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop")
    with socket.create_server(("127.0.0.1", 0)) as tracker:
        tracker.settimeout(10)
        url = f"http://127.0.0.1:{tracker.getsockname()[1]}/announce"
        viewer = case.watch(without_peers(publisher.link), "--tracker", url)
        viewer.event("listening")
        listening = time.monotonic()
        connection, _ = tracker.accept()
        with connection:
            asked = connection.recv(4096).decode()
        # libtorrent looks again after two seconds, and puts off by another one what it is asked for again.
        check(time.monotonic() - listening < 1.8 * PATIENCE, f"asked {time.monotonic() - listening:.1f} s after it listened")
        check(f"&port={viewer.address.rsplit(':', 1)[1]}&" in asked, f"no port is told: {asked.splitlines()[0]}")


def test_chunks_can_be_looked_for_at_a_tracker_alone(case):
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop", "--no-edge")
    usual = case.watch(publisher.link, "--no-edge")
    with socket.create_server(("127.0.0.1", 0)) as tracker:
        tracker.settimeout(20)
        url = f"http://127.0.0.1:{tracker.getsockname()[1]}/announce"
        viewer = case.watch(publisher.link, "--no-edge", "--chunk-tracker", url)
        connection, _ = tracker.accept()
        with connection:
            check(connection.recv(4096).startswith(b"GET /announce?info_hash="), "it asks the tracker something else")
    usual.chunk(3, 40)
    check(is_neighbour(viewer, publisher) and not viewer.events("chunk"), "it has chunks that no tracker led it to")


if __name__ == "__main__":
    main()
