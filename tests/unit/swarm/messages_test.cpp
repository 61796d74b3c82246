#include "base/big_endian.hpp"
#include "base/limits.hpp"
#include "swarm/messages.hpp"
#include "unit/edge/vectors.hpp"
#include "unit/feed/vectors.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace minuteswarm;

namespace {

std::string hex(Bytes const& bytes) {
    return to_hex(bytes);
}

Bytes from(std::string const& text) {
    return vectors::bytes_of(text);
}

template <class T>
T decoded(Bytes const& bytes) {
    auto message = decode_message(bytes);
    REQUIRE(message);
    REQUIRE(std::holds_alternative<T>(*message));
    return std::get<T>(*message);
}

bool is_refused(std::string const& message) {
    return !decode_message(from(message)).has_value();
}

/// kind ‖ length ‖ wire, in hex.
std::string frame(std::string const& kind, std::string_view wire) {
    Bytes length;
    append_be(length, static_cast<std::uint32_t>(wire.size() / 2));
    return kind + hex(length) + std::string{wire};
}

Statement record_statement() {
    return {StatementKind::record, vectors::bytes_of(vectors::record_wire)};
}

Statement descriptor_statement() {
    return {StatementKind::descriptor, vectors::bytes_of(vectors::descriptor_wire)};
}

PeerEndpoint v4_endpoint() {
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7}, 6881};
}

PeerEndpoint v6_endpoint() {
    return {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}, 6882};
}

Signature proof_signature() {
    Signature signature;
    for (std::size_t i = 0; i < Signature::size; ++i)
        signature.bytes[i] = static_cast<std::uint8_t>(i);
    return signature;
}

/// One subscription message of each type, and the body that follows its source.
struct SubscriptionCase {
    std::string type;
    SubscriptionMessage message;
    std::string body;
};

std::vector<SubscriptionCase> subscription_cases() {
    AdvertMessage advert;
    advert.newest = {300};
    advert.slots = 10;
    advert.spare = 2;
    advert.is_searching = true;
    advert.stripes = {{{2}, true, false, true, 0, 4, 0, std::chrono::milliseconds{60}}};
    NodePath path;
    path.append({1});
    path.append({2});
    SubscribeMessage subscribe{{3}, {300}, 0xff};
    subscribe.is_home = true;
    PreemptMessage preempt{{3}, {7}, v4_endpoint().address, 6881};
    auto const mapped = "00000000000000000000ffffc00002071ae1";
    return {
        {"08", advert, "822c0a02000104010503"},
        {"09", subscribe, "0341822c000000ff"},
        {"0a", AcceptMessage{{3}, path, {7}}, "03000000070000000100000002"},
        {"0b", RejectMessage{{3}, RejectMessage::Reason::loop}, "0302"},
        {"0c", UnsubscribeMessage{{3}}, "03"},
        {"0d", preempt, std::string{"0300000007"} + mapped}};
}

Block padded_block() {
    return *decode_block(from(std::string{edge_vectors::padded_block}), edge_vectors::scope());
}

/// Nobody signed it; every part is as long as it can be.
Block longest_block() {
    constexpr std::uint64_t most = std::uint64_t{1} << 62;
    auto block = padded_block();
    auto& header = block.header;
    header.event = {most};
    header.rendition = {0xffffffff};
    header.group = {most};
    header.chunk = {most};
    header.length = static_cast<std::uint32_t>(limits::edge_group);
    header.offset = {limits::chunk_size - header.length};
    header.stripes = 8;
    header.parity = static_cast<std::uint8_t>(limits::edge_stripes - 8);
    header.media_time = MediaTime{most};
    header.wall_time = vectors::wall_time(most);
    block.branch.resize(branch_length(block.stripe, limits::edge_stripes));
    block.payload = std::make_shared<Bytes>(header.payload_size());
    block.path.clear();
    for (std::uint32_t node = 1; block.path.size() < limits::edge_path; ++node)
        block.path.push_back({node});
    return block;
}

Bytes handshake_bytes(std::string const& text) {
    return to_bytes(text);
}

bool is_handshake_refused(std::string const& text) {
    return !decode_handshake(handshake_bytes(text)).has_value();
}

} // namespace

