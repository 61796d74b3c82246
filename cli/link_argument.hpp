#pragma once

#include "feed/link.hpp"

#include <string>

namespace minuteswarm {

/// The link that an argument is, or that stands in the first line of a file or of standard input
/// (`-`). Throws StartError, which says what to give instead.
Link read_link_argument(std::string const& what);

} // namespace minuteswarm
