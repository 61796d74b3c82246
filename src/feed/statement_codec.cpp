#include "feed/statement_codec.hpp"

#include "base/limits.hpp"
#include "base/plain_text.hpp"
#include "feed/canonical.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace minuteswarm {
namespace {

// Far beyond any real value, and sums of a few of them still fit.
constexpr std::int64_t most_integer = std::int64_t{1} << 62;
constexpr std::int64_t most_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t most_bitrate = std::int64_t{1} << 40;
constexpr std::int64_t most_duration = MediaTime{limits::chunk_duration}.count();

constexpr std::uint32_t discontinuity_flag = 1U << 0;
constexpr std::uint32_t not_independent_flag = 1U << 1;
constexpr std::uint32_t container_shift = 8;
constexpr std::uint32_t container_mask = 15;

lt::entry integer(std::uint64_t value) {
    return lt::entry{static_cast<std::int64_t>(value)};
}

lt::entry time(WallTime value) {
    return lt::entry{value.time_since_epoch().count()};
}

lt::entry time(MediaTime value) {
    return lt::entry{std::int64_t{value.count()}};
}

WallTime wall_time(std::int64_t value) {
    return WallTime{std::chrono::microseconds{value}};
}

std::uint64_t unsigned_integer(
    DictionaryReader& reader, std::string_view key, std::int64_t least, std::int64_t most
) {
    return static_cast<std::uint64_t>(reader.integer(key, least, most));
}

std::uint32_t u32(DictionaryReader& reader, std::string_view key) {
    return static_cast<std::uint32_t>(reader.integer(key, 0, most_u32));
}

bool is_known(std::int64_t container) {
    return container >= 0 && container <= static_cast<std::int64_t>(Container::fmp4);
}

std::uint32_t flags_of(Record const& record) {
    return (record.is_discontinuity ? discontinuity_flag : 0) |
           (record.is_independent ? 0 : not_independent_flag) |
           (static_cast<std::uint32_t>(record.container) << container_shift);
}

void read_flags(DictionaryReader& reader, Record& record) {
    auto const flags = u32(reader, "flags");
    auto const container = (flags >> container_shift) & container_mask;
    // The name, and so the info-hash, of a chunk in a container of a later version cannot be
    // computed.
    if (!is_known(container)) reader.fail("flags");
    record.is_discontinuity = (flags & discontinuity_flag) != 0;
    record.is_independent = (flags & not_independent_flag) == 0;
    record.container = static_cast<Container>(container);
}

void read_pieces(DictionaryReader& reader, Record& record) {
    if (record.size == 0) return;
    auto const length = Sha1::size * piece_count(record.size);
    auto left = reader.bytes("pieces", length, length);
    std::vector<Sha1> pieces;
    for (; !left.empty(); left = left.subspan(Sha1::size)) {
        pieces.push_back(*Sha1::from(left.first(Sha1::size)));
    }
    record.pieces = std::move(pieces);
}

void read_edge(DictionaryReader& reader, EdgeParameters& edge) {
    if (!reader.has("edge")) return;
    auto within = reader.dictionary("edge");
    auto const most = static_cast<std::int64_t>(limits::edge_stripes);
    edge.span_ms = static_cast<std::uint32_t>(within.integer("span", 1, limits::edge_span_ms));
    auto const stripes = within.integer("k", 1, most);
    edge.stripes = static_cast<std::uint8_t>(stripes);
    edge.parity = static_cast<std::uint8_t>(within.integer("m", 0, most - stripes));
    edge.run = within.id<RunId>("run");
    if (within.error()) reader.fail("edge");
}

template <class T>
Expected<T> result(DictionaryReader const& reader, T value) {
    if (reader.error()) return *reader.error();
    return value;
}

std::string_view domain(StatementKind kind) {
    switch (kind) {
    case StatementKind::descriptor:
        return "minuteswarm:descriptor:1:";
    case StatementKind::record:
        return "minuteswarm:record:1:";
    case StatementKind::end:
        return "minuteswarm:end:1:";
    }
    return "minuteswarm:none:1:";
}

Statement sign_body(StatementKind kind, Bytes const& body, ChannelKey const& key) {
    auto const signature = key.sign({as_bytes(domain(kind)), key.channel().view(), body});
    Statement statement{kind, {}};
    append(statement.wire, signature.view());
    append(statement.wire, body);
    return statement;
}

template <class T, class Decode>
Expected<Signed<T>>
open(StatementKind kind, Decode decode, ByteView wire, ChannelId const& channel) {
    auto const body = statement_body(wire);
    if (!body) return body.error();
    auto value = decode(*body);
    if (!value) return value.error();
    if (!is_genuine(kind, wire, channel)) return Error{"not signed by the channel"};
    return Signed<T>{std::move(*value), Bytes{wire.begin(), wire.end()}};
}

} // namespace

