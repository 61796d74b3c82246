#include "swarm/edge_queue.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <string_view>

using namespace minuteswarm;
using namespace std::chrono_literals;

namespace {

using Class = EdgeQueue::Class;

constexpr MonotonicTime start{1h};

BlockKey key(std::uint64_t group, std::uint8_t stripe = 0) {
    return {{1}, {0}, RunId{{1, 2, 3, 4, 5, 6, 7, 8}}, {group}, {stripe}};
}

/// A queue whose messages are words.
class Words {
public:
    explicit Words(EdgeQueue::Options options = {1000, 1000, 4s})
        : queue_(options) {}

    EdgeQueue* operator->() { return &queue_; }
    void control(std::string_view word) { queue_.push_control(to_bytes(word)); }
    void push(Class kind, std::string_view word, BlockKey const& block, MonotonicTime now = start) {
        auto const before = queue_.bytes();
        queue_.push(kind, block, word.size(), now);
        if (queue_.bytes() != before) words_[block] = word;
        words_.emplace(block, word);
    }
    std::string pop(MonotonicTime now = start) {
        if (auto const control = queue_.pop_control()) return std::string{as_text(*control)};
        auto const next = queue_.next(now);
        if (!next) return "nothing";
        queue_.pop_block();
        auto const word = words_.at(next->key);
        words_.erase(next->key); // it may come again, as another word
        return word;
    }
    /// In the order in which they leave, until the queue is empty.
    std::string all(MonotonicTime now = start) {
        std::string words;
        for (auto word = pop(now); word != "nothing"; word = pop(now))
            words += (words.empty() ? "" : " ") + word;
        return words;
    }

private:
    EdgeQueue queue_;
    std::map<BlockKey, std::string> words_;
};

} // namespace

TEST_CASE("A queue for the edge begins empty") {
    Words words;
    CHECK(words->is_empty());
    CHECK(words->bytes() == 0);
    CHECK(words.pop() == "nothing");
    CHECK(words->oldest_wait(start) == 0s);
    CHECK_FALSE(words->is_clogged());
}

TEST_CASE("Control overtakes live blocks, these overtake catch-up, and parity goes last") {
    Words words;
    words.push(Class::parity, "parity", key(1, 8));
    words.push(Class::catch_up, "catch-up", key(2));
    words.push(Class::urgent, "urgent", key(3));
    words.push(Class::live, "live", key(4));
    words.control("control");
    CHECK(words.all() == "control urgent live catch-up parity");
    CHECK(words->is_empty());
}

TEST_CASE("Within a class the oldest leaves first") {
    auto const kind = GENERATE(Class::live, Class::parity);
    Words words;
    words.control("first");
    words.control("second");
    words.push(kind, "third", key(9));
    words.push(kind, "fourth", key(7));
    words.push(kind, "fifth", key(8));
    CHECK(words.all() == "first second third fourth fifth");
}

TEST_CASE("Of urgent blocks and of catch-up the oldest group leaves first, whenever it came") {
    auto const kind = GENERATE(Class::urgent, Class::catch_up);
    Words words;
    words.push(kind, "8/0", key(8, 0));
    words.push(kind, "9/0", key(9, 0));
    words.push(kind, "8/1", key(8, 1), start + 1ms);
    words.push(kind, "9/1", key(9, 1), start + 1ms);
    CHECK(words.all() == "8/0 8/1 9/0 9/1");

    EdgeQueue::Waiting const old{Class::urgent, key(8), 1, start + 1ms};
    EdgeQueue::Waiting const newer{Class::urgent, key(9), 1, start};
    CHECK(old.precedes(newer));
    CHECK_FALSE(newer.precedes(old));
    EdgeQueue::Waiting const live{Class::live, key(7), 1, start};
    CHECK(newer.precedes(live));
    EdgeQueue::Waiting const next{Class::live, key(6), 1, start + 1ms};
    CHECK(live.precedes(next));
}

