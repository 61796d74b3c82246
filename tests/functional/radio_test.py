"""Radio: MP3 and AAC from a real encoder, as they are, to a player and with titles inside."""
import urllib.request

import media
from harness import EXIT_DONE, PATIENCE, archive_bytes, check, main

SECONDS = 14


def read_icy(url, blocks):
    """(headers, audio, titles) of a stream asked for with titles inside."""
    request = urllib.request.Request(url, headers={"Icy-MetaData": "1"})
    audio, titles = b"", []
    with urllib.request.urlopen(request, timeout=20 * PATIENCE) as reply:
        headers = dict(reply.headers)
        step = int(reply.headers["icy-metaint"])
        for _ in range(blocks):
            audio += reply.read(step)
            length = reply.read(1)[0] * 16
            if length:
                titles.append(reply.read(length).rstrip(b"\0").decode())
    return headers, audio, titles


def check_radio(case, encoder, extension, codec, content_type):
    encoder, publisher = case.publish_from(encoder, "--chunk", "2", "--title", "It's radio; live")
    output = case.folder / f"out.{extension}"
    viewer = case.watch(publisher.link, "-o", output)
    viewer.until_status(lambda status: status["state"] == "live", 20, "plays")
    headers, audio, titles = read_icy(f"{viewer.url}stream.{extension}", 3)
    check(headers["Content-Type"] == content_type, f"the stream's type is {headers['Content-Type']}")
    check(titles and titles[0].startswith("StreamTitle='"), f"titles: {titles}")
    check(titles[0].count("'") == 2, f"a title breaks out of its quotes: {titles[0]}")
    heard = case.folder / f"heard.{extension}"
    heard.write_bytes(audio)
    check(media.streams(heard) == {"audio": codec}, f"the stream holds {media.streams(heard)}")
    encoder.wait_exit(SECONDS + 20, 0)
    viewer.event("end", 40)
    viewer.wait_exit(30, EXIT_DONE)
    recorded = archive_bytes(case.folder / "archive")
    got = output.read_bytes()
    check(got and recorded.endswith(got), "the viewer's bytes are not the archive's")
    check(audio and audio[:4000] in recorded, "the stream's bytes are not the archive's")
    whole = case.folder / f"whole.{extension}"
    whole.write_bytes(recorded)
    check(abs(media.check_continuous(whole) - SECONDS) < 0.5, "the archive's length is not the encoder's")
    # Packed audio has no header that could say how long it is.
    media.check_decodes(whole, allowed=("Estimating duration from bitrate",))


def test_mp3_radio_end_to_end(case):
    check_radio(case, media.radio_encoder(SECONDS, "libmp3lame", "mp3"), "mp3", "mp3", "audio/mpeg")


def test_aac_radio_end_to_end(case):
    check_radio(case, media.radio_encoder(SECONDS, "aac", "adts"), "aac", "aac", "audio/aac")


def test_radio_is_packed_without_transport_stream_padding(case):
    encoder, publisher = case.publish_from(media.radio_encoder(6, "libmp3lame", "mp3"), "--chunk", "2")
    encoder.wait_exit(30, 0)
    publisher.event("end", 20)
    size = len(archive_bytes(case.folder / "archive"))
    check(size < 6 * 96000 / 8 * 1.05, f"{size} bytes for 6 s of 96 kbit/s")


if __name__ == "__main__":
    main()
