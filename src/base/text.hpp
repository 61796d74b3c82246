#pragma once

#include <sstream>
#include <string>

namespace minuteswarm {

/// One string out of anything that streams: messages for people, file names.
template <class... Parts>
std::string concat(Parts const&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}

} // namespace minuteswarm
