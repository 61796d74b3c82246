"""What finding each other costs, reckoned and not measured: announces, bytes, load of a tracker and of the DHT.

Here a viewer announces itself for the one channel swarm, as `src/swarm` has it: its chunk torrents have no tracker and no DHT, and
the channel torrent keeps to libtorrent's intervals while it has neighbours (`Swarm::look_for_peers` asks more often only without any).
As a textbook has it, minute swarming takes each chunk for a torrent of its own, and every viewer announces each of them.
The publisher's own announces and its DHT item, once a minute, are the same for any number of viewers and left out of both.
"""

HOUR = 3600
# libtorrent 2.0's `dht_announce_interval`; a tracker says how often to come back, 30 minutes is what trackers usually say.
DHT_INTERVAL = 15 * 60
TRACKER_INTERVAL = 30 * 60
PEERS_WANTED = 200  # libtorrent's `num_want`
IP_UDP = 20 + 8

# BEP 15. A connection's id may be used for a minute.
UDP_CONNECT = (16, 16)
UDP_ANNOUNCE = (98, 20)
UDP_PEER = 6
UDP_CONNECTION_LIFE = 60

# BEP 5, its examples with ids of 20 bytes, nodes of 26, and the token and transaction id that they have. A lookup ends when the K = 8
# nodes nearest to the hash have answered, and these are announced to. How many others are asked on the way depends on the asker's own
# table; they are left out, of both.
DHT_NEAREST = 8
_ID, _TOKEN, _NODES = 20 * "i", "5:token8:aoeusnth", "5:nodes208:" + 208 * "n"
DHT_GET_PEERS = (f"d1:ad2:id20:{_ID}9:info_hash20:{_ID}e1:q9:get_peers1:t2:aa1:y1:qe", f"d1:rd2:id20:{_ID}{_NODES}{_TOKEN}e1:t2:aa1:y1:re")
DHT_ANNOUNCE = (f"d1:ad2:id20:{_ID}12:implied_porti1e9:info_hash20:{_ID}4:porti6881e{_TOKEN}e1:q13:announce_peer1:t2:aa1:y1:qe",
                f"d1:rd2:id20:{_ID}e1:t2:aa1:y1:re")


def announces(chunk_seconds=None):
    """Announces a viewer and hour to (a tracker, the DHT); of each chunk's swarm if `chunk_seconds` is given, else of the channel's.
    A textbook's viewer says `started` for a chunk and no more; `completed` and `stopped` of BEP 3 would make it three times as many."""
    if chunk_seconds:
        return HOUR / chunk_seconds, HOUR / chunk_seconds
    return HOUR / TRACKER_INTERVAL, HOUR / DHT_INTERVAL


def tracker_bytes(viewers, an_hour):
    """Bytes a viewer and hour, both ways with IP and UDP, over a UDP tracker."""
    connects = min(an_hour, HOUR / UDP_CONNECTION_LIFE)
    peers = min(PEERS_WANTED, viewers) * UDP_PEER
    return connects * (sum(UDP_CONNECT) + 2 * IP_UDP) + an_hour * (sum(UDP_ANNOUNCE) + peers + 2 * IP_UDP)


def dht_bytes(an_hour):
    """Bytes a viewer and hour, both ways with IP and UDP: at least."""
    packets = (*DHT_GET_PEERS, *DHT_ANNOUNCE)
    return an_hour * DHT_NEAREST * sum(len(packet) + IP_UDP for packet in packets)


def reckoned(viewers, chunk_seconds=None):
    """Figures for so many viewers that stay: see `announces`. Rates are means; announces of a crowd that comes at once, and of a
    chunk that closes, come at once."""
    tracker, dht = announces(chunk_seconds)
    return {
        "tracker_announces_per_viewer_hour": tracker,
        "dht_announces_per_viewer_hour": dht,
        "dht_queries_per_viewer_hour": dht * 2 * DHT_NEAREST,
        "bytes_per_viewer_s": (tracker_bytes(viewers, tracker) + dht_bytes(dht)) / HOUR,
        "tracker_announces_per_s": viewers * tracker / HOUR,
        "tracker_bits_per_s": 8 * viewers * tracker_bytes(viewers, tracker) / HOUR,
        "dht_queries_per_s": viewers * dht * 2 * DHT_NEAREST / HOUR,
        # All announces for one hash go to the same nodes.
        "dht_queries_per_s_at_a_node": viewers * 2 * (1 / chunk_seconds if chunk_seconds else dht / HOUR),
    }
