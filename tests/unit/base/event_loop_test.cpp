#include "base/event_loop.hpp"

#include <catch2/catch.hpp>

#include <thread>
#include <vector>

using namespace minuteswarm;

TEST_CASE("Posted work runs in order, on the loop's thread") {
    EventLoop loop;
    std::vector<int> order;
    std::thread::id ran_on;
    loop.post([&] {
        ran_on = std::this_thread::get_id();
        order.push_back(1);
        loop.post([&] { order.push_back(3); });
        order.push_back(2);
    });
    std::thread thread{[&] { loop.run(); }};
    auto const expected = thread.get_id();
    thread.join();
    CHECK(ran_on == expected);
    CHECK(order == std::vector{1, 2, 3});
}

TEST_CASE("Only the loop's thread is current while it runs") {
    EventLoop loop;
    CHECK(loop.is_current());
    bool is_current_elsewhere = true;
    bool is_current_on_loop = false;
    loop.post([&] {
        is_current_on_loop = loop.is_current();
        std::thread{[&] { is_current_elsewhere = loop.is_current(); }}.join();
    });
    loop.run();
    CHECK(is_current_on_loop);
    CHECK_FALSE(is_current_elsewhere);
    CHECK(loop.is_current());
}

TEST_CASE("A stopped loop leaves the rest undone and can run again") {
    EventLoop loop;
    int done = 0;
    loop.post([&] { loop.stop(); });
    loop.post([&] { ++done; });
    loop.run();
    CHECK(done == 0);
    loop.run();
    CHECK(done == 1);
}
