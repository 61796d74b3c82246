#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace minuteswarm {

/// Whether text from elsewhere can be printed as it is: valid UTF-8 without control characters,
/// line breaks or direction overrides, which would let a title rewrite a terminal or pose as
/// another one.
bool is_plain_text(std::string_view text);

/// `text` without whatever makes it not plain, cut to at most `most` bytes between characters.
std::string to_plain_text(std::string_view text, std::size_t most);

} // namespace minuteswarm
