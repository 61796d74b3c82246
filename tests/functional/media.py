"""Sources made by ffmpeg, and what ffprobe and ffmpeg say about results."""
import json
import statistics
import subprocess
from pathlib import Path

from harness import BUILD, PATIENCE, Failure, check, need

GOP = 2
FFMPEG = ("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y")


def picture_and_beeps(seconds, size="320x180", rate=30):
    """A test picture with a running clock, and a beep each second."""
    length = [] if seconds is None else ["-t", str(seconds)]
    return ["-f", "lavfi", *length, "-i", f"testsrc2=size={size}:rate={rate}",
            "-f", "lavfi", *length, "-i", "aevalsrc=0.3*sin(2*PI*880*t)*lt(mod(t\\,1)\\,0.1):s=48000"]


def h264_aac(gop=GOP, rate=30, bitrate="400k"):
    frames = str(int(gop * rate))
    return ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "2", "-g", frames,
            "-keyint_min", frames, "-sc_threshold", "0", "-b:v", bitrate, "-c:a", "aac", "-b:a", "64k"]


def encoder(seconds, output=("-f", "mpegts", "pipe:1"), gop=GOP):
    """Command of a live encoder: real time, B-frames, a keyframe every `gop` seconds."""
    need("ffmpeg")
    source = picture_and_beeps(seconds)
    paced = [word for part in (source[:len(source) // 2], source[len(source) // 2:]) for word in ("-re", *part)]
    return [*FFMPEG, *paced, *h264_aac(gop), *output]


def radio_encoder(seconds, codec, container):
    need("ffmpeg")
    return [*FFMPEG, "-re", "-f", "lavfi", "-t", str(seconds), "-i", "sine=frequency=440:sample_rate=44100",
            "-c:a", codec, "-b:a", "96k", "-f", container, "pipe:1"]


def made(name, arguments):
    """A file that is made once per build folder."""
    need("ffmpeg")
    folder = BUILD / "media"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        import tempfile
        with tempfile.NamedTemporaryFile(dir=folder, suffix=path.suffix, delete=False) as part:
            run([*FFMPEG, *arguments, part.name])
            Path(part.name).replace(path)
    return path


def recording(seconds=20, gop=GOP, suffix="ts"):
    """H.264 and AAC, ready to be copied."""
    return made(f"recording-{seconds}s-gop{gop}.{suffix}", [*picture_and_beeps(seconds), *h264_aac(gop)])


def run(command, seconds=120, given=b""):
    """A program's standard output; fails with its last error lines."""
    try:
        done = subprocess.run([str(word) for word in command], input=given, capture_output=True,
                              timeout=seconds * PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise Failure(f"{command[0]} did not end within {seconds * PATIENCE:.0f} s") from None
    if done.returncode != 0:
        raise Failure(f"{command[0]} failed: {done.stderr.decode(errors='replace')[-500:].strip()}")
    return done.stdout


def probe(path, *options):
    need("ffprobe")
    return json.loads(run(["ffprobe", "-v", "error", "-of", "json", *options, path]))


def streams(path):
    """{type: codec}"""
    return {stream["codec_type"]: stream["codec_name"] for stream in probe(path, "-show_streams")["streams"]}


def duration(path):
    return float(probe(path, "-show_format")["format"]["duration"])


def check_decodes(path, *input_options, allowed=()):
    """Every frame decodes without a word from ffmpeg."""
    done = subprocess.run([*FFMPEG, "-loglevel", "warning", *input_options, "-i", str(path), "-f", "null", "-"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120 * PATIENCE, check=False)
    lines = [line for line in done.stderr.decode(errors="replace").splitlines()
             if not any(text in line for text in allowed)]
    check(done.returncode == 0 and not lines, f"decoding {Path(str(path)).name}: {lines[:5]}")


def packet_times(path):
    """{stream index: decoding times in seconds}"""
    packets = probe(path, "-show_entries", "packet=stream_index,dts_time")["packets"]
    times = {}
    for packet in packets:
        if "dts_time" in packet:
            times.setdefault(packet["stream_index"], []).append(float(packet["dts_time"]))
    return times


def check_continuous(path):
    """No stream goes back or leaves out a frame; returns the longest stream's length in seconds."""
    times = packet_times(path)
    check(times, f"{Path(path).name} has no packets")
    longest = 0.0
    for stream, dts in times.items():
        steps = [after - before for before, after in zip(dts, dts[1:])]
        check(steps, f"{Path(path).name}: stream {stream} has a single packet")
        usual = statistics.median(steps)
        worst = max(range(len(steps)), key=lambda i: abs(steps[i] - usual))
        check(0 < min(steps) and max(steps) < 2 * usual,
              f"{Path(path).name}: stream {stream} steps {steps[worst]:.3f} s at {dts[worst]:.3f} s")
        longest = max(longest, dts[-1] - dts[0] + usual)
    return longest
