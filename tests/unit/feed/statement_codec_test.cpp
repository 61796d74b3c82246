#include "base/limits.hpp"
#include "feed/statement_codec.hpp"
#include "unit/feed/vectors.hpp"

#include <catch2/catch.hpp>

#include <functional>

using namespace minuteswarm;

namespace {

bool decodes(Record const& record) {
    return decode_record(encode(record)).has_value();
}

/// A valid record with one thing changed.
Record changed(std::function<void(Record&)> const& change) {
    auto record = vectors::record();
    change(record);
    return record;
}

Descriptor changed(std::function<void(Descriptor&)> const& change) {
    auto descriptor = vectors::descriptor();
    change(descriptor);
    return descriptor;
}

std::string record_text() {
    return std::string{as_text(encode(vectors::record()))};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    auto const at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

bool decodes_text(std::string const& text) {
    return decode_record(as_bytes(text)).has_value();
}

} // namespace

TEST_CASE("A record outside its limits is refused") {
    REQUIRE(decodes(vectors::record()));
    CHECK_FALSE(decodes(changed([](Record& r) { r.event = {0}; })));
    CHECK_FALSE(decodes(changed([](Record& r) { r.event = {1ULL << 63}; })));
    CHECK_FALSE(decodes(changed([](Record& r) { r.number = {0}; })));
    CHECK_FALSE(decodes(changed([](Record& r) { r.number = {(1ULL << 62) + 1}; })));
    CHECK(decodes(changed([](Record& r) { r.number = {1ULL << 62}; })));
    CHECK_FALSE(decodes(changed([](Record& r) { r.media_time = MediaTime{-1}; })));
    CHECK(decodes(changed([](Record& r) { r.media_time = MediaTime{0}; })));
    CHECK_FALSE(decodes(changed([](Record& r) { r.duration = MediaTime{0}; })));
    CHECK(decodes(changed([](Record& r) { r.duration = std::chrono::hours{1}; })));
    CHECK_FALSE(decodes(changed([](Record& r) { r.duration += std::chrono::hours{1}; })));
    CHECK_FALSE(decodes(changed([](Record& r) { r.wall_time = vectors::wall_time(-1); })));
}

TEST_CASE("A record's size and pieces must agree") {
    CHECK_FALSE(decodes(changed([](Record& r) { r.size = 0; })));
    CHECK_FALSE(decodes(changed([](Record& r) { r.size = 16384; })));
    CHECK_FALSE(decodes(changed([](Record& r) {
        r.pieces = std::vector(r.pieces.begin(), r.pieces.end() - 1);
    })));
    CHECK_FALSE(decodes(changed([](Record& r) { r.pieces = std::vector<Sha1>(r.pieces.size() + 1); }
    )));
    auto const largest = changed([](Record& r) {
        r.size = limits::chunk_size;
        r.pieces = std::vector<Sha1>(limits::pieces_per_chunk);
    });
    CHECK(decodes(largest));
    auto too_large = largest;
    too_large.size += 1;
    too_large.pieces = std::vector<Sha1>(piece_count(too_large.size));
    CHECK_FALSE(decodes(too_large));
}

TEST_CASE("The largest record fits a statement") {
    auto record = vectors::record();
    record.size = limits::chunk_size;
    record.pieces = std::vector<Sha1>(limits::pieces_per_chunk);
    record.event = {1ULL << 62};
    record.number = {1ULL << 62};
    REQUIRE(sign_statement(record, vectors::key()).wire.size() <= limits::statement_size);
}

TEST_CASE("Bencode that is not canonical is refused") {
    auto const text = record_text();
    REQUIRE(decodes_text(text));
    CHECK_FALSE(decodes_text(text + "e"));
    CHECK_FALSE(decodes_text(text.substr(0, text.size() - 1)));
    CHECK_FALSE(decodes_text(replaced(text, "6:numberi42e", "6:numberi042e")));
    CHECK_FALSE(decodes_text(replaced(text, "6:numberi42e", "06:numberi42e")));
    CHECK_FALSE(decodes_text(replaced(text, "6:numberi42e", "6:numberi42e6:numberi42e")));
    CHECK_FALSE(decodes_text(replaced(text, "5:epochi2e", "")));
    auto const unsorted = replaced(text, "5:epochi2e", "");
    CHECK_FALSE(decodes_text(unsorted.substr(0, unsorted.size() - 1) + "5:epochi2ee"));
    CHECK_FALSE(decodes_text(replaced(text, "6:numberi42e", "6:numberi18446744073709551658e")));
    CHECK_FALSE(decodes_text(replaced(text, "6:numberi42e", "6:number2:42")));
}

TEST_CASE("Unknown keys and flags are ignored, unknown containers are not") {
    auto const text = record_text();
    CHECK(decodes_text(replaced(text, "6:numberi42e", "6:numberi42e7:numbersli1ei2ee")));
    CHECK(decodes_text(replaced(text, "5:flagsi259e", "5:flagsi65795e")));
    CHECK_FALSE(decodes_text(replaced(text, "5:flagsi259e", "5:flagsi1283e")));
    CHECK_FALSE(decodes_text(replaced(text, "5:flagsi259e", "5:flagsi-1e")));
}

TEST_CASE("Deep nests of unknown keys are refused") {
    std::string const nest = std::string(20, 'l') + std::string(20, 'e');
    CHECK_FALSE(decodes_text(replaced(record_text(), "6:numberi42e", "6:numberi42e7:numbers" + nest)
    ));
}

TEST_CASE("Only dictionaries decode") {
    for (auto const* const text : {"", "e", "de", "le", "i1e", "3:abc", "d", "d5:event"}) {
        CAPTURE(text);
        CHECK_FALSE(decode_record(as_bytes(text)));
        CHECK_FALSE(decode_descriptor(as_bytes(text)));
        CHECK_FALSE(decode_end(as_bytes(text)));
    }
}

TEST_CASE("An error names the key") {
    auto const refused = decode_record(as_bytes(replaced(record_text(), "6:numberi42e", "")));
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().message.find("'number'") != std::string::npos);
}

