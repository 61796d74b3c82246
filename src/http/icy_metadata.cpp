#include "http/icy_metadata.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

constexpr std::size_t unit = 16;
constexpr std::size_t largest_block = 255 * unit;

/// `StreamTitle='…';`, padded to whole units. Players end the title at the first `';`.
std::string block_text(std::string_view title) {
    auto name = field_text(title);
    std::ranges::replace(name, '\'', '`');
    std::ranges::replace(name, ';', ',');
    constexpr std::string_view before = "StreamTitle='";
    constexpr std::string_view after = "';";
    name.resize(std::min(name.size(), largest_block - before.size() - after.size()));
    std::string text{before};
    text.append(name).append(after);
    text.resize((text.size() + unit - 1) / unit * unit, '\0');
    return text;
}

} // namespace

Bytes IcyMetadata::insert(ByteView audio, std::string_view title) {
    Bytes result;
    result.reserve(audio.size() + (audio.size() / interval + 1) * unit);
    while (audio.size() >= until_block_) {
        append(result, audio.first(until_block_));
        audio = audio.subspan(until_block_);
        until_block_ = interval;
        auto text = block_text(title);
        if (text == sent_) {
            result.push_back(0);
            continue;
        }
        result.push_back(static_cast<std::uint8_t>(text.size() / unit));
        append(result, as_bytes(text));
        sent_ = std::move(text);
    }
    append(result, audio);
    until_block_ -= audio.size();
    return result;
}

std::string field_text(std::string_view text) {
    std::string result{text};
    std::ranges::replace_if(
        result, [](unsigned char character) { return character < 0x20 || character == 0x7f; }, ' '
    );
    return result;
}

} // namespace minuteswarm
