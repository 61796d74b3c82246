#!/bin/sh
# Broadcasts a test picture with a clock and a tone until Ctrl-C. Prints the link to watch.
set -eu
ffmpeg -loglevel error -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000 \
    -c:v libx264 -preset veryfast -b:v 2M -g 60 -bf 2 -c:a aac -b:a 128k -f mpegts - |
    minuteswarm publish - --channel test-picture --title "Test picture" --chunk 2 "$@"
