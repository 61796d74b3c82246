#include "base/signals.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <csignal>
#include <optional>

using namespace minuteswarm;

TEST_CASE("Signals that are cancelled in their own call keep the loop no longer") {
    EventLoop loop;
    std::optional<StopSignals> signals;
    int heard = 0;
    signals.emplace(loop, [&] {
        if (++heard == 2)
            signals->cancel();
        else
            std::raise(SIGTERM);
    });
    loop.post([] { std::raise(SIGINT); });
    loop.run_for(std::chrono::seconds{10});
    CHECK(heard == 2);
    CHECK(loop.io().stopped()); // nothing was left to wait for
}
