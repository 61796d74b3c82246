#include "swarm/backlog.hpp"

#include <catch2/catch.hpp>

#include <deque>

using namespace minuteswarm;
using namespace std::chrono_literals;
using Class = EdgeQueue::Class;

namespace {

constexpr MonotonicTime start{1h};
constexpr bool stuck = true;
constexpr bool fed = true;

/// A node's neighbours, each with blocks of 1000 bytes that wait.
class Node {
public:
    void
    add(bool is_stuck,
        bool is_fed,
        std::size_t live,
        std::size_t late = 0,
        MonotonicTime since = start) {
        auto& queue = queues_.emplace_back(EdgeQueue::Options{});
        for (std::size_t i = 0; i < live + late; ++i)
            queue.push(
                i < live ? Class::live : Class::catch_up, {{}, {}, {}, {i}, {}}, 1000, since
            );
        neighbours_.push_back({&queue, is_stuck, is_fed});
    }
    [[nodiscard]] Backlog backlog() const { return Backlog{neighbours_}; }

private:
    std::deque<EdgeQueue> queues_;
    std::vector<Backlog::Neighbour> neighbours_;
};

} // namespace

TEST_CASE("Where nothing waits there is no backlog") {
    CHECK(Backlog{{}}.ahead(8000, start) == 0s);
    CHECK(Backlog{{}}.ahead(0, start) == 0s);
    CHECK(Backlog{{}}.behind(8000) == 0s);
    Node node;
    node.add(stuck, fed, 0);
    CHECK(node.backlog().ahead(8000, start) == 0s);
}

TEST_CASE("New blocks wait for new ones, repair for an uplink's turn") {
    Node node;
    node.add(!stuck, fed, 2, 1);
    node.add(!stuck, fed, 1, 3);
    CHECK(node.backlog().ahead(8000, start) == 3s);
    CHECK(node.backlog().behind(8000) == 4s);
    CHECK(node.backlog().behind(16000) == 2s);
    CHECK(node.backlog().behind(0) == Duration::max());
}

TEST_CASE("What waits for half of those that are fed, which take nothing, is no backlog") {
    Node node;
    node.add(stuck, fed, 5, 5);
    node.add(!stuck, fed, 0);
    CHECK(node.backlog().ahead(8000, start) == 0s);
    CHECK(node.backlog().behind(8000) == 0s);
    node.add(!stuck, fed, 1);
    CHECK(node.backlog().ahead(8000, start) == 1s);
}

TEST_CASE("When most of those that are fed take nothing, the uplink is what holds them up") {
    Node node;
    node.add(stuck, fed, 5);
    node.add(stuck, fed, 1, 2);
    node.add(!stuck, fed, 1);
    CHECK(node.backlog().ahead(8000, start) == 7s);
    CHECK(node.backlog().behind(8000) == 2s);
    // Who is sent nothing does not speak for the uplink.
    node.add(!stuck, !fed, 0);
    CHECK(node.backlog().ahead(8000, start) == 7s);
}

TEST_CASE("An uplink that is not known holds up no less than the queue that waits least") {
    Node node;
    node.add(!stuck, fed, 1, 0, start);
    node.add(!stuck, fed, 4, 0, start + 2s);
    CHECK(node.backlog().ahead(0, start + 3s) == 1s);
}
