#pragma once

#include <string_view>

namespace minuteswarm {

/// The page's files, built into the program; valid for ever.
namespace page_files {

std::string_view index_html();
std::string_view page_js();
std::string_view page_css();
/// The player library for browsers that can't play HLS themselves; empty when it was not there at
/// build time.
std::string_view hls_js();

} // namespace page_files

} // namespace minuteswarm
