"""The arithmetic behind what finding each other costs, and behind the simulations' lines and tables."""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("functional", "bench", "lab")]
import discovery  # noqa: E402
import simulated  # noqa: E402
import tree  # noqa: E402
from harness import check, main  # noqa: E402


def equal(got, wanted):
    check(got == wanted, f"{got} instead of {wanted}")


def test_one_swarm_is_announced_by_the_interval_and_chunks_one_by_one(_):
    equal(discovery.announces(), (2, 4))
    equal(discovery.announces(chunk_seconds=4), (900, 900))


def test_an_announce_has_the_bytes_of_the_specifications(_):
    # BEP 15: 16 + 16, 98 + 20 and 6 a peer; four packets of 28 bytes of IP and UDP.
    equal(discovery.tracker_bytes(viewers=10, an_hour=1), 16 + 16 + 98 + 20 + 60 + 4 * 28)
    # A connection is good for a minute: 60 an hour at most.
    equal(discovery.tracker_bytes(viewers=0, an_hour=900), 60 * (32 + 56) + 900 * (118 + 56))
    equal([len(packet) for packet in (*discovery.DHT_GET_PEERS, *discovery.DHT_ANNOUNCE)], [95, 283, 147, 47])
    equal(discovery.dht_bytes(an_hour=1), 8 * (95 + 283 + 147 + 47 + 4 * 28))


def test_load_grows_with_viewers_and_falls_with_the_length_of_chunks(_):
    ours, stock, longer = discovery.reckoned(1000), discovery.reckoned(1000, 4), discovery.reckoned(1000, 8)
    equal(stock["tracker_announces_per_s"], 250.0)
    equal(stock["tracker_announces_per_s"] / ours["tracker_announces_per_s"], 450.0)
    equal(stock["dht_queries_per_s"], 2 * longer["dht_queries_per_s"])
    equal(discovery.reckoned(100_000)["tracker_bits_per_s"], 100 * ours["tracker_bits_per_s"])
    # A chunk's nodes hear all viewers within the chunk.
    equal(stock["dht_queries_per_s_at_a_node"], 500.0)


def test_a_simulation_has_the_lines_of_the_labs_scenario(_):
    options = simulated.lines_of("home")
    equal((options["bitrate"], options["told"]), (1_000_000, 0.97))
    equal((options["source"], options["source_delay"]), (2, 14.5))
    # Five fibre, seven cable, twelve DSL of three kinds: uplink in bitrates, ms to the middle with half the jitter, loss.
    equal(options["lines"], "5:4:3:0.0005,7:1.5:9:0.0005,6:1:14.5:0.0005,3:0.6:20.5:0.0005,3:0.3:20.5:0.0005")


def test_a_simulation_has_the_labs_viewers_as_they_come_and_go(_):
    churn = tree.options_of("churn")
    equal({key: churn[key] for key in ("n", "join", "from", "length", "back", "churn", "silent", "entry_time")},
          {"n": 20, "join": 15, "from": 30, "length": 330, "back": 3, "churn": 1, "silent": 0, "entry_time": 2})
    equal((tree.options_of("56k")["entry_time"], tree.options_of("home").get("churn")), (0, None))


def test_a_table_says_what_was_not_reached(_):
    rows = [{"a": 1.25, "b": None}, {"a": 0.5}]
    equal(simulated.table(rows, {"a": ("first", "{:.1f}"), "b": ("second", "{:.2f}")}),
          "| first | second |\n|---|---|\n| 1.2 | - |\n| 0.5 |  |")


if __name__ == "__main__":
    main()
