#pragma once

#include <string>
#include <vector>

namespace minuteswarm {

/// Which of a node's own addresses (numeric HOST:PORT) belong into a link: all but loopback and
/// link-local ones, unless there are no others; public ones first; at most eight.
std::vector<std::string> choose_link_endpoints(std::vector<std::string> const& own);

/// Whether any of them is a public address.
bool is_reachable_from_outside(std::vector<std::string> const& endpoints);
bool is_loopback_only(std::vector<std::string> const& endpoints);

} // namespace minuteswarm
