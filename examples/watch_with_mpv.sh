#!/bin/sh
# Opens a broadcast in mpv as soon as it is on.   watch_with_mpv.sh LINK
set -eu
exec minuteswarm watch "${1:?usage: watch_with_mpv.sh LINK}" --http 127.0.0.1:0 --player mpv
