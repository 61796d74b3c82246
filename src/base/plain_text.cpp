#include "base/plain_text.hpp"

#include <cstdint>

namespace minuteswarm {
namespace {

/// One character at the start of a text; `length` is 1 and `is_valid` false where it is not UTF-8.
struct Character {
    std::uint32_t code = 0;
    std::size_t length = 1;
    bool is_valid = false;
};

std::size_t sequence_length(std::uint8_t lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead < 0xe0) return 2;
    if (lead >= 0xe0 && lead < 0xf0) return 3;
    if (lead >= 0xf0 && lead < 0xf5) return 4;
    return 0;
}

Character first_character(std::string_view text) {
    auto const byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    auto const length = sequence_length(byte(0));
    if (length == 0 || length > text.size()) return {};
    if (length == 1) return {byte(0), 1, true};
    std::uint32_t code = byte(0) & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) return {};
        code = (code << 6) | (byte(i) & 0x3fU);
    }
    bool const is_overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    bool const is_surrogate = code >= 0xd800 && code < 0xe000;
    if (is_overlong || is_surrogate || code > 0x10ffff) return {};
    return {code, length, true};
}

bool is_printable(std::uint32_t code) {
    bool const is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool const is_separator = code == 0x2028 || code == 0x2029;
    bool const is_override =
        (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return !is_control && !is_separator && !is_override;
}

} // namespace

bool is_plain_text(std::string_view text) {
    while (!text.empty()) {
        auto const character = first_character(text);
        if (!character.is_valid || !is_printable(character.code)) return false;
        text.remove_prefix(character.length);
    }
    return true;
}

std::string to_plain_text(std::string_view text, std::size_t most) {
    std::string result;
    while (!text.empty()) {
        auto const character = first_character(text);
        if (character.is_valid && is_printable(character.code)) {
            if (result.size() + character.length > most) break;
            result += text.substr(0, character.length);
        }
        text.remove_prefix(character.length);
    }
    return result;
}

} // namespace minuteswarm
