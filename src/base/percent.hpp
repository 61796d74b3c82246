#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace minuteswarm {

/// RFC 3986 2.1: everything but unreserved characters and those in `keep` becomes %XX.
std::string percent_encode(std::string_view text, std::string_view keep = {});

/// The inverse; nothing when a % is not followed by two hex digits. A + stays a +.
std::optional<std::string> percent_decode(std::string_view text);

} // namespace minuteswarm
