#include "swarm/token_bucket.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace std::chrono_literals;

TEST_CASE("A token bucket gives its burst at once, then its rate") {
    MonotonicTime const start{1h};
    TokenBucket bucket{10, 3};
    CHECK(bucket.take(1, start));
    CHECK(bucket.take(2, start));
    CHECK_FALSE(bucket.take(1, start));
    CHECK_FALSE(bucket.take(1, start + 50ms));
    CHECK(bucket.take(1, start + 101ms));
    CHECK_FALSE(bucket.take(1, start + 101ms));
}

TEST_CASE("A token bucket never fills beyond its burst") {
    MonotonicTime const start{1h};
    TokenBucket bucket{1000, 3};
    CHECK(bucket.take(3, start));
    CHECK(bucket.take(3, start + 1h));
    CHECK_FALSE(bucket.take(1, start + 1h));
}

TEST_CASE("A token bucket refuses more than its burst without losing what it has") {
    MonotonicTime const start{1h};
    TokenBucket bucket{1, 3};
    CHECK_FALSE(bucket.take(4, start));
    CHECK(bucket.take(3, start));
}

TEST_CASE("What a token bucket spends beyond its tokens is waited for") {
    MonotonicTime const start{1h};
    TokenBucket bucket{10, 3};
    CHECK_FALSE(bucket.is_empty(start));
    CHECK(bucket.wait() == 0s);
    bucket.spend(8, start);
    CHECK(bucket.is_empty(start));
    CHECK(bucket.wait() == 500ms);
    CHECK(bucket.is_empty(start + 499ms));
    CHECK_FALSE(bucket.is_empty(start + 501ms));
}

TEST_CASE("A token bucket forgets debt beyond what it may have, and leaves more of another kind") {
    MonotonicTime const start{1h};
    TokenBucket bucket{10, 3};
    bucket.spend(1000, 20, start);
    CHECK(bucket.wait() == 2s);
    bucket.spend(5, 20, start);
    CHECK(bucket.wait() == 2s);
    bucket.spend(10, start); // its own
    CHECK(bucket.wait() == 3s);
    bucket.spend(5, 20, start);
    CHECK(bucket.wait() == 3s);
}
