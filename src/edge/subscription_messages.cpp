#include "edge/subscription_messages.hpp"

#include "base/big_endian.hpp"
#include "base/limits.hpp"
#include "edge/compact_integer.hpp"

#include <algorithm>
#include <optional>

namespace minuteswarm {
namespace {

constexpr std::uint8_t advert_flags = 0x0f;
constexpr std::uint8_t subscribe_flags = 0x7f;
constexpr std::uint64_t most_mask = (std::uint64_t{1} << limits::edge_stripes) - 1;

std::uint8_t flag(bool is_set, unsigned bit) {
    return static_cast<std::uint8_t>(is_set ? 1U << bit : 0U);
}

std::optional<StripeIndex> take_stripe(BigEndianReader& reader) {
    auto const stripe = reader.take<std::uint8_t>();
    if (!stripe || *stripe >= limits::edge_stripes) return std::nullopt;
    return StripeIndex{*stripe};
}

void append(Bytes& to, StripeAdvert const& stripe) {
    auto const steps = std::clamp(stripe.age, std::chrono::milliseconds{0}, stripe.most_age) /
                       StripeAdvert::age_unit;
    auto const behind = std::min(stripe.behind, StripeAdvert::most_behind);
    auto const hops = std::min(stripe.hops, StripeAdvert::most_hops);
    auto const need = std::min(stripe.need, StripeAdvert::nobody);
    append_be(
        to,
        static_cast<std::uint16_t>(
            behind << 11U | hops << 6U | need << 3U | flag(stripe.is_flowing, 2) |
            flag(stripe.is_home, 1) | flag(stripe.is_relay, 0)
        )
    );
    append_be(to, static_cast<std::uint8_t>(steps));
}

std::optional<StripeAdvert> take_stripe_advert(BigEndianReader& reader, StripeIndex stripe) {
    auto const bits = reader.take<std::uint16_t>();
    auto const steps = reader.take<std::uint8_t>();
    if (!steps) return std::nullopt;
    StripeAdvert advert;
    advert.stripe = stripe;
    advert.behind = static_cast<std::uint8_t>(*bits >> 11U);
    advert.hops = static_cast<std::uint8_t>(*bits >> 6U & 0x1fU);
    advert.need = static_cast<std::uint8_t>(*bits >> 3U & 0x07U);
    advert.is_flowing = (*bits & 4U) != 0;
    advert.is_home = (*bits & 2U) != 0;
    advert.is_relay = (*bits & 1U) != 0;
    advert.age = *steps * StripeAdvert::age_unit;
    return advert;
}

} // namespace

Bytes encode_body(AdvertMessage const& message) {
    Bytes body;
    body.reserve(12 + 3 * message.stripes.size());
    append_compact(body, message.newest.value);
    append_be(body, message.slots);
    append_be(body, message.spare);
    append_be(body, message.incomplete);
    append_be(
        body,
        static_cast<std::uint8_t>(
            flag(message.is_searching, 0) | flag(message.is_directed, 1) |
            flag(message.is_stepped_back, 2) | flag(!message.entries.empty(), 3)
        )
    );
    StripeMask mask = 0;
    for (auto const& stripe : message.stripes)
        mask |= mask_of(stripe.stripe);
    append_compact(body, mask);
    for (auto const& stripe : message.stripes)
        append(body, stripe);
    if (message.entries.empty()) return body;
    append_be(body, static_cast<std::uint8_t>(message.entries.size()));
    for (auto const entry : message.entries)
        append_compact(body, message.newest.value - entry.value);
    return body;
}

namespace {

/// Distances from the newest group, each larger than the one before.
bool take_entries(BigEndianReader& reader, AdvertMessage& message) {
    auto const count = reader.take<std::uint8_t>();
    if (!count || *count == 0 || *count > limits::edge_entries) return false;
    for (std::uint8_t i = 0; i < *count; ++i) {
        auto const back = take_compact(reader, message.newest.value);
        if (!back) return false;
        GroupNumber const entry{message.newest.value - *back};
        if (i > 0 && entry >= message.entries.back()) return false;
        message.entries.push_back(entry);
    }
    return true;
}

} // namespace

Expected<AdvertMessage> decode_advert(ByteView body) {
    BigEndianReader reader{body};
    auto const newest = take_compact(reader, most_compact);
    auto const slots = reader.take<std::uint8_t>();
    auto const spare = reader.take<std::uint8_t>();
    auto const incomplete = reader.take<std::uint8_t>();
    auto const flags = reader.take<std::uint8_t>();
    auto const mask = take_compact(reader, most_mask);
    if (!newest || !flags || !mask) return Error{"advert: malformed"};
    if ((*flags & ~advert_flags) != 0) return Error{"advert: unknown flags"};
    AdvertMessage message;
    message.newest = {*newest};
    message.slots = *slots;
    message.spare = std::min(*spare, *slots);
    message.incomplete = *incomplete;
    message.is_searching = (*flags & 1U) != 0;
    message.is_directed = (*flags & 2U) != 0;
    message.is_stepped_back = (*flags & 4U) != 0;
    for (StripeIndex s; s.value < limits::edge_stripes; ++s) {
        if (!has(static_cast<StripeMask>(*mask), s)) continue;
        auto const stripe = take_stripe_advert(reader, s);
        if (!stripe) return Error{"advert: cut short"};
        message.stripes.push_back(*stripe);
    }
    if ((*flags & 8U) != 0 && !take_entries(reader, message)) return Error{"advert: entries"};
    if (!reader.is_empty()) return Error{"advert: bytes after the end"};
    return message;
}

Bytes encode_body(SubscribeMessage const& message) {
    Bytes body{message.stripe.value};
    append_be(
        body,
        static_cast<std::uint8_t>(
            flag(message.is_home, 0) | flag(message.is_relay, 1) | flag(message.is_needy, 2) |
            flag(message.has_uplink, 3) | flag(message.is_adopt, 4) |
            flag(message.is_desperate, 5) | flag(message.may_preempt, 6)
        )
    );
    append_compact(body, message.first.value);
    append_be(body, message.held);
    return body;
}

Expected<SubscribeMessage> decode_subscribe(ByteView body) {
    BigEndianReader reader{body};
    auto const stripe = take_stripe(reader);
    auto const flags = reader.take<std::uint8_t>();
    auto const first = take_compact(reader, most_compact);
    auto const held = reader.take<std::uint32_t>();
    if (!stripe || !first || !held || !reader.is_empty()) return Error{"subscribe: malformed"};
    if ((*flags & ~subscribe_flags) != 0) return Error{"subscribe: unknown flags"};
    SubscribeMessage message{*stripe, {*first}, *held};
    message.is_home = (*flags & 1U) != 0;
    message.is_relay = (*flags & 2U) != 0;
    message.is_needy = (*flags & 4U) != 0;
    message.has_uplink = (*flags & 8U) != 0;
    message.is_adopt = (*flags & 16U) != 0;
    message.is_desperate = (*flags & 32U) != 0;
    message.may_preempt = (*flags & 64U) != 0;
    return message;
}

Bytes encode_body(AcceptMessage const& message) {
    Bytes body{message.stripe.value};
    append_be(body, message.preempted.value);
    for (auto const node : message.path.nodes())
        append_be(body, node.value);
    return body;
}

Expected<AcceptMessage> decode_accept(ByteView body) {
    BigEndianReader reader{body};
    auto const stripe = take_stripe(reader);
    auto const preempted = reader.take<std::uint32_t>();
    if (!stripe || !preempted) return Error{"accept: malformed"};
    AcceptMessage message{*stripe, {}, {*preempted}};
    while (!reader.is_empty()) {
        auto const node = reader.take<std::uint32_t>();
        if (!node) return Error{"accept: path cut short"};
        if (!message.path.append({*node})) return Error{"accept: path too long"};
    }
    if (message.path.size() == 0) return Error{"accept: no path"};
    return message;
}

Bytes encode_body(RejectMessage const& message) {
    return {message.stripe.value, static_cast<std::uint8_t>(message.reason)};
}

Expected<RejectMessage> decode_reject(ByteView body) {
    BigEndianReader reader{body};
    auto const stripe = take_stripe(reader);
    auto const reason = reader.take<std::uint8_t>();
    if (!stripe || !reason || !reader.is_empty()) return Error{"reject: malformed"};
    if (*reason < 1 || *reason > 3) return Error{"reject: no such reason"};
    return RejectMessage{*stripe, static_cast<RejectMessage::Reason>(*reason)};
}

Bytes encode_body(UnsubscribeMessage const& message) {
    return {message.stripe.value};
}

Expected<UnsubscribeMessage> decode_unsubscribe(ByteView body) {
    BigEndianReader reader{body};
    auto const stripe = take_stripe(reader);
    if (!stripe || !reader.is_empty()) return Error{"unsubscribe: malformed"};
    return UnsubscribeMessage{*stripe};
}

Bytes encode_body(PreemptMessage const& message) {
    Bytes body{message.stripe.value};
    append_be(body, message.successor.value);
    append(body, ByteView{message.address});
    append_be(body, message.port);
    return body;
}

Expected<PreemptMessage> decode_preempt(ByteView body) {
    BigEndianReader reader{body};
    auto const stripe = take_stripe(reader);
    auto const successor = reader.take<std::uint32_t>();
    auto const address = reader.take_bytes(16);
    auto const port = reader.take<std::uint16_t>();
    if (!stripe || !port || !reader.is_empty()) return Error{"preempt: malformed"};
    PreemptMessage message{*stripe, {*successor}, {}, *port};
    std::copy(address->begin(), address->end(), message.address.begin());
    return message;
}

} // namespace minuteswarm
