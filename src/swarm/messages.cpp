#include "swarm/messages.hpp"

#include "base/big_endian.hpp"
#include "base/limits.hpp"
#include "feed/statement_codec.hpp"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/bencode.hpp>
#include <libtorrent/entry.hpp>

#include <algorithm>
#include <iterator>

namespace minuteswarm {
namespace {

constexpr std::array<std::uint8_t, 12> v4_mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Bytes start(MessageType type) {
    return {static_cast<std::uint8_t>(type)};
}

bool is_v4(PeerEndpoint const& endpoint) {
    return std::equal(v4_mapped.begin(), v4_mapped.end(), endpoint.address.begin());
}

Expected<Message> decode_records(ByteView body) {
    auto frames = read_frames(body, limits::records_per_reply + 2);
    if (!frames) return frames.error();
    if (frames->consumed != body.size()) return Error{"records: bytes after the last statement"};
    return Message{RecordsMessage{std::move(frames->statements)}};
}

Expected<Message> decode_get_records(ByteView body) {
    BigEndianReader reader{body};
    auto const event = reader.take<std::uint64_t>();
    auto const rendition = reader.take<std::uint32_t>();
    auto const first = reader.take<std::uint64_t>();
    auto const count = reader.take<std::uint16_t>();
    if (!count || !reader.is_empty()) return Error{"get_records: wrong length"};
    return Message{GetRecordsMessage{{*event}, {*rendition}, {*first}, *count}};
}

Expected<Message> decode_have(ByteView body) {
    BigEndianReader reader{body};
    auto const event = reader.take<std::uint64_t>();
    auto const rendition = reader.take<std::uint32_t>();
    auto const number = reader.take<std::uint64_t>();
    auto const state = reader.take<std::uint8_t>();
    if (!state || !reader.is_empty()) return Error{"have: wrong length"};
    if (*state < 1 || *state > 3) return Error{"have: no such state"};
    return Message{
        HaveMessage{{*event}, {*rendition}, {*number}, static_cast<HaveMessage::State>(*state)}};
}

std::optional<PeerEndpoint> take_endpoint(BigEndianReader& reader) {
    auto const family = reader.take<std::uint8_t>();
    if (!family || (*family != 4 && *family != 6)) return std::nullopt;
    auto const address = reader.take_bytes(*family == 4 ? 4 : 16);
    auto const port = reader.take<std::uint16_t>();
    if (!port || *port == 0) return std::nullopt;
    PeerEndpoint endpoint;
    if (*family == 4) std::copy(v4_mapped.begin(), v4_mapped.end(), endpoint.address.begin());
    std::copy(address->begin(), address->end(), endpoint.address.end() - std::ssize(*address));
    endpoint.port = *port;
    return endpoint;
}

std::optional<PeersMessage::Peer> take_peer(BigEndianReader& reader) {
    auto const endpoint = take_endpoint(reader);
    auto const homes = reader.take<std::uint32_t>();
    if (!endpoint || !homes) return std::nullopt;
    return PeersMessage::Peer{*endpoint, *homes};
}

void append_endpoint(Bytes& bytes, PeerEndpoint const& endpoint) {
    auto const v4 = is_v4(endpoint);
    append_be(bytes, static_cast<std::uint8_t>(v4 ? 4 : 6));
    append(bytes, ByteView{endpoint.address}.subspan(v4 ? 12 : 0));
    append_be(bytes, endpoint.port);
}

Expected<Message> decode_peers(ByteView body) {
    BigEndianReader reader{body};
    auto const count = reader.take<std::uint8_t>();
    if (!count || *count > limits::peers_per_message) return Error{"peers: too many"};
    PeersMessage message;
    for (std::size_t i = 0; i < *count; ++i) {
        auto const peer = take_peer(reader);
        if (!peer) return Error{"peers: malformed"};
        message.peers.push_back(*peer);
    }
    if (!reader.is_empty()) return Error{"peers: bytes after the last"};
    return Message{std::move(message)};
}

MessageType type_of(SubscriptionMessage const& message) {
    // The variant is in the order of the numbers.
    return static_cast<MessageType>(
        static_cast<std::size_t>(MessageType::advert) + message.index()
    );
}

template <class T>
Expected<Message> decode_subscription(ByteView body, Expected<T> (*decode_rest)(ByteView)) {
    BigEndianReader reader{body};
    auto const source = reader.take<std::uint32_t>();
    if (!source) return Error{"subscription: no source"};
    auto message = decode_rest(reader.rest());
    if (!message) return message.error();
    return Message{SubscriptionEnvelope{{*source}, std::move(*message)}};
}

Expected<Message> decode_block_message(ByteView body) {
    BigEndianReader reader{body};
    auto const source = reader.take<std::uint32_t>();
    if (!source) return Error{"block: no source"};
    auto const rest = reader.rest();
    return Message{BlockMessage{{*source}, {rest.begin(), rest.end()}}};
}

Expected<Message> decode_proof(ByteView body) {
    auto const signature = Signature::from(body);
    if (!signature) return Error{"proof: wrong length"};
    return Message{ProofMessage{*signature}};
}

template <class M>
Expected<Message> decode_endpoint(ByteView body) {
    BigEndianReader reader{body};
    auto const endpoint = take_endpoint(reader);
    if (!endpoint || !reader.is_empty()) return Error{"endpoint: malformed"};
    return Message{M{*endpoint}};
}

/// A message that is nothing but a value of the live edge.
template <class M, class T>
Expected<Message> decode_as(ByteView body, Expected<T> (*decode_value)(ByteView)) {
    auto value = decode_value(body);
    if (!value) return value.error();
    return Message{M{std::move(*value)}};
}

Bytes with_type(MessageType type, Bytes const& body) {
    auto bytes = start(type);
    append(bytes, body);
    return bytes;
}

std::string as_string(ByteView bytes) {
    return std::string{as_text(bytes)};
}

lt::entry integer(std::uint64_t value) {
    return lt::entry{static_cast<lt::entry::integer_type>(value)};
}

ByteView view_of(lt::string_view text) {
    return as_bytes({text.data(), text.size()});
}

/// A non-negative integer at `key`, none if it is missing or negative.
std::optional<std::uint64_t> number_at(lt::bdecode_node const& dict, char const* key) {
    auto const value = dict.dict_find_int_value(key, -1);
    if (value < 0) return std::nullopt;
    return static_cast<std::uint64_t>(value);
}

std::optional<std::array<std::uint64_t, 4>> four_numbers(lt::bdecode_node const& node) {
    if (node.type() != lt::bdecode_node::list_t || node.list_size() != 4) return std::nullopt;
    std::array<std::uint64_t, 4> values{};
    for (int i = 0; i < 4; ++i) {
        auto const value = node.list_int_value_at(i, -1);
        if (value < 0) return std::nullopt;
        values[static_cast<std::size_t>(i)] = static_cast<std::uint64_t>(value);
    }
    return values;
}

std::optional<ChannelHandshake::HeldRange> held_range(lt::bdecode_node const& node) {
    auto const values = four_numbers(node);
    if (!values) return std::nullopt;
    auto const [event, rendition, first, last] = *values;
    if (rendition > UINT32_MAX || first > last) return std::nullopt;
    return ChannelHandshake::HeldRange{
        {event}, {static_cast<std::uint32_t>(rendition)}, {first}, {last}};
}

Expected<std::vector<ChannelHandshake::HeldRange>> held_ranges(lt::bdecode_node const& list) {
    std::vector<ChannelHandshake::HeldRange> ranges;
    if (!list) return ranges;
    if (list.list_size() > static_cast<int>(limits::held_ranges)) {
        return Error{"handshake: too many held ranges"};
    }
    for (int i = 0; i < list.list_size(); ++i) {
        auto const range = held_range(list.list_at(i));
        if (!range) return Error{"handshake: malformed held range"};
        ranges.push_back(*range);
    }
    return ranges;
}

} // namespace

Bytes encode(RecordsMessage const& message) {
    auto bytes = start(MessageType::records);
    for (auto const& statement : message.statements)
        append_frame(bytes, statement);
    return bytes;
}

Bytes encode(GetRecordsMessage const& message) {
    auto bytes = start(MessageType::get_records);
    append_be(bytes, message.event.value);
    append_be(bytes, message.rendition.value);
    append_be(bytes, message.first.value);
    append_be(bytes, message.count);
    return bytes;
}

Bytes encode(HaveMessage const& message) {
    auto bytes = start(MessageType::have);
    append_be(bytes, message.event.value);
    append_be(bytes, message.rendition.value);
    append_be(bytes, message.number.value);
    append_be(bytes, static_cast<std::uint8_t>(message.state));
    return bytes;
}

Bytes encode(PeersMessage const& message) {
    auto bytes = start(MessageType::peers);
    append_be(bytes, static_cast<std::uint8_t>(message.peers.size()));
    for (auto const& peer : message.peers) {
        append_endpoint(bytes, peer.endpoint);
        append_be(bytes, peer.homes);
    }
    return bytes;
}

Bytes encode(GetPeersMessage const&) {
    return start(MessageType::get_peers);
}

Bytes encode(SubscriptionEnvelope const& envelope) {
    auto bytes = start(type_of(envelope.message));
    append_be(bytes, envelope.source.value);
    append(
        bytes,
        std::visit([](auto const& message) { return encode_body(message); }, envelope.message)
    );
    return bytes;
}

BlockMessage message_of(Block const& block) {
    return {source_node(block.header.run), encode(block)};
}

Bytes encode(BlockMessage const& message) {
    auto bytes = start(MessageType::block);
    append_be(bytes, message.source.value);
    append(bytes, message.body);
    return bytes;
}

Bytes encode(WantMessage const& message) {
    return with_type(MessageType::want, encode(message.list));
}

Bytes encode(MissingMessage const& message) {
    return with_type(MessageType::missing, encode(message.list));
}

Bytes encode(ProofMessage const& message) {
    auto bytes = start(MessageType::proof);
    append(bytes, message.signature.view());
    return bytes;
}

Bytes encode(RendezvousMessage const& message) {
    auto bytes = start(MessageType::rendezvous);
    append_endpoint(bytes, message.peer);
    return bytes;
}

Bytes encode(ConnectMessage const& message) {
    auto bytes = start(MessageType::connect);
    append_endpoint(bytes, message.peer);
    return bytes;
}

Expected<Message> decode_message(ByteView bytes) {
    if (bytes.empty()) return Error{"empty message"};
    if (bytes.size() > limits::message_size) return Error{"message too long"};
    auto const body = bytes.subspan(1);
    switch (static_cast<MessageType>(bytes[0])) {
    case MessageType::records:
        return decode_records(body);
    case MessageType::get_records:
        return decode_get_records(body);
    case MessageType::have:
        return decode_have(body);
    case MessageType::peers:
        return decode_peers(body);
    case MessageType::get_peers:
        if (!body.empty()) return Error{"get_peers: has a body"};
        return Message{GetPeersMessage{}};
    case MessageType::advert:
        return decode_subscription(body, decode_advert);
    case MessageType::subscribe:
        return decode_subscription(body, decode_subscribe);
    case MessageType::accept:
        return decode_subscription(body, decode_accept);
    case MessageType::reject:
        return decode_subscription(body, decode_reject);
    case MessageType::unsubscribe:
        return decode_subscription(body, decode_unsubscribe);
    case MessageType::preempt:
        return decode_subscription(body, decode_preempt);
    case MessageType::block:
        return decode_block_message(body);
    case MessageType::want:
        return decode_as<WantMessage>(body, decode_stripe_list);
    case MessageType::missing:
        return decode_as<MissingMessage>(body, decode_stripe_list);
    case MessageType::proof:
        return decode_proof(body);
    case MessageType::rendezvous:
        return decode_endpoint<RendezvousMessage>(body);
    case MessageType::connect:
        return decode_endpoint<ConnectMessage>(body);
    default:
        return Message{UnknownMessage{}};
    }
}

Bytes encode(ChannelHandshake const& handshake) {
    lt::entry::dictionary_type dict;
    dict["v"] = integer(handshake.version);
    dict["id"] = as_string(handshake.session.view());
    dict["p"] = integer(handshake.port);
    if (handshake.claims_source) dict["src"] = integer(1);
    if (handshake.has_edge) dict["e"] = integer(1);
    if (auto const& known = handshake.known) {
        dict["k"] = lt::entry::list_type{
            integer(known->event.value),
            integer(known->newest.value),
            integer(known->revision),
            integer(known->has_end)};
    }
    lt::entry::list_type held;
    for (auto const& range : handshake.held) {
        held.emplace_back(lt::entry::list_type{
            integer(range.event.value),
            integer(range.rendition.value),
            integer(range.first.value),
            integer(range.last.value)});
    }
    if (!held.empty()) dict["h"] = std::move(held);
    std::string text;
    lt::bencode(std::back_inserter(text), lt::entry{std::move(dict)});
    return to_bytes(text);
}

Expected<ChannelHandshake> decode_handshake(ByteView bytes) {
    if (bytes.size() > limits::message_size) return Error{"handshake: too long"};
    lt::error_code error;
    auto const text = as_text(bytes);
    auto const dict = lt::bdecode({text.data(), static_cast<std::ptrdiff_t>(text.size())}, error);
    if (error || dict.type() != lt::bdecode_node::dict_t) return Error{"handshake: no dictionary"};

    ChannelHandshake handshake;
    auto const version = number_at(dict, "v");
    auto const session = SessionId::from(view_of(dict.dict_find_string_value("id")));
    auto const port = number_at(dict, "p");
    if (!version || *version == 0 || *version > UINT32_MAX) return Error{"handshake: no version"};
    handshake.version = static_cast<std::uint32_t>(*version);
    if (handshake.version > protocol_version) return handshake;
    if (!session) return Error{"handshake: no session id"};
    if (!port || *port > UINT16_MAX) return Error{"handshake: no port"};
    handshake.session = *session;
    handshake.port = static_cast<std::uint16_t>(*port);
    handshake.claims_source = number_at(dict, "src").value_or(0) == 1;
    handshake.has_edge = number_at(dict, "e").value_or(0) == 1;

    if (auto const known = dict.dict_find("k")) {
        auto const numbers = four_numbers(known);
        if (!numbers) return Error{"handshake: malformed state of the feed"};
        auto const [event, newest, revision, end] = *numbers;
        handshake.known = {{event}, {newest}, revision, end != 0};
    }
    auto held = held_ranges(dict.dict_find_list("h"));
    if (!held) return held.error();
    handshake.held = std::move(*held);
    return handshake;
}

} // namespace minuteswarm
