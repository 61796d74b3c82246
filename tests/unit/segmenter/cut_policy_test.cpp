#include "base/limits.hpp"
#include "segmenter/cut_policy.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace minuteswarm;
using namespace std::chrono_literals;

namespace {

using Decision = CutPolicy::Decision;

CutPolicy started_video(MediaTime target) {
    CutPolicy policy({target, true});
    policy.start(0s);
    return policy;
}

CutPolicy::Arrival keyframe(MediaTime at) {
    return {true, true, at, 1000};
}
CutPolicy::Arrival frame(MediaTime at) {
    return {true, false, at, 1000};
}
CutPolicy::Arrival sound(MediaTime at) {
    return {false, true, at, 1000};
}

} // namespace

TEST_CASE("An epoch with video begins with a video keyframe only") {
    CutPolicy const policy({4s, true});
    CHECK(policy.can_start(true, true));
    CHECK_FALSE(policy.can_start(true, false));
    CHECK_FALSE(policy.can_start(false, true));
    CHECK(CutPolicy({4s, false}).can_start(false, true));
}

TEST_CASE("A chunk ends at the first keyframe at or after the target") {
    auto policy = started_video(4s);
    CHECK(policy.decide(keyframe(2s)) == Decision::keep);
    CHECK(policy.decide(frame(4s)) == Decision::keep);
    CHECK(policy.decide(sound(4s)) == Decision::keep);
    CHECK(policy.decide(keyframe(4500ms)) == Decision::cut);
    CHECK(policy.decide(keyframe(8s)) == Decision::keep);
    CHECK(policy.decide(keyframe(8500ms)) == Decision::cut);
    CHECK_FALSE(policy.take_warning());
}

TEST_CASE("A keyframe up to a millisecond early is on time") {
    auto policy = started_video(4s);
    CHECK(policy.decide(keyframe(3998ms)) == Decision::keep);
    CHECK(policy.decide(keyframe(3999ms)) == Decision::cut);
}

TEST_CASE("Sound alone is cut at the first packet at or after the target") {
    CutPolicy policy({1s, false});
    policy.start(0s);
    CHECK(policy.decide(sound(976ms)) == Decision::keep);
    CHECK(policy.decide(sound(1002ms)) == Decision::cut);
    CHECK(policy.decide(sound(1990ms)) == Decision::keep);
}

TEST_CASE("Keyframes too far apart are reported once with what to set in the encoder") {
    auto policy = started_video(2s);
    CHECK(policy.decide(keyframe(3s)) == Decision::cut);
    CHECK_FALSE(policy.take_warning());
    CHECK(policy.decide(keyframe(6100ms)) == Decision::cut);
    auto const warning = policy.take_warning();
    REQUIRE(warning);
    CHECK(warning->find("keyframe interval to 2 s") != std::string::npos);
    CHECK(policy.decide(keyframe(10s)) == Decision::cut);
    CHECK_FALSE(policy.take_warning());
}

TEST_CASE("Without a keyframe a chunk ends at four times the target") {
    auto policy = started_video(2s);
    CHECK(policy.decide(frame(7999ms)) == Decision::keep);
    CHECK(policy.decide(frame(8s)) == Decision::cut_anywhere);
    CHECK(policy.take_warning());

    SECTION("and the next one at the next keyframe, so that chunks are independent again") {
        CHECK(policy.decide(keyframe(8500ms)) == Decision::keep);
        CHECK(policy.decide(keyframe(9100ms)) == Decision::cut);
    }
    SECTION("also when pictures have ceased and sound goes on") {
        CHECK(policy.decide(sound(16s)) == Decision::cut_anywhere);
    }
}

TEST_CASE("A missing keyframe is waited for 60 s at most, longer only where chunks are long") {
    auto policy = started_video(30s);
    CHECK(policy.decide(frame(59s)) == Decision::keep);
    CHECK(policy.decide(frame(60s)) == Decision::cut_anywhere);

    auto longest = started_video(120s);
    CHECK(longest.decide(frame(121s)) == Decision::keep);
    CHECK(longest.decide(frame(180s)) == Decision::cut_anywhere);
}

TEST_CASE("A chunk never grows to a size that records may not state") {
    auto policy = started_video(60s);
    auto large = frame(5s);
    large.size = limits::chunk_size / 2;
    CHECK(policy.decide(large) == Decision::cut_anywhere);
    CHECK_FALSE(policy.take_warning());
}
