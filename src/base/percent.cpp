#include "base/percent.hpp"

#include "base/ids.hpp"

#include <array>

namespace minuteswarm {
namespace {

bool is_unreserved(char c) {
    // Not std::isalnum: that one depends on the locale.
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

} // namespace

std::string percent_encode(std::string_view text, std::string_view keep) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    result.reserve(text.size());
    for (char const c : text) {
        if (is_unreserved(c) || keep.find(c) != std::string_view::npos) {
            result += c;
            continue;
        }
        auto const byte = static_cast<unsigned char>(c);
        result += '%';
        result += digits[byte >> 4];
        result += digits[byte & 15];
    }
    return result;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        if (text.front() != '%') {
            result += text.front();
            text.remove_prefix(1);
            continue;
        }
        std::array<std::uint8_t, 1> byte{};
        if (text.size() < 3 || !from_hex(text.substr(1, 2), byte)) return std::nullopt;
        result += static_cast<char>(byte[0]);
        text.remove_prefix(3);
    }
    return result;
}

} // namespace minuteswarm
