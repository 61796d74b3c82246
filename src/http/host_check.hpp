#pragma once

#include <string_view>

namespace minuteswarm {

/// Whether a request with this `Host` field may be answered. A page on the web can point its own
/// name at this computer (DNS rebinding) but can't forge the field, so only what names this
/// computer passes: `localhost`, a loopback address, or `reached`, the address the connection came
/// in at. The port is not compared: tunnels change it.
bool is_own_host(std::string_view host, std::string_view reached);

} // namespace minuteswarm