TEST_CASE("A descriptor outside its limits is refused") {
    auto const decodes = [](Descriptor const& d) {
        return decode_descriptor(encode(d)).has_value();
    };
    CHECK_FALSE(decodes(changed([](Descriptor& d) { d.event = {0}; })));
    CHECK_FALSE(decodes(changed([](Descriptor& d) { d.bitrate = 1ULL << 41; })));
    CHECK_FALSE(decodes(changed([](Descriptor& d) { d.chunk_duration = std::chrono::hours{2}; })));
    CHECK_FALSE(decodes(changed([](Descriptor& d) { d.container = Container{4}; })));
    CHECK_FALSE(decodes(changed([](Descriptor& d) { d.edge.span_ms = 10'001; })));
    CHECK_FALSE(decodes(changed([](Descriptor& d) { d.edge.stripes = 0; })));
    CHECK_FALSE(decodes(changed([](Descriptor& d) { d.edge.parity = 25; })));
    CHECK(decodes(changed([](Descriptor& d) { d.edge.parity = 24; })));
}

TEST_CASE("A descriptor without a live edge states neither stripes nor run") {
    auto const decoded =
        decode_descriptor(encode(changed([](Descriptor& d) { d.edge.span_ms = 0; })));
    REQUIRE(decoded);
    REQUIRE(decoded->edge == EdgeParameters{});
}

TEST_CASE("A live edge without its run, or with a run of another length, is refused") {
    std::string const text{as_text(encode(vectors::descriptor()))};
    std::string const run = "3:run8:\1\2\3\4\5\6\7\10";
    auto const decodes = [&](std::string_view instead) {
        return decode_descriptor(as_bytes(replaced(text, run, instead))).has_value();
    };
    REQUIRE(decodes(run));
    CHECK_FALSE(decodes(""));
    CHECK_FALSE(decodes("3:run7:\1\2\3\4\5\6\7"));
    CHECK_FALSE(decodes("3:run9:\1\2\3\4\5\6\7\10\11"));
    CHECK_FALSE(decodes("3:runi8e"));
}

TEST_CASE("A title that could steer a terminal is cleaned when encoded and refused when decoded") {
    auto const encoded = encode(changed([](Descriptor& d) { d.title = "a\x1b[2Jb\xff"; }));
    auto const decoded = decode_descriptor(encoded);
    REQUIRE(decoded);
    REQUIRE(decoded->title == "a[2Jb");
    auto const hostile = replaced(std::string{as_text(encoded)}, "a[2Jb", "a\x1b[2J");
    REQUIRE_FALSE(decode_descriptor(as_bytes(hostile)));
}

TEST_CASE("An end may lack a torrent and chunks") {
    EndRecord const end{{5}, {0}, std::nullopt};
    auto const decoded = decode_end(encode(end));
    REQUIRE(decoded);
    REQUIRE(*decoded == end);
    REQUIRE_FALSE(decode_end(encode(EndRecord{{0}, {0}, std::nullopt})));
}

TEST_CASE("Every bit of a signed statement is covered") {
    auto const channel = vectors::key().channel();
    auto wire = sign_statement(vectors::end(), vectors::key()).wire;
    REQUIRE(open_end(wire, channel));
    for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
        wire[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        CAPTURE(bit);
        CHECK_FALSE(open_end(wire, channel));
        wire[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
}

TEST_CASE("A statement is bound to its channel and its kind") {
    auto const key = vectors::key();
    auto const wire = sign_statement(vectors::record(), key).wire;
    REQUIRE(is_genuine(StatementKind::record, wire, key.channel()));
    CHECK_FALSE(is_genuine(StatementKind::end, wire, key.channel()));
    CHECK_FALSE(is_genuine(StatementKind::descriptor, wire, key.channel()));
    CHECK_FALSE(open_record(wire, ChannelKey::generate().channel()));
    CHECK_FALSE(open_record(wire, ChannelId{}));
}

TEST_CASE("A statement that is too long or too short is refused") {
    auto const channel = vectors::key().channel();
    CHECK_FALSE(open_record({}, channel));
    CHECK_FALSE(open_record(Bytes(64), channel));
    CHECK_FALSE(open_record(Bytes(limits::statement_size + 1), channel));
}

TEST_CASE("Frames come back as they were appended") {
    auto const key = vectors::key();
    std::vector const statements{
        sign_statement(vectors::descriptor(), key),
        sign_statement(vectors::record(), key),
        sign_statement(vectors::end(), key)};
    Bytes bytes;
    for (auto const& statement : statements)
        append_frame(bytes, statement);
    auto const frames = read_frames(bytes, 10);
    REQUIRE(frames);
    CHECK(frames->statements == statements);
    CHECK(frames->consumed == bytes.size());
}

TEST_CASE("An incomplete frame is left for later, wherever it ends") {
    Bytes bytes;
    append_frame(bytes, {StatementKind::record, Bytes(10, 1)});
    auto const first = bytes.size();
    append_frame(bytes, {StatementKind::end, Bytes(10, 2)});
    for (auto size = first; size < bytes.size(); ++size) {
        auto const frames = read_frames(ByteView{bytes}.first(size), 10);
        REQUIRE(frames);
        CHECK(frames->statements.size() == 1);
        CHECK(frames->consumed == first);
    }
}

TEST_CASE("Reading frames stops at the asked-for number") {
    Bytes bytes;
    for (int i = 0; i < 3; ++i)
        append_frame(bytes, {StatementKind::record, Bytes(10, 1)});
    auto const frames = read_frames(bytes, 2);
    REQUIRE(frames);
    CHECK(frames->statements.size() == 2);
    CHECK(frames->consumed == 30);
    CHECK(read_frames(bytes, 0)->consumed == 0);
}

TEST_CASE("A frame of unknown kind is passed over, an overlong one is an error") {
    Bytes bytes;
    append_frame(bytes, {StatementKind{9}, Bytes(10, 1)});
    append_frame(bytes, {StatementKind::end, Bytes(3, 2)});
    auto const frames = read_frames(bytes, 10);
    REQUIRE(frames);
    REQUIRE(frames->statements == std::vector{Statement{StatementKind::end, Bytes(3, 2)}});
    CHECK_FALSE(read_frames(Bytes{2, 0, 0, 0x10, 1}, 10));
    CHECK(read_frames(Bytes{2, 0, 0, 0x10, 0}, 10));
    CHECK_FALSE(read_frames(Bytes{9, 0xff, 0xff, 0xff, 0xff}, 10));
}
