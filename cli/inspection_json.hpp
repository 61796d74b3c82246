#pragma once

#include "archive/inspection.hpp"
#include "feed/link.hpp"

#include <string>

namespace minuteswarm {

std::string to_json(Inspection const& inspection);
std::string to_json(Link const& link);

} // namespace minuteswarm
