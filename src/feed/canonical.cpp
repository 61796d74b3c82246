#include "feed/canonical.hpp"

#include "base/text.hpp"

#include <libtorrent/bencode.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/span.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace minuteswarm {
namespace {

// A statement has about 20 keys; unknown ones of later versions find room, deep nests do not.
constexpr int deepest = 8;
constexpr int most_tokens = 400;

lt::string_view as_lt(std::string_view text) {
    return {text.data(), text.size()};
}

} // namespace

Bytes to_bencode(lt::entry const& dictionary) {
    Bytes bytes;
    lt::bencode(std::back_inserter(bytes), dictionary);
    return bytes;
}

lt::entry byte_string(ByteView bytes) {
    return lt::entry{std::string{as_text(bytes)}};
}

Expected<DictionaryReader> DictionaryReader::open(ByteView bytes) {
    auto const text = as_text(bytes);
    lt::error_code error;
    auto const node = lt::bdecode(
        {text.data(), static_cast<std::ptrdiff_t>(text.size())},
        error,
        nullptr,
        deepest,
        most_tokens
    );
    if (error || node.type() != lt::bdecode_node::dict_t) return Error{"not a bencoded dictionary"};
    if (!std::ranges::equal(to_bencode(lt::entry{node}), bytes)) {
        return Error{"not canonical bencode"};
    }
    return DictionaryReader{node};
}

DictionaryReader::DictionaryReader(lt::bdecode_node node)
    : node_(std::move(node)) {}

bool DictionaryReader::has(std::string_view key) const {
    return node_.type() == lt::bdecode_node::dict_t && node_.dict_find(as_lt(key));
}

std::int64_t
DictionaryReader::integer(std::string_view key, std::int64_t least, std::int64_t most) {
    auto const found = has(key) ? node_.dict_find_int(as_lt(key)) : lt::bdecode_node{};
    auto const value = found ? found.int_value() : 0;
    if (found && value >= least && value <= most) return value;
    fail(key);
    return 0;
}

ByteView DictionaryReader::bytes(std::string_view key, std::size_t least, std::size_t most) {
    auto const found = has(key) ? node_.dict_find_string(as_lt(key)) : lt::bdecode_node{};
    if (found) {
        auto const text = found.string_value();
        if (text.size() >= least && text.size() <= most)
            return as_bytes({text.data(), text.size()});
    }
    fail(key);
    return {};
}

DictionaryReader DictionaryReader::dictionary(std::string_view key) {
    auto const found = has(key) ? node_.dict_find_dict(as_lt(key)) : lt::bdecode_node{};
    if (!found) fail(key);
    return DictionaryReader{found};
}

void DictionaryReader::fail(std::string_view key) {
    if (!error_) error_ = Error{concat("key '", key, "' is missing or out of its range")};
}

} // namespace minuteswarm