TEST_CASE("The numbers of the messages never change") {
    CHECK(static_cast<int>(MessageType::records) == 1);
    CHECK(static_cast<int>(MessageType::get_records) == 2);
    CHECK(static_cast<int>(MessageType::have) == 3);
    CHECK(static_cast<int>(MessageType::peers) == 4);
    CHECK(static_cast<int>(MessageType::get_peers) == 5);
    CHECK(static_cast<int>(MessageType::get_init) == 6);
    CHECK(static_cast<int>(MessageType::init) == 7);
    CHECK(static_cast<int>(MessageType::advert) == 8);
    CHECK(static_cast<int>(MessageType::subscribe) == 9);
    CHECK(static_cast<int>(MessageType::accept) == 10);
    CHECK(static_cast<int>(MessageType::reject) == 11);
    CHECK(static_cast<int>(MessageType::unsubscribe) == 12);
    CHECK(static_cast<int>(MessageType::preempt) == 13);
    CHECK(static_cast<int>(MessageType::block) == 14);
    CHECK(static_cast<int>(MessageType::want) == 15);
    CHECK(static_cast<int>(MessageType::missing) == 16);
    CHECK(protocol_version == 1);
}

TEST_CASE("records is its statements' frames") {
    RecordsMessage const message{{descriptor_statement(), record_statement()}};
    auto const wire =
        "01" + frame("01", vectors::descriptor_wire) + frame("02", vectors::record_wire);
    CHECK(hex(encode(message)) == wire);
    CHECK(decoded<RecordsMessage>(from(wire)) == message);
    CHECK(decoded<RecordsMessage>(from("01")).statements.empty());
    CHECK(is_refused(wire.substr(0, wire.size() - 2)));
    CHECK(is_refused(wire + "02"));
    CHECK(is_refused("0102ffffffff"));
}

TEST_CASE("records passes over statements of a kind it does not know") {
    auto const wire = "01" + frame("7f", "aabb") + frame("02", vectors::record_wire);
    CHECK(decoded<RecordsMessage>(from(wire)) == RecordsMessage{{record_statement()}});
}

TEST_CASE("records refuses more statements than a reply may hold") {
    std::string wire = "01";
    for (std::size_t i = 0; i < limits::records_per_reply + 2; ++i)
        wire += frame("02", "ab");
    CHECK_FALSE(is_refused(wire));
    CHECK(is_refused(wire + frame("02", "ab")));
}

TEST_CASE("get_records is event, rendition, first number and count") {
    GetRecordsMessage const message{{0x0102030405060708}, {9}, {0x0a0b}, 64};
    std::string const wire = "02"
                             "0102030405060708"
                             "00000009"
                             "0000000000000a0b"
                             "0040";
    CHECK(hex(encode(message)) == wire);
    CHECK(decoded<GetRecordsMessage>(from(wire)) == message);
    CHECK(is_refused(wire + "00"));
    CHECK(is_refused(wire.substr(0, wire.size() - 2)));
    CHECK(is_refused("02"));
}

TEST_CASE("have is event, rendition, number and state") {
    using State = HaveMessage::State;
    auto const [state, byte] = GENERATE(table<State, std::string>(
        {{State::joining, "01"}, {State::complete, "02"}, {State::joining_dialling, "03"}}
    ));
    HaveMessage const message{{7}, {0}, {42}, state};
    auto const wire = "03"
                      "0000000000000007"
                      "00000000"
                      "000000000000002a" +
                      byte;
    CHECK(hex(encode(message)) == wire);
    CHECK(decoded<HaveMessage>(from(wire)) == message);
    CHECK(is_refused(wire + "00"));
    CHECK(is_refused(wire.substr(0, wire.size() - 2)));
    CHECK(is_refused(wire.substr(0, wire.size() - 2) + "00"));
    CHECK(is_refused(wire.substr(0, wire.size() - 2) + "04"));
}

TEST_CASE("peers is a count and addresses of both families") {
    PeersMessage const message{{{v4_endpoint(), 5}, {v6_endpoint(), 0}}};
    std::string const wire = "04"
                             "02"
                             "04"
                             "c0000207"
                             "1ae1"
                             "00000005"
                             "06"
                             "20010db8000000000000000000000007"
                             "1ae2"
                             "00000000";
    CHECK(hex(encode(message)) == wire);
    CHECK(decoded<PeersMessage>(from(wire)) == message);
    CHECK(decoded<PeersMessage>(from("0400")).peers.empty());
    CHECK(is_refused("04"));
    CHECK(is_refused(wire + "00"));
    CHECK(is_refused(wire.substr(0, wire.size() - 2)));
    CHECK(is_refused("0401"
                     "05"
                     "c0000207"
                     "1ae1"
                     "00000005")); // no such family
    CHECK(is_refused("0401"
                     "04"
                     "c0000207"
                     "0000"
                     "00000005")); // port 0
    CHECK(is_refused("0421"));     // 33 of them
}

TEST_CASE("get_peers is its number alone") {
    CHECK(hex(encode(GetPeersMessage{})) == "05");
    decoded<GetPeersMessage>(from("05"));
    CHECK(is_refused("0500"));
}