Bytes encode(Record const& record) {
    Bytes pieces;
    for (auto const& piece : record.pieces)
        append(pieces, piece.view());
    lt::entry dictionary{lt::entry::dictionary_t};
    dictionary["event"] = integer(record.event.value);
    dictionary["rendition"] = integer(record.rendition.value);
    dictionary["run"] = byte_string(record.run.view());
    dictionary["epoch"] = integer(record.epoch.value);
    dictionary["number"] = integer(record.number.value);
    dictionary["media_time"] = time(record.media_time);
    dictionary["wall_time"] = time(record.wall_time);
    dictionary["duration"] = time(record.duration);
    dictionary["size"] = integer(record.size);
    dictionary["pieces"] = byte_string(pieces);
    dictionary["sha256"] = byte_string(record.sha256.view());
    dictionary["flags"] = integer(flags_of(record));
    return to_bencode(dictionary);
}

Bytes encode(Descriptor const& descriptor) {
    lt::entry dictionary{lt::entry::dictionary_t};
    dictionary["event"] = integer(descriptor.event.value);
    dictionary["revision"] = integer(descriptor.revision);
    dictionary["title"] = lt::entry{to_plain_text(descriptor.title, limits::title_size)};
    dictionary["container"] = integer(static_cast<std::uint64_t>(descriptor.container));
    dictionary["codecs"] = lt::entry{to_plain_text(descriptor.codecs, limits::codecs_size)};
    dictionary["bitrate"] = integer(descriptor.bitrate);
    dictionary["duration"] = time(descriptor.chunk_duration);
    dictionary["start"] = time(descriptor.start);
    if (descriptor.edge.span_ms > 0) {
        auto& edge = dictionary["edge"];
        edge["span"] = integer(descriptor.edge.span_ms);
        edge["k"] = integer(descriptor.edge.stripes);
        edge["m"] = integer(descriptor.edge.parity);
        edge["run"] = byte_string(descriptor.edge.run.view());
    }
    return to_bencode(dictionary);
}

Bytes encode(EndRecord const& end) {
    lt::entry dictionary{lt::entry::dictionary_t};
    dictionary["event"] = integer(end.event.value);
    dictionary["last"] = integer(end.last.value);
    if (end.event_torrent) dictionary["torrent"] = byte_string(end.event_torrent->view());
    return to_bencode(dictionary);
}

Expected<Record> decode_record(ByteView body) {
    auto opened = DictionaryReader::open(body);
    if (!opened) return opened.error();
    auto& reader = *opened;
    Record record;
    record.event = {unsigned_integer(reader, "event", 1, most_integer)};
    record.rendition = {u32(reader, "rendition")};
    record.run = reader.id<RunId>("run");
    record.epoch = {u32(reader, "epoch")};
    record.number = {unsigned_integer(reader, "number", 1, most_integer)};
    record.media_time = MediaTime{reader.integer("media_time", 0, most_integer)};
    record.wall_time = wall_time(reader.integer("wall_time", 0, most_integer));
    record.duration = MediaTime{reader.integer("duration", 1, most_duration)};
    record.size = unsigned_integer(reader, "size", 1, limits::chunk_size);
    record.sha256 = reader.id<Sha256>("sha256");
    read_pieces(reader, record);
    read_flags(reader, record);
    return result(reader, std::move(record));
}

