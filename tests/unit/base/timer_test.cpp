#include "base/timer.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace minuteswarm;
using std::chrono::hours;
using std::chrono::milliseconds;

namespace {

/// Work for a loop that was held up: the timer is due already, and its call waits behind this.
void when_due(EventLoop& loop, std::function<void()> work) {
    auto const due = std::make_shared<boost::asio::steady_timer>(loop.io());
    due->expires_at(MonotonicClock::now() - hours{1});
    due->async_wait([due, work = std::move(work)](auto const&) { work(); });
}

} // namespace

TEST_CASE("A timer calls back once") {
    EventLoop loop;
    Timer timer{loop};
    int calls = 0;
    timer.start_after(milliseconds{0}, [&] { ++calls; });
    loop.run();
    CHECK(calls == 1);
}

TEST_CASE("A timer that is set anew, cancelled or gone drops a call that is due already") {
    EventLoop loop;
    auto timer = std::make_unique<Timer>(loop);
    int earlier = 0;
    int later = 0;
    timer->start_at(MonotonicClock::now() - milliseconds{1}, [&] { ++earlier; });
    SECTION("set anew") {
        when_due(loop, [&] { timer->start_after(milliseconds{0}, [&] { ++later; }); });
        loop.run();
        CHECK(later == 1);
    }
    SECTION("cancelled") {
        when_due(loop, [&] { timer->cancel(); });
        loop.run();
    }
    SECTION("gone") {
        when_due(loop, [&] { timer.reset(); });
        loop.run();
    }
    CHECK(earlier == 0);
}

TEST_CASE("A cancelled timer does not keep the loop") {
    EventLoop loop;
    Timer timer{loop};
    int calls = 0;
    timer.start_after(hours{1}, [&] { ++calls; });
    timer.cancel();
    loop.run();
    CHECK(calls == 0);
}
