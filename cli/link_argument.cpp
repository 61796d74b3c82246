#include "link_argument.hpp"

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

#include <fstream>
#include <iostream>
#include <string_view>

namespace minuteswarm {
namespace {

constexpr std::string_view scheme = "magnet:";
constexpr std::string_view what_to_give =
    ": give a link (magnet:?...), a file whose first line is one, or an event's folder";

/// Of a line that is no link's, such as a film's, only what tells so.
std::string first_line(std::istream& in) {
    std::string line;
    for (char c = 0; line.size() <= limits::link_size && in.get(c) && c != '\n';)
        line += c;
    return line;
}

Link link_in(std::istream& in, std::string const& name) {
    auto const line = first_line(in);
    if (!line.starts_with(scheme)) throw StartError{concat(name, " holds no link", what_to_give)};
    auto link = parse_link(line);
    if (!link) throw StartError{concat(name, ": ", link.error().message)};
    return *std::move(link);
}

} // namespace

Link read_link_argument(std::string const& what) {
    if (what.starts_with(scheme)) {
        auto link = parse_link(what);
        if (!link) throw StartError{link.error().message};
        return *std::move(link);
    }
    if (what == "-") return link_in(std::cin, "standard input");
    std::ifstream file{what};
    if (!file) throw StartError{concat("cannot open '", what, "'", what_to_give)};
    return link_in(file, what);
}

} // namespace minuteswarm