TEST_CASE("A subscription message is its type, the source and its body") {
    for (auto const& [type, message, body] : subscription_cases()) {
        CAPTURE(type);
        SubscriptionEnvelope const envelope{{0x01020304}, message};
        auto const wire = type + "01020304" + body;
        CHECK(hex(encode(envelope)) == wire);
        CHECK(decoded<SubscriptionEnvelope>(from(wire)) == envelope);
        CHECK(is_refused(type));
        CHECK(is_refused(type + "010203"));
        CHECK(is_refused(type + "01020304"));
        CHECK(is_refused(wire + "ff"));
    }
}

TEST_CASE("block is the source and a block behind its type") {
    auto const wire = "0e01020304" + std::string{edge_vectors::padded_block};
    auto const message = decoded<BlockMessage>(from(wire));
    CHECK(message == message_of(padded_block()));
    CHECK(hex(encode(message)) == wire);
    CHECK(is_refused("0e"));
    CHECK(is_refused("0e010203"));
}

TEST_CASE("The longest block fits a message") {
    auto const block = longest_block();
    auto const bytes = encode(message_of(block));
    CHECK(bytes.size() > limits::edge_payload);
    CHECK(bytes.size() <= limits::message_size);
    auto const again = decode_block(decoded<BlockMessage>(bytes).body, scope_of(block.header));
    REQUIRE(again);
    CHECK(again->payload->size() == limits::edge_payload);
}

TEST_CASE("want and missing are a list of stripes behind their type") {
    std::string const list{edge_vectors::stripe_list};
    CHECK(hex(encode(WantMessage{edge_vectors::list()})) == "0f" + list);
    CHECK(hex(encode(MissingMessage{edge_vectors::list()})) == "10" + list);
    CHECK(decoded<WantMessage>(from("0f" + list)).list == edge_vectors::list());
    CHECK(decoded<MissingMessage>(from("10" + list)).list == edge_vectors::list());
    for (std::string const type : {"0f", "10"}) {
        CHECK(is_refused(type));
        CHECK(is_refused(type + list + "00"));
    }
}

TEST_CASE("proof is the type and a signature, and nothing after it") {
    ProofMessage const message{proof_signature()};
    auto const wire = "11" + to_hex(message.signature.bytes);
    CHECK(wire.substr(0, 10) == "1100010203");
    CHECK(hex(encode(message)) == wire);
    CHECK(decoded<ProofMessage>(from(wire)) == message);
    CHECK(is_refused("11"));
    CHECK(is_refused(wire + "00"));
}

TEST_CASE("rendezvous and connect are the type and an endpoint") {
    auto const v4 = "04c00002071ae1";
    CHECK(hex(encode(RendezvousMessage{v4_endpoint()})) == std::string{"12"} + v4);
    CHECK(hex(encode(ConnectMessage{v4_endpoint()})) == std::string{"13"} + v4);
    CHECK(
        decoded<RendezvousMessage>(encode(RendezvousMessage{v6_endpoint()})).peer == v6_endpoint()
    );
    CHECK(decoded<ConnectMessage>(encode(ConnectMessage{v6_endpoint()})).peer == v6_endpoint());
    CHECK(is_refused("12"));
    CHECK(is_refused(std::string{"12"} + v4 + "00"));
    CHECK(is_refused("1305c00002071ae1")); // no such family
    CHECK(is_refused("1304c00002070000")); // port 0
}

TEST_CASE("A message cut anywhere is refused") {
    PeersMessage const peers{{{v6_endpoint(), 7}}};
    auto const whole = GENERATE_COPY(
        encode(GetRecordsMessage{{7}, {0}, {1}, 64}),
        encode(HaveMessage{{7}, {0}, {42}, HaveMessage::State::joining}),
        encode(peers),
        encode(SubscriptionEnvelope{{7}, SubscribeMessage{{3}, {300}}}),
        encode(SubscriptionEnvelope{{7}, UnsubscribeMessage{{3}}}),
        encode(WantMessage{edge_vectors::list()}),
        encode(MissingMessage{edge_vectors::list()}),
        encode(ProofMessage{proof_signature()}),
        encode(RendezvousMessage{v6_endpoint()}),
        encode(ConnectMessage{v4_endpoint()})
    );
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK_FALSE(decode_message(ByteView{whole}.first(size)).has_value());
}

TEST_CASE("Messages of other versions are no error") {
    for (int type = 0; type < 256; ++type) {
        auto const is_known = type >= 1 && type <= 19 && type != 6 && type != 7;
        if (!is_known) decoded<UnknownMessage>({static_cast<std::uint8_t>(type), 1, 2, 3});
    }
}

