#pragma once

#include "base/bytes.hpp"
#include "base/expected.hpp"
#include "edge/node_path.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <variant>
#include <vector>

namespace minuteswarm {

/// What a node says of one stripe. Nobody signs it: a hint.
struct StripeAdvert {
    static constexpr std::uint8_t nobody = 7;
    static constexpr std::uint8_t most_behind = 31;
    static constexpr std::uint8_t most_hops = 31;
    static constexpr std::chrono::milliseconds age_unit{20};
    static constexpr std::chrono::milliseconds most_age = 255 * age_unit;

    StripeIndex stripe;
    bool is_flowing = false;           ///< blocks come that began at the source
    bool is_home = false;              ///< it means to have many children here
    bool is_relay = false;             ///< it has at least two children here
    std::uint8_t need = nobody;        ///< the lowest class it would accept; 0: a slot is free
    std::uint8_t hops = most_hops;     ///< from the source
    std::uint8_t behind = most_behind; ///< groups, behind the newest of the advert
    std::chrono::milliseconds age{};   ///< of blocks when they arrive there, in steps of age_unit
    bool operator==(StripeAdvert const&) const = default;
};

/// What changed of what a node says of itself; the first one names every stripe.
struct AdvertMessage {
    GroupNumber newest;                ///< of any stripe
    std::uint8_t slots = 0;            ///< copies of a stripe it can send
    std::uint8_t spare = 0;            ///< of these, free
    std::uint8_t incomplete = 0;       ///< newest groups, of which not all are rebuilt
    bool is_searching = false;         ///< wants to hear of every change
    bool is_directed = false;          ///< it connected to the receiver for its homes
    bool is_stepped_back = false;      ///< leaves the live edge to others, or is on trial
    std::vector<StripeAdvert> stripes; ///< ascending
    /// Groups that begin with a random access point, newest first: where a joiner may begin.
    std::vector<GroupNumber> entries{};
    bool operator==(AdvertMessage const&) const = default;
};

/// Asks for a stripe: for the blocks it lacks of the 32 groups from `first` on, then for new ones.
struct SubscribeMessage {
    static constexpr std::uint64_t groups = 32; ///< that `held` has bits for

    StripeIndex stripe;
    GroupNumber first;
    std::uint32_t held = 0;    ///< bit i: has, or needs not, first + i
    bool is_home = false;      ///< and has slots for two children
    bool is_relay = false;     ///< has at least two children in the stripe
    bool is_needy = false;     ///< cannot rebuild groups without it
    bool has_uplink = false;   ///< has slots at all, and is not on trial
    bool is_adopt = false;     ///< the receiver took its place at a parent
    bool is_desperate = false; ///< found no proper parent
    bool may_preempt = true;
    [[nodiscard]] bool holds(GroupNumber group) const {
        auto const distance = group.value - first.value;
        return group >= first && distance < groups && (held >> distance & 1U) != 0;
    }
    bool operator==(SubscribeMessage const&) const = default;
};

struct AcceptMessage {
    StripeIndex stripe;
    NodePath path;    ///< of the blocks to come, the accepting node included
    NodeId preempted; ///< whose place it is; 0: nobody's
    bool operator==(AcceptMessage const&) const = default;
};

struct RejectMessage {
    enum class Reason : std::uint8_t { full = 1, loop = 2, not_flowing = 3 };
    StripeIndex stripe;
    Reason reason = Reason::full;
    bool operator==(RejectMessage const&) const = default;
};

struct UnsubscribeMessage {
    StripeIndex stripe;
    bool operator==(UnsubscribeMessage const&) const = default;
};

/// The sender takes a slot back.
struct PreemptMessage {
    StripeIndex stripe;
    NodeId successor; ///< who got the slot and will take the receiver; 0: nobody
    std::array<std::uint8_t, 16> address{}; ///< the successor's, IPv6 or mapped; a hint
    std::uint16_t port = 0;                 ///< 0: unknown
    bool operator==(PreemptMessage const&) const = default;
};

using SubscriptionMessage = std::variant<
    AdvertMessage,
    SubscribeMessage,
    AcceptMessage,
    RejectMessage,
    UnsubscribeMessage,
    PreemptMessage>;

/// The bodies: what follows the type byte. Group numbers and masks are compact integers.
/// advert: newest compact, slots u8, spare u8, incomplete u8, flags u8, stripes mask compact, then
/// for each stripe 3 bytes: behind 5 bits, hops 5, need 3, flowing, home, relay, age u8.
Bytes encode_body(AdvertMessage const& message);
/// stripe u8, flags u8, first compact, held u32.
Bytes encode_body(SubscribeMessage const& message);
/// stripe u8, preempted u32, the path's node ids u32 each.
Bytes encode_body(AcceptMessage const& message);
/// stripe u8, reason u8.
Bytes encode_body(RejectMessage const& message);
/// stripe u8.
Bytes encode_body(UnsubscribeMessage const& message);
/// stripe u8, successor u32, address 16 bytes, port u16.
Bytes encode_body(PreemptMessage const& message);

Expected<AdvertMessage> decode_advert(ByteView body);
Expected<SubscribeMessage> decode_subscribe(ByteView body);
Expected<AcceptMessage> decode_accept(ByteView body);
Expected<RejectMessage> decode_reject(ByteView body);
Expected<UnsubscribeMessage> decode_unsubscribe(ByteView body);
Expected<PreemptMessage> decode_preempt(ByteView body);

} // namespace minuteswarm
