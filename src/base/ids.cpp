#include "base/ids.hpp"

#include <boost/algorithm/hex.hpp>

#include <iterator>

namespace minuteswarm {

std::string to_hex(ByteView bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    boost::algorithm::hex_lower(bytes.begin(), bytes.end(), std::back_inserter(text));
    return text;
}

bool from_hex(std::string_view text, std::span<std::uint8_t> out) {
    auto const is_digit = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    if (text.size() != out.size() * 2 || !std::all_of(text.begin(), text.end(), is_digit)) {
        return false;
    }
    boost::algorithm::unhex(text.begin(), text.end(), out.begin());
    return true;
}

std::string short_hex(ChannelId const& channel) {
    return to_hex(channel.view().first(8));
}

} // namespace minuteswarm
