#include "unit/edge/policy_node.hpp"

#include <catch2/catch.hpp>

#include <utility>

using namespace minuteswarm;
using namespace minuteswarm::edge_policy;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// A viewer of two stripes whose neighbours say to have them, and a slot for it as well.
struct Newcomer {
    Newcomer() {
        for (std::uint64_t id = first; id < first + neighbours; ++id)
            node.enter(id, {static_cast<std::uint32_t>(id)});
    }
    void pass(milliseconds time) {
        for (auto left = time; left > milliseconds{0}; left -= milliseconds{50}) {
            for (std::uint64_t id = first; id < first + neighbours; ++id) {
                auto advert = advert_of(2, 0);
                advert.spare = 1;
                advert.newest = {newest()};
                node.hear(id, advert);
                answer(id);
                for (StripeIndex s; s.value < 2; ++s)
                    node.block(id, s, newest(), path_of({1, 9}));
            }
            node.wait(milliseconds{50});
            passed += milliseconds{50};
        }
    }
    [[nodiscard]] std::uint64_t newest() const {
        return 100 + static_cast<std::uint64_t>(passed / milliseconds{250});
    }
    void answer(std::uint64_t id) {
        auto const asked = node.sent<SubscribeMessage>(id);
        for (auto const& request : asked) {
            if (has(accepted, request.stripe)) {
                auto const path = path_of({1, 9, static_cast<std::uint32_t>(id)});
                node.hear(id, AcceptMessage{request.stripe, path, {}});
            } else {
                node.hear(id, RejectMessage{request.stripe, RejectMessage::Reason::full});
            }
        }
        if (asked.empty()) return;
        count_links();
        node.forget();
    }
    void count_links() {
        for (auto const& link : node.take<OpenLink>())
            looks += link.homes == 0 && link.successor.successor.value == 0 ? 1 : 0;
    }
    [[nodiscard]] int looked() {
        count_links();
        node.forget();
        return std::exchange(looks, 0);
    }

    static constexpr std::uint64_t first = 3;
    static constexpr std::uint64_t neighbours = 4;
    Node node{{2}, 3, 2, 0};
    milliseconds passed{0};
    StripeMask accepted = 0;
    int looks = 0;
};

} // namespace

TEST_CASE("Who is refused by all it asks looks for others to ask") {
    Newcomer viewer;
    viewer.pass(seconds{2});
    CHECK(viewer.looked() == 0);
    viewer.pass(seconds{2});
    CHECK(viewer.looked() >= 1);
}

TEST_CASE("Who is served does not look for others to ask") {
    Newcomer viewer;
    viewer.accepted = 0x3;
    viewer.pass(seconds{4});
    CHECK(viewer.looked() == 0);
}

TEST_CASE("Who has stepped back looks for others to ask") {
    Newcomer viewer;
    viewer.pass(milliseconds{50});
    viewer.accepted = viewer.node.policy().homes();
    REQUIRE(viewer.accepted != 0x3);
    for (int i = 0; i < 20 && !viewer.node.policy().is_stepped_back(); ++i)
        viewer.pass(seconds{1});
    REQUIRE(viewer.node.policy().is_stepped_back());
    static_cast<void>(viewer.looked());
    viewer.pass(seconds{7});
    CHECK(viewer.looked() >= 3);
}

TEST_CASE("Radio waits longer for a word: whoever has many neighbours tells each seldom") {
    for (auto const stripes : {std::uint8_t{2}, std::uint8_t{8}}) {
        CAPTURE(stripes);
        Node viewer{{2}, 0, stripes, 0, seconds{5}};
        viewer.enter(10, {10});
        viewer.hear(10, advert_of(stripes, 0));
        viewer.wait(seconds{6});
        CHECK(viewer.take<CloseLink>().empty() == (stripes == 2));
        viewer.wait(seconds{12});
        CHECK_FALSE(viewer.take<CloseLink>().empty());
    }
}