TEST_CASE("The queue's bytes are those of what waits") {
    Words words;
    words.control("12345");
    words.push(Class::live, "678", key(1));
    CHECK(words->bytes() == 8);
    CHECK_FALSE(words->is_empty());
    words.push(Class::catch_up, "late", key(2));
    words.push(Class::parity, "parity", key(3));
    CHECK(words->bytes_ahead() == 8); // what a new block waits for
    words->drop({0});
    words.push(Class::live, "678", key(1));
    words.pop();
    CHECK(words->bytes() == 3);
    words.pop();
    CHECK(words->is_empty());
}

TEST_CASE("A block that waits is not queued twice, whatever its class") {
    Words words;
    words.push(Class::live, "one", key(1));
    words.push(Class::live, "again", key(1));
    words.push(Class::catch_up, "again", key(1));
    words.push(Class::live, "stripe", key(1, 1));
    words.push(Class::live, "group", key(2));
    auto other_run = key(1);
    other_run.run.bytes[7] ^= 1;
    words.push(Class::live, "run", other_run);
    CHECK(words.all() == "one stripe group run");
}

TEST_CASE("A block that has left can be queued again") {
    Words words;
    words.push(Class::live, "sent", key(1));
    CHECK(words.all() == "sent");
    words.push(Class::catch_up, "wanted", key(1));
    CHECK(words.all() == "wanted");
}

TEST_CASE("A full queue drops catch-up, then parity, then urgent catch-up, then live blocks") {
    Words words{{12, 1000, 4s}};
    words.push(Class::live, "l1", key(1));
    words.push(Class::catch_up, "c1", key(2));
    words.push(Class::catch_up, "c2", key(3));
    words.push(Class::parity, "p1", key(4));
    words.push(Class::parity, "p2", key(5));
    words.push(Class::urgent, "u1", key(6));
    REQUIRE(words->bytes() == 12);

    words.push(Class::live, "l2", key(7));
    CHECK(words->dropped(Class::catch_up) == 1); // the older one
    words.push(Class::live, "l3", key(8));
    CHECK(words->dropped(Class::catch_up) == 2);
    words.push(Class::live, "l4", key(9));
    CHECK(words->dropped(Class::parity) == 1);
    words.push(Class::live, "l5", key(10));
    CHECK(words->dropped(Class::parity) == 2);
    words.push(Class::live, "l6", key(11));
    CHECK(words->dropped(Class::urgent) == 1);
    CHECK(words->dropped(Class::live) == 0);
    words.push(Class::live, "l7", key(12));
    CHECK(words->dropped(Class::live) == 1);
    CHECK(words->bytes() == 12);
    CHECK(words.all() == "l2 l3 l4 l5 l6 l7");
}

TEST_CASE("Of urgent blocks those of the newest groups are dropped: they are due last") {
    Words words{{4, 1000, 4s}};
    words.push(Class::urgent, "b2", key(2));
    words.push(Class::urgent, "b3", key(3));
    words.push(Class::urgent, "b1", key(1));
    CHECK(words->dropped(Class::urgent) == 1);
    CHECK(words.all() == "b1 b2");
}

TEST_CASE("Of the class that is dropped from, the oldest goes") {
    auto const kind = GENERATE(Class::live, Class::catch_up, Class::parity);
    Words words{{4, 1000, 4s}};
    words.push(kind, "b1", key(1));
    words.push(kind, "b2", key(2));
    words.push(kind, "b3", key(3));
    CHECK(words.all() == "b2 b3");
}

TEST_CASE("Catch-up does not displace live blocks from a full queue") {
    Words words{{4, 1000, 4s}};
    words.push(Class::live, "l1", key(1));
    words.push(Class::live, "l2", key(2));
    words.push(Class::catch_up, "c1", key(3));
    CHECK(words->dropped(Class::catch_up) == 1);
    CHECK(words.all() == "l1 l2");
}

TEST_CASE("A block that was dropped can be queued again") {
    Words words{{4, 1000, 4s}};
    words.push(Class::catch_up, "c1", key(1));
    words.push(Class::live, "l1", key(2));
    words.push(Class::live, "l2", key(3));
    REQUIRE(words->dropped(Class::catch_up) == 1);
    words.pop();
    words.push(Class::catch_up, "c1", key(1));
    CHECK(words.all() == "l2 c1");
}

