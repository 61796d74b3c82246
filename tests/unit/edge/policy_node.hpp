#pragma once

#include "edge/subscriptions.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <utility>
#include <vector>

/// One node's policy, with neighbours that are made of messages.
namespace minuteswarm::edge_policy {

inline constexpr NodeId source_id{1};

/// A node under test, its clock, and what it wanted done.
class Node {
public:
    explicit Node(
        NodeId self,
        std::size_t slots,
        std::uint8_t stripes = 8,
        std::uint8_t parity = 1,
        Duration start_back = {},
        bool is_uplink_known = true
    )
        : policy_(
              options(self, slots, stripes, parity, start_back, is_uplink_known), random_, now_
          ) {}

    void enter(std::uint64_t id, NodeId node, bool is_source = false) {
        policy_.enter({id}, {node, std::chrono::milliseconds{10}, is_source, false}, now_);
    }
    void hear(std::uint64_t from, SubscriptionMessage const& message) {
        policy_.on_message({from}, message, now_);
    }
    void wait(std::chrono::milliseconds time) {
        for (auto const end = now_ + time; now_ < end;) {
            now_ += std::chrono::milliseconds{50};
            policy_.tick(now_);
        }
    }
    void block(
        std::uint64_t from,
        StripeIndex stripe,
        std::uint64_t group,
        NodePath const& path,
        std::chrono::milliseconds age = std::chrono::milliseconds{100}
    ) {
        policy_.on_block({{from}, stripe, {group}, path, age}, now_);
    }
    template <class T>
    std::vector<T> take() {
        for (auto& action : policy_.take_actions())
            actions_.push_back(std::move(action));
        std::vector<T> found;
        for (auto const& action : actions_) {
            if (auto const* one = std::get_if<T>(&action)) found.push_back(*one);
        }
        return found;
    }
    /// Messages of a kind to a neighbour so far.
    template <class T>
    std::vector<T> sent(std::uint64_t to) {
        std::vector<T> found;
        for (auto const& send : take<SendSubscription>()) {
            auto const* message = std::get_if<T>(&send.message);
            if (message && send.to.value == to) found.push_back(*message);
        }
        return found;
    }
    void forget() {
        static_cast<void>(policy_.take_actions());
        actions_.clear();
    }
    Subscriptions& policy() { return policy_; }
    [[nodiscard]] MonotonicTime now() const { return now_; }

private:
    static SubscriptionOptions options(
        NodeId self,
        std::size_t slots,
        std::uint8_t stripes,
        std::uint8_t parity,
        Duration start_back,
        bool is_uplink_known
    ) {
        SubscriptionOptions options;
        options.is_uplink_known = is_uplink_known;
        options.start_back = start_back;
        options.self = self;
        options.source = source_id;
        options.stripes = stripes;
        options.parity = parity;
        options.slots = slots;
        return options;
    }

    std::mt19937_64 random_{1};
    MonotonicTime now_{std::chrono::seconds{1000}};
    Subscriptions policy_;
    std::vector<EdgeAction> actions_;
};

inline AdvertMessage advert_of(std::uint8_t stripes, std::uint8_t need) {
    AdvertMessage advert{{100}, 10, 5, 0, false, false, false, {}};
    for (std::uint8_t s = 0; s < stripes; ++s)
        advert.stripes.push_back(
            {{s}, true, true, false, need, 1, 0, std::chrono::milliseconds{100}}
        );
    return advert;
}

inline SubscribeMessage subscribe(std::uint8_t stripe) {
    SubscribeMessage message{{stripe}, {100}, 0};
    message.is_needy = message.has_uplink = true;
    return message;
}

inline SubscribeMessage home_of(std::uint8_t stripe) {
    auto message = subscribe(stripe);
    message.is_home = true;
    return message;
}

inline NodePath path_of(std::initializer_list<std::uint32_t> nodes) {
    NodePath path;
    for (auto const node : nodes)
        path.append({node});
    return path;
}

/// Lets the source accept every request of the relay.
inline void feed(Node& relay) {
    relay.enter(1, source_id, true);
    relay.hear(1, advert_of(9, 0));
    for (int i = 0; i < 40; ++i) {
        relay.wait(std::chrono::milliseconds{50});
        for (auto const& request : relay.sent<SubscribeMessage>(1))
            relay.hear(1, AcceptMessage{request.stripe, path_of({1}), {}});
        relay.forget();
        if (relay.policy().flowing() == 0x1ff) return;
        for (StripeIndex s; s.value < 9; ++s)
            relay.block(1, s, 100U + static_cast<unsigned>(i), path_of({1}));
    }
    FAIL("the relay is not fed");
}

} // namespace minuteswarm::edge_policy
