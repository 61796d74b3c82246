# The page and hls.js, built into the program. hls.js (Apache-2.0) plays HLS where the browser can't; it isn't
# kept in this tree but taken from npm at the version and hash that page/package-lock.json pins.
set(MINUTESWARM_HLS_JS "" CACHE STRING
  "A copy of hls.light.min.js to build in; empty: fetch it with npm; OFF: build without")

set(page_dir ${CMAKE_CURRENT_SOURCE_DIR}/http/page)
set(page_build_dir ${CMAKE_CURRENT_BINARY_DIR}/http_page)
set(page_hls_js ${page_build_dir}/hls.js)
file(MAKE_DIRECTORY ${page_build_dir})

function(fetch_hls_js to)
  find_program(NPM npm)
  mark_as_advanced(NPM)
  set(fetched ${page_build_dir}/node_modules/hls.js/dist/hls.light.min.js)
  if(NPM AND NOT EXISTS ${fetched})
    configure_file(${page_dir}/package.json ${page_build_dir}/package.json COPYONLY)
    configure_file(${page_dir}/package-lock.json ${page_build_dir}/package-lock.json COPYONLY)
    execute_process(
      COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-timeout=20000
      WORKING_DIRECTORY ${page_build_dir} TIMEOUT 90 OUTPUT_QUIET ERROR_QUIET)
  endif()
  if(EXISTS ${fetched})
    configure_file(${fetched} ${to} COPYONLY)
  else()
    message(WARNING "hls.js could not be fetched with npm: the page will only play where the browser "
      "plays HLS itself. Set MINUTESWARM_HLS_JS to a copy of hls.light.min.js, or to OFF.")
    file(WRITE ${to} "")
  endif()
endfunction()

if(MINUTESWARM_HLS_JS STREQUAL "")
  fetch_hls_js(${page_hls_js})
elseif(EXISTS "${MINUTESWARM_HLS_JS}")
  configure_file(${MINUTESWARM_HLS_JS} ${page_hls_js} COPYONLY)
else()
  file(WRITE ${page_hls_js} "")
endif()

set_source_files_properties(http/page_files.cpp PROPERTIES
  COMPILE_DEFINITIONS "MINUTESWARM_PAGE_DIR=\"${page_dir}\";MINUTESWARM_HLS_JS=\"${page_hls_js}\""
  OBJECT_DEPENDS "${page_dir}/index.html;${page_dir}/page.js;${page_dir}/page.css;${page_hls_js}")