TEST_CASE("A block that waited too long is dropped, control is not") {
    auto const kind = GENERATE(Class::live, Class::urgent, Class::catch_up, Class::parity);
    Words words{{1000, 1000, 4s, 8s}};
    words.control("control");
    words.push(kind, "late", key(1), start);
    words.push(kind, "later", key(2), start + 1s);
    auto const now = start + (kind == Class::urgent ? 8s : 4s) + 1ms;
    CHECK(words.all(now) == "control later");
    CHECK(words->dropped(kind) == 1);
    CHECK(words->bytes() == 0);
}

TEST_CASE("Catch-up that waited too long is dropped although older groups came later") {
    Words words{{1000, 1000, 4s}};
    words.push(Class::catch_up, "9", key(9), start);
    words.push(Class::catch_up, "7", key(7), start + 1s);
    words.push(Class::catch_up, "8", key(8), start + 2s);
    CHECK(words.pop(start + 4s + 1ms) == "7");
    CHECK(words->dropped(Class::catch_up) == 1);
    CHECK(words.all(start + 6s + 1ms).empty());
    CHECK(words->dropped(Class::catch_up) == 2);
}

TEST_CASE("A block leaves in the very moment its time is up, and room is made before new ones") {
    Words words{{4, 1000, 4s}};
    words.push(Class::live, "l1", key(1), start);
    words.push(Class::live, "l2", key(2), start + 1s);
    CHECK(words.pop(start + 4s) == "l1");
    words.push(Class::catch_up, "c1", key(3), start + 5s);
    words.push(Class::live, "l3", key(4), start + 6s); // l2 has waited for five seconds
    CHECK(words->dropped(Class::live) == 1);
    CHECK(words->dropped(Class::catch_up) == 0);
    CHECK(words.all(start + 6s) == "l3 c1");
}

TEST_CASE("Control is never dropped and takes no room from blocks; too much of it is clogged") {
    Words words{{4, 6, 4s}};
    words.control("123456");
    CHECK_FALSE(words->is_clogged());
    words.control("7");
    CHECK(words->is_clogged());
    words.push(Class::live, "live", key(1));
    CHECK(words->dropped(Class::live) == 0);
    CHECK(words.pop(start + 1h) == "123456");
    CHECK_FALSE(words->is_clogged());
    CHECK(words.all(start + 1h) == "7");
}

TEST_CASE("The oldest wait is that of urgent and live blocks only") {
    Words words;
    words.push(Class::catch_up, "c1", key(1), start);
    words.push(Class::parity, "p1", key(2), start);
    CHECK(words->oldest_wait(start + 1s) == 0s);
    words.push(Class::live, "l1", key(3), start + 1s);
    words.push(Class::live, "l2", key(4), start + 2s);
    CHECK(words->oldest_wait(start + 3s) == 2s);
    CHECK(words.pop(start + 3s) == "l1");
    CHECK(words->oldest_wait(start + 3s) == 1s);
    words.push(Class::urgent, "u9", key(9), start + 1s);
    words.push(Class::urgent, "u8", key(8), start + 2s);
    CHECK(words->oldest_wait(start + 3s) == 2s);
}

TEST_CASE("When a subscription ends what waits of its stripe goes") {
    Words words;
    words.control("control");
    words.push(Class::live, "l2", key(5, 2));
    words.push(Class::live, "l3", key(5, 3));
    words.push(Class::urgent, "u3", key(4, 3));
    words.push(Class::catch_up, "c3", key(3, 3));
    words.push(Class::parity, "p8", key(5, 8));
    words->drop({3});
    CHECK(words->bytes() == 11);
    CHECK(words->dropped(Class::live) == 0); // nobody misses them
    words.push(Class::live, "again", key(5, 3));
    CHECK(words.all() == "control l2 again p8");
}

TEST_CASE("Of several queues' next blocks the better class leaves first, then the older one") {
    Words one;
    Words other;
    one.push(Class::live, "l1", key(1), start + 1ms);
    other.push(Class::live, "l2", key(2), start);
    CHECK(other->next(start + 1ms)->precedes(*one->next(start + 1ms)));
    CHECK_FALSE(one->next(start + 1ms)->precedes(*other->next(start + 1ms)));
    one.push(Class::urgent, "u1", key(3), start + 2ms);
    CHECK(one->next(start + 2ms)->precedes(*other->next(start + 2ms)));
}
