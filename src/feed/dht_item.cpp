#include "feed/dht_item.hpp"

#include "base/big_endian.hpp"
#include "base/limits.hpp"
#include "feed/canonical.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace minuteswarm {
namespace {

constexpr std::int64_t item_version = 1;
constexpr std::int64_t most_integer = std::int64_t{1} << 62;
constexpr std::int64_t most_seconds = most_integer / 1'000'000;

std::int64_t unix_seconds(WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

} // namespace

Bytes encode(DhtItem const& item) {
    Bytes window;
    auto const count = std::min(item.window.size(), limits::dht_chunks);
    for (std::size_t i = 0; i < count; ++i)
        append(window, item.window[i].view());
    lt::entry dictionary{lt::entry::dictionary_t};
    dictionary["ih"] = byte_string(item.newest.view());
    dictionary["v"] = lt::entry{item_version};
    dictionary["e"] = lt::entry{static_cast<std::int64_t>(item.event.value)};
    dictionary["n"] = lt::entry{static_cast<std::int64_t>(item.number.value)};
    dictionary["t"] = lt::entry{unix_seconds(item.time)};
    dictionary["w"] = byte_string(window);
    if (item.is_end) dictionary["end"] = lt::entry{std::int64_t{1}};
    return to_bencode(dictionary);
}

Expected<DhtItem> decode_dht_item(ByteView value) {
    if (value.size() > limits::dht_value) return Error{"longer than a DHT item may be"};
    auto opened = DictionaryReader::open(value);
    if (!opened) return opened.error();
    auto& reader = *opened;
    auto const version =
        reader.integer("v", item_version, std::numeric_limits<std::int64_t>::max());
    if (!reader.error() && version != item_version) {
        return Error{"the channel's DHT item needs a newer version of minuteswarm"};
    }
    DhtItem item;
    item.newest = reader.id<InfoHash>("ih");
    item.event = {static_cast<std::uint64_t>(reader.integer("e", 1, most_integer))};
    item.number = {static_cast<std::uint64_t>(reader.integer("n", 1, most_integer))};
    item.time = WallTime{std::chrono::seconds{reader.integer("t", 0, most_seconds)}};
    auto left = reader.bytes("w", 0, limits::dht_chunks * InfoHash::size);
    if (left.size() % InfoHash::size != 0) reader.fail("w");
    for (; left.size() >= InfoHash::size; left = left.subspan(InfoHash::size)) {
        item.window.push_back(*InfoHash::from(left.first(InfoHash::size)));
    }
    item.is_end = reader.has("end") && reader.integer("end", 0, 1) == 1;
    if (reader.error()) return *reader.error();
    return item;
}

std::int64_t next_sequence(WallTime now, std::int64_t stored, std::int64_t returned) {
    // A peer cannot forge the returned number, but a second machine with the key may have used any.
    auto const known = std::max(stored, returned);
    auto const after = known < std::numeric_limits<std::int64_t>::max() ? known + 1 : known;
    return std::max(unix_seconds(now), after);
}

Bytes encode(SignedDhtItem const& item) {
    Bytes bytes;
    append_be(bytes, static_cast<std::uint64_t>(item.sequence));
    append(bytes, item.signature.view());
    append(bytes, item.value);
    return bytes;
}

Expected<SignedDhtItem> decode_signed_dht_item(ByteView bytes) {
    BigEndianReader reader{bytes};
    auto const sequence = reader.take<std::uint64_t>();
    auto const signature = reader.take_bytes(Signature::size);
    if (!signature || *sequence > INT64_MAX) return Error{"not a stored DHT item"};
    if (auto const item = decode_dht_item(reader.rest()); !item) return item.error();
    return SignedDhtItem{
        static_cast<std::int64_t>(*sequence),
        *Signature::from(*signature),
        {reader.rest().begin(), reader.rest().end()}};
}

} // namespace minuteswarm