TEST_CASE("An empty message and one beyond the limit are refused") {
    CHECK_FALSE(decode_message({}).has_value());
    CHECK(decode_message(Bytes(limits::message_size, 200)).has_value());
    CHECK_FALSE(decode_message(Bytes(limits::message_size + 1, 200)).has_value());
}

TEST_CASE("The handshake is a bencoded dictionary") {
    ChannelHandshake handshake;
    handshake.session = SessionId{{'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'}};
    handshake.port = 6881;
    std::string const least = "d2:id8:ABCDEFGH1:pi6881e1:vi1ee";
    CHECK(encode(handshake) == to_bytes(least));
    auto const plain = decode_handshake(handshake_bytes(least));
    REQUIRE(plain);
    CHECK(*plain == handshake);

    handshake.claims_source = true;
    handshake.known = {{7}, {12}, 3, true};
    handshake.held = {{{7}, {0}, {1}, {9}}, {{7}, {2}, {12}, {12}}};
    std::string const full = "d1:hlli7ei0ei1ei9eeli7ei2ei12ei12eee2:id8:ABCDEFGH1:kli7ei12ei3ei1ee"
                             "1:pi6881e3:srci1e1:vi1ee";
    CHECK(encode(handshake) == to_bytes(full));
    auto const whole = decode_handshake(handshake_bytes(full));
    REQUIRE(whole);
    CHECK(*whole == handshake);
}

TEST_CASE("A handshake may say more than this version knows") {
    auto const read = decode_handshake(handshake_bytes("d2:id8:ABCDEFGH1:pi1e1:vi1e1:zi5ee"));
    REQUIRE(read);
    CHECK(read->port == 1);
}

TEST_CASE("A handshake of a later version is read as far as its version") {
    auto const read = decode_handshake(handshake_bytes("d1:vi2ee"));
    REQUIRE(read);
    CHECK(read->version == 2);
}

TEST_CASE("A malformed handshake is refused") {
    CHECK(is_handshake_refused(""));
    CHECK(is_handshake_refused("i1e"));
    CHECK(is_handshake_refused("d2:id8:ABCDEFGH1:pi6881e1:vi1e")); // cut
    CHECK(is_handshake_refused("d2:id8:ABCDEFGH1:pi6881ee"));      // no version
    CHECK(is_handshake_refused("d2:id8:ABCDEFGH1:pi6881e1:vi0ee"));
    CHECK(is_handshake_refused("d2:id8:ABCDEFGH1:pi6881e1:vi-1ee"));
    CHECK(is_handshake_refused("d1:pi6881e1:vi1ee")); // no session id
    CHECK(is_handshake_refused("d2:id7:ABCDEFG1:pi6881e1:vi1ee"));
    CHECK(is_handshake_refused("d2:id8:ABCDEFGH1:vi1ee")); // no port
    CHECK(is_handshake_refused("d2:id8:ABCDEFGH1:pi65536e1:vi1ee"));
    CHECK(is_handshake_refused("d2:id8:ABCDEFGH1:pi-1e1:vi1ee"));
    CHECK(is_handshake_refused("d1:hlli7ei0ei1eee2:id8:ABCDEFGH1:pi1e1:vi1ee"));    // three numbers
    CHECK(is_handshake_refused("d1:hlli7ei0ei9ei1eee2:id8:ABCDEFGH1:pi1e1:vi1ee")); // backwards
    CHECK(is_handshake_refused("d1:hlli7ei-1ei1ei9eee2:id8:ABCDEFGH1:pi1e1:vi1ee")); // negative
    CHECK(is_handshake_refused("d1:hli7ee2:id8:ABCDEFGH1:pi1e1:vi1ee"));             // no list
    CHECK(is_handshake_refused("d2:id8:ABCDEFGH1:kli7ei1ei1ee1:pi1e1:vi1ee"));     // three numbers
    CHECK(is_handshake_refused("d2:id8:ABCDEFGH1:kli7ei1ei1ei-1ee1:pi1e1:vi1ee")); // negative
    CHECK(is_handshake_refused("d2:id8:ABCDEFGH1:ki7e1:pi1e1:vi1ee"));             // no list
}

TEST_CASE("A handshake claims a bounded number of ranges") {
    std::string ranges;
    for (std::size_t i = 0; i < limits::held_ranges; ++i)
        ranges += "li7ei0ei1ei9ee";
    auto const with = [](std::string const& held) {
        return "d1:hl" + held + "e2:id8:ABCDEFGH1:pi1e1:vi1ee";
    };
    CHECK_FALSE(is_handshake_refused(with(ranges)));
    CHECK(is_handshake_refused(with(ranges + "li7ei0ei1ei9ee")));

    CHECK_FALSE(decode_handshake(Bytes(limits::message_size + 1, 'd')).has_value());
}
