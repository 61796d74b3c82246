#include "unit/edge/policy_node.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

// Two relays that ask each other for the same stripe at once. Both rebuild it from the others: were
// each the other's parent, neither would notice that none of it comes from the source.

using namespace minuteswarm;
using namespace minuteswarm::edge_policy;

using std::chrono::milliseconds;

namespace {

constexpr std::uint64_t usual = 9;   // sends all stripes but one
constexpr std::uint64_t stalled = 4; // parent of that one, which has lost its own
constexpr StripeIndex stripe{0};

/// Two relays that know each other and the same two neighbours; what one sends the other has 50 ms
/// later.
class Pair {
public:
    Pair() {
        for (std::uint32_t i = 0; i < 2; ++i) {
            relays_[i].enter(usual, {9});
            relays_[i].enter(stalled, {4});
        }
        pass_groups(12);
        for (auto& relay : relays_)
            REQUIRE(relay.policy().parents().parent(stripe) == NeighbourId{stalled});
        for (std::uint32_t i = 0; i < 2; ++i)
            relays_[i].enter(id_of(1 - i), {2 + (1 - i)});
    }
    void stall() { has_stalled_ = true; }
    void pass_groups(int number) {
        for (int i = 0; i < number; ++i)
            pass_group();
    }
    [[nodiscard]] bool is_circle() {
        return relays_[0].policy().parents().parent(stripe) == NeighbourId{id_of(1)} &&
               relays_[1].policy().parents().parent(stripe) == NeighbourId{id_of(0)};
    }
    [[nodiscard]] int crossings() const { return crossings_; }
    [[nodiscard]] int longest_circle() const { return longest_; }

private:
    struct Sent {
        std::size_t to;
        SubscriptionMessage message;
    };
    static std::uint64_t id_of(std::size_t relay) { return 20 + relay; }

    void pass_group() {
        ++group_;
        for (std::size_t i = 0; i < 2; ++i) {
            auto& relay = relays_[i];
            for (StripeIndex s; s.value < 9; ++s) {
                if (s != stripe) relay.block(usual, s, group_, path_of({1, 9}));
            }
            if (!has_stalled_) relay.block(stalled, stripe, group_, path_of({1, 4}));
            auto advert = advert_of(9, 0);
            advert.newest = {group_};
            for (auto& one : advert.stripes)
                one.is_flowing = one.stripe != stripe;
            relay.hear(usual, advert);
            for (auto& one : advert.stripes)
                one.is_flowing = one.stripe == stripe && !has_stalled_;
            relay.hear(stalled, advert);
            // Each believes the other to have what it lacks itself.
            for (auto& one : advert.stripes)
                one.is_flowing = one.stripe == stripe;
            relay.hear(id_of(1 - i), advert);
            relay.policy().on_rebuilt({group_}, relay.now());
        }
        for (int step = 0; step < 5; ++step)
            exchange();
        in_circle_ = is_circle() ? in_circle_ + 1 : 0;
        longest_ = std::max(longest_, in_circle_);
    }

    void exchange() {
        auto const asked = [](Sent const& sent) {
            auto const* asks = std::get_if<SubscribeMessage>(&sent.message);
            return asks && asks->stripe == stripe;
        };
        crossings_ += std::ranges::count_if(under_way_, asked) == 2 ? 1 : 0;
        for (auto const& [to, message] : std::exchange(under_way_, {}))
            relays_[to].hear(id_of(1 - to), message);
        for (std::size_t i = 0; i < 2; ++i) {
            auto& relay = relays_[i];
            relay.wait(milliseconds{50});
            for (auto const& send : relay.take<SendSubscription>()) {
                auto const is_advert = std::holds_alternative<AdvertMessage>(send.message);
                if (send.to.value == id_of(1 - i) && !is_advert)
                    under_way_.push_back({1 - i, send.message});
                auto const* asks = std::get_if<SubscribeMessage>(&send.message);
                if (!asks) continue;
                if (send.to.value == usual && asks->stripe != stripe)
                    relay.hear(usual, AcceptMessage{asks->stripe, path_of({1, 9}), {}});
                if (send.to.value == stalled && asks->stripe == stripe && !has_stalled_)
                    relay.hear(stalled, AcceptMessage{stripe, path_of({1, 4}), {}});
            }
            for (auto const& made : relay.take<RegenerateBlocks>()) {
                auto const path = relay.policy().path(stripe);
                if (has(made.stripes, stripe) && relay.policy().pushes(stripe, {id_of(1 - i)}))
                    relays_[1 - i].block(id_of(i), stripe, made.group.value, path);
            }
            relay.forget();
        }
    }

    std::array<Node, 2> relays_{Node{{2}, 10}, Node{{3}, 10}};
    std::vector<Sent> under_way_;
    std::uint64_t group_ = 100;
    bool has_stalled_ = false;
    int crossings_ = 0;
    int in_circle_ = 0; ///< groups
    int longest_ = 0;
};

} // namespace

TEST_CASE("Relays that ask each other at once do not go on feeding each other") {
    Pair pair;
    pair.stall();
    pair.pass_groups(60);
    CHECK(pair.crossings() >= 1);
    CHECK(pair.longest_circle() <= 2);
}
