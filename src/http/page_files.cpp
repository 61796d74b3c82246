#include "http/page_files.hpp"

#include <cstddef>

// page.cmake defines the paths and makes this file depend on what is included.
#define MINUTESWARM_EMBED(name, path)                                                              \
    asm(".section .rodata\n"                                                                       \
        ".global minuteswarm_file_" #name "\n"                                                     \
        "minuteswarm_file_" #name ":\n"                                                            \
        ".incbin \"" path "\"\n"                                                                   \
        ".global minuteswarm_file_end_" #name "\n"                                                 \
        "minuteswarm_file_end_" #name ":\n"                                                        \
        ".byte 0\n"                                                                                \
        ".previous\n");                                                                            \
    extern "C" char const minuteswarm_file_##name[];                                               \
    extern "C" char const minuteswarm_file_end_##name[];

MINUTESWARM_EMBED(index_html, MINUTESWARM_PAGE_DIR "/index.html")
MINUTESWARM_EMBED(page_js, MINUTESWARM_PAGE_DIR "/page.js")
MINUTESWARM_EMBED(page_css, MINUTESWARM_PAGE_DIR "/page.css")
MINUTESWARM_EMBED(hls_js, MINUTESWARM_HLS_JS)

namespace minuteswarm::page_files {
namespace {

std::string_view between(char const* begin, char const* end) {
    return {begin, static_cast<std::size_t>(end - begin)};
}

} // namespace

std::string_view index_html() {
    return between(minuteswarm_file_index_html, minuteswarm_file_end_index_html);
}
std::string_view page_js() {
    return between(minuteswarm_file_page_js, minuteswarm_file_end_page_js);
}
std::string_view page_css() {
    return between(minuteswarm_file_page_css, minuteswarm_file_end_page_css);
}
std::string_view hls_js() {
    return between(minuteswarm_file_hls_js, minuteswarm_file_end_hls_js);
}

} // namespace minuteswarm::page_files
