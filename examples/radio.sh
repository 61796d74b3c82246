#!/bin/sh
# Internet radio from a folder of music, as MP3 of 64 kbit/s in 4 s chunks.   radio.sh FOLDER
set -eu
folder=${1:?usage: radio.sh FOLDER}
shift
find "$folder" -name '*.mp3' -o -name '*.flac' -o -name '*.ogg' | sort |
    sed "s/'/'\\\\''/g; s/.*/file '&'/" >"${TMPDIR:-/tmp}/radio-$$.txt"
trap 'rm -f "${TMPDIR:-/tmp}/radio-$$.txt"' EXIT
ffmpeg -loglevel error -re -f concat -safe 0 -stream_loop -1 -i "${TMPDIR:-/tmp}/radio-$$.txt" -vn \
    -c:a libmp3lame -b:a 64k -f mp3 - |
    minuteswarm publish - --channel radio --title "Radio" "$@"
