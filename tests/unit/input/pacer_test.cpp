#include "input/pacer.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace std::chrono_literals;

TEST_CASE("Pacer makes media due as time passes") {
    Pacer pacer(0s);
    MonotonicTime const start(100s);
    CHECK(pacer.due(7s, start) == start);
    CHECK(pacer.due(8s, start + 100ms) == start + 1s);
    CHECK(pacer.due(10s, start + 1s) == start + 3s);
}

TEST_CASE("Pacer lets a pipe run ahead by its lead") {
    Pacer pacer(2s);
    MonotonicTime const start(100s);
    CHECK(pacer.due(0s, start) <= start);
    CHECK(pacer.due(2s, start) <= start);
    CHECK(pacer.due(5s, start) == start + 3s);
}

TEST_CASE("Pacer goes on from now after it was held up, without a burst") {
    Pacer pacer(0s);
    MonotonicTime const start(100s);
    pacer.due(0s, start);
    CHECK(pacer.due(1s, start + 2s) == start + 1s);
    CHECK(pacer.due(2s, start + 30s) == start + 30s);
    CHECK(pacer.due(3s, start + 30s) == start + 31s);
}

TEST_CASE("Back-off doubles up to eight seconds and starts anew after success") {
    BackOff back_off;
    CHECK(back_off.next() == 500ms);
    CHECK(back_off.next() == 1s);
    for (int i = 0; i < 10; ++i)
        back_off.next();
    CHECK(back_off.next() == 8s);
    back_off.reset();
    CHECK(back_off.next() == 500ms);
}
