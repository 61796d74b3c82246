#pragma once

#include "base/expected.hpp"
#include "base/ids.hpp"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/entry.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace minuteswarm {

/// Bencoded (BEP 3) form of a dictionary.
Bytes to_bencode(lt::entry const& dictionary);

/// A string entry holding raw bytes.
lt::entry byte_string(ByteView bytes);

/// Reads the keys of a foreign dictionary and remembers the first that was missing or out of its
/// range, so that a decoder reads all its fields and asks once. Points into the bytes it was made
/// from.
class DictionaryReader {
public:
    /// Refuses anything but one canonical dictionary: sorted unique keys, shortest integers, no
    /// trailing bytes.
    static Expected<DictionaryReader> open(ByteView bytes);

    explicit DictionaryReader(lt::bdecode_node node);

    [[nodiscard]] bool has(std::string_view key) const;

    /// 0 and an error when absent, no integer or not within [least, most].
    std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most);

    /// Empty and an error when absent, no string or of a length not within [least, most].
    ByteView bytes(std::string_view key, std::size_t least, std::size_t most);

    /// A string of exactly the id's length.
    template <class Id>
    Id id(std::string_view key) {
        return Id::from(bytes(key, Id::size, Id::size)).value_or(Id{});
    }

    /// A dictionary within; empty, so that reading from it fails, when absent.
    DictionaryReader dictionary(std::string_view key);

    void fail(std::string_view key);
    [[nodiscard]] std::optional<Error> const& error() const { return error_; }

private:
    lt::bdecode_node node_;
    std::optional<Error> error_;
};

} // namespace minuteswarm