Expected<Descriptor> decode_descriptor(ByteView body) {
    auto opened = DictionaryReader::open(body);
    if (!opened) return opened.error();
    auto& reader = *opened;
    Descriptor descriptor;
    descriptor.event = {unsigned_integer(reader, "event", 1, most_integer)};
    descriptor.revision = unsigned_integer(reader, "revision", 0, most_integer);
    descriptor.title = as_text(reader.bytes("title", 0, limits::title_size));
    if (!is_plain_text(descriptor.title)) reader.fail("title");
    auto const container = reader.integer("container", 0, container_mask);
    if (!is_known(container)) reader.fail("container");
    descriptor.container = static_cast<Container>(container);
    descriptor.codecs = as_text(reader.bytes("codecs", 0, limits::codecs_size));
    if (!is_plain_text(descriptor.codecs)) reader.fail("codecs");
    descriptor.bitrate = unsigned_integer(reader, "bitrate", 0, most_bitrate);
    descriptor.chunk_duration = MediaTime{reader.integer("duration", 0, most_duration)};
    descriptor.start = wall_time(reader.integer("start", 0, most_integer));
    read_edge(reader, descriptor.edge);
    return result(reader, std::move(descriptor));
}

Expected<EndRecord> decode_end(ByteView body) {
    auto opened = DictionaryReader::open(body);
    if (!opened) return opened.error();
    auto& reader = *opened;
    EndRecord end;
    end.event = {unsigned_integer(reader, "event", 1, most_integer)};
    end.last = {unsigned_integer(reader, "last", 0, most_integer)};
    if (reader.has("torrent")) end.event_torrent = reader.id<InfoHash>("torrent");
    return result(reader, std::move(end));
}

Statement sign_statement(Record const& record, ChannelKey const& key) {
    return sign_body(StatementKind::record, encode(record), key);
}

Statement sign_statement(Descriptor const& descriptor, ChannelKey const& key) {
    return sign_body(StatementKind::descriptor, encode(descriptor), key);
}

Statement sign_statement(EndRecord const& end, ChannelKey const& key) {
    return sign_body(StatementKind::end, encode(end), key);
}

Expected<ByteView> statement_body(ByteView wire) {
    if (wire.size() > limits::statement_size) return Error{"longer than a statement may be"};
    if (wire.size() <= Signature::size) return Error{"shorter than a signature"};
    return wire.subspan(Signature::size);
}

bool is_genuine(StatementKind kind, ByteView wire, ChannelId const& channel) {
    auto const body = statement_body(wire);
    if (!body) return false;
    auto const signature = *Signature::from(wire.first(Signature::size));
    return verify(channel, signature, {as_bytes(domain(kind)), channel.view(), *body});
}

Expected<Signed<Record>> open_record(ByteView wire, ChannelId const& channel) {
    return open<Record>(StatementKind::record, decode_record, wire, channel);
}

Expected<Signed<Descriptor>> open_descriptor(ByteView wire, ChannelId const& channel) {
    return open<Descriptor>(StatementKind::descriptor, decode_descriptor, wire, channel);
}

Expected<Signed<EndRecord>> open_end(ByteView wire, ChannelId const& channel) {
    return open<EndRecord>(StatementKind::end, decode_end, wire, channel);
}

void append_frame(Bytes& to, Statement const& statement) {
    to.push_back(static_cast<std::uint8_t>(statement.kind));
    auto const length = statement.wire.size();
    for (int shift = 24; shift >= 0; shift -= 8) {
        to.push_back(static_cast<std::uint8_t>((length >> shift) & 0xff));
    }
    append(to, statement.wire);
}

Expected<Frames> read_frames(ByteView bytes, std::size_t most) {
    constexpr std::size_t head = 5;
    Frames frames;
    while (frames.statements.size() < most && bytes.size() - frames.consumed >= head) {
        auto const frame = bytes.subspan(frames.consumed);
        std::size_t length = 0;
        for (auto const byte : frame.subspan(1, 4))
            length = (length << 8) | byte;
        if (length > limits::statement_size) return Error{"a frame longer than a statement may be"};
        if (frame.size() - head < length) break;
        auto const kind = frame[0];
        if (kind >= static_cast<std::uint8_t>(StatementKind::descriptor) &&
            kind <= static_cast<std::uint8_t>(StatementKind::end)) {
            auto const wire = frame.subspan(head, length);
            frames.statements.push_back(
                {static_cast<StatementKind>(kind), {wire.begin(), wire.end()}}
            );
        }
        frames.consumed += head + length;
    }
    return frames;
}

} // namespace minuteswarm
