#include "base/limits.hpp"
#include "segmenter/recording.hpp"
#include "unit/segmenter/media_fixture.hpp"

#include <catch2/catch.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>

using namespace minuteswarm;
using namespace minuteswarm::test;
using namespace std::chrono_literals;

namespace {

/// A recording with all it has said.
class Recorded {
public:
    explicit Recorded(Recording::Options options, bool consumes = true) {
        Recording::Events events;
        events.on_epoch = [this](Epoch const& epoch) { epochs.push_back(epoch); };
        events.on_bytes = [this, consumes](MuxedSpan const& span) {
            if (span.is_random_access_point)
                entries.push_back({span.media_time, in_progress.size()});
            append(in_progress, span.bytes);
            largest_piece = std::max(largest_piece, span.bytes.size());
            ++pieces;
            if (consumes) recording->consumed(span.bytes.size());
        };
        events.on_chunk_closed = [this](ClosedChunk const& chunk) {
            chunks.push_back(chunk);
            bytes.push_back(std::exchange(in_progress, {}));
        };
        events.on_waiting = [this](std::string text) { waiting.push_back(text); };
        events.on_warning = [this](std::string text) { warnings.push_back(text); };
        events.on_failed = [this](Error error) { failure = error.message; };
        events.on_end = [this] { has_ended = true; };
        recording.emplace(loop, std::move(options), std::move(events));
        recording->start();
    }

    /// Runs the loop until it holds; false after a generous while.
    bool run_until(std::function<bool()> const& holds) {
        auto const deadline = MonotonicClock::now() + 20s;
        while (!holds()) {
            if (MonotonicClock::now() > deadline) return false;
            loop.io().restart();
            loop.io().run_one_for(50ms);
        }
        return true;
    }
    void run_for(std::chrono::milliseconds span) {
        auto const end = MonotonicClock::now() + span;
        run_until([&] { return MonotonicClock::now() >= end; });
    }
    bool run_to_end() {
        return run_until([this] { return has_ended || failure; });
    }

    [[nodiscard]] Bytes all_bytes() const {
        Bytes all;
        for (auto const& chunk : bytes)
            append(all, chunk);
        return all;
    }
    /// No gap and no overlap within an epoch; sizes are true; only first chunks are discontinuous.
    [[nodiscard]] bool are_chunks_consistent() const {
        for (std::size_t i = 0; i < chunks.size(); ++i) {
            auto const is_first = i == 0 || chunks[i].epoch != chunks[i - 1].epoch;
            if (chunks[i].size != bytes[i].size() || chunks[i].size == 0) return false;
            if (chunks[i].is_discontinuity != is_first || chunks[i].duration <= 0s) return false;
            if (i == 0) continue;
            auto const end = chunks[i - 1].media_time + chunks[i - 1].duration;
            if (is_first ? chunks[i].media_time < end : chunks[i].media_time != end) return false;
        }
        return true;
    }

    EventLoop loop;
    std::optional<Recording> recording;
    std::vector<Epoch> epochs;
    std::vector<ClosedChunk> chunks;
    std::vector<Bytes> bytes;
    Bytes in_progress;
    std::vector<std::pair<MediaTime, std::size_t>> entries; // and where, in the chunk in progress
    std::size_t pieces = 0;
    std::size_t largest_piece = 0;
    std::vector<std::string> waiting;
    std::vector<std::string> warnings;
    std::optional<std::string> failure;
    bool has_ended = false;
};

Recording::Options fast(std::string url, MediaTime chunk_duration = 2s) {
    Recording::Options options;
    options.url = std::move(url);
    options.chunk_duration = chunk_duration;
    options.as_fast_as_possible = true;
    options.event_start = wall_now();
    return options;
}

Recording::Options live(std::string url, MediaTime chunk_duration = 1s) {
    auto options = fast(std::move(url), chunk_duration);
    options.as_fast_as_possible = false;
    return options;
}

/// Of 127.0.0.1; nobody listened there a moment ago.
int free_port() {
    auto const probe = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(probe, generic, size) != 0) throw std::runtime_error("no free port");
    ::getsockname(probe, generic, &size);
    ::close(probe);
    return ntohs(address.sin_port);
}

bool has_word(std::string const& text, std::string const& word) {
    return text.find(word) != std::string::npos;
}

} // namespace

TEST_CASE("Chunks one after the other are one clean stream, and each plays alone") {
    TemporaryFolder folder;
    auto const ending = GENERATE(as<std::string>(), "ts", "mp4", "mkv", "flv");
    auto const input = folder.file("in." + ending);
    make_media(picture(7) + tone(7) + h264 + "-c:a aac " + input);

    Recorded recorded(fast(input));
    REQUIRE(recorded.run_to_end());
    REQUIRE_FALSE(recorded.failure);
    REQUIRE(recorded.epochs.size() == 1);
    CHECK(recorded.epochs[0].container == Container::mpeg_ts);
    CHECK(recorded.epochs[0].codecs == "avc1.64000b,mp4a.40.2");
    CHECK(has_word(recorded.epochs[0].description, "h264 160x120 25 fps + aac 48 kHz mono"));
    REQUIRE(recorded.chunks.size() == 4);
    CHECK(recorded.are_chunks_consistent());
    CHECK(recorded.chunks[0].media_time == 0s);
    CHECK(recorded.chunks[1].media_time == 2s);
    CHECK(recorded.warnings.empty());

    auto const all = folder.file("all.ts");
    write_file(all, recorded.all_bytes());
    CHECK(continuity_errors(recorded.all_bytes()) == 0);
    auto const whole = demux(all);
    auto const original = demux(input);
    CHECK(whole.is_monotonic());
    CHECK(whole.streams.at(AVMEDIA_TYPE_VIDEO).size() == 175);
    CHECK(whole.streams.at(AVMEDIA_TYPE_VIDEO).front().dts == 10 * ticks_per_second);
    auto const sounds = original.streams.at(AVMEDIA_TYPE_AUDIO).size();
    CHECK(whole.streams.at(AVMEDIA_TYPE_AUDIO).size() + 5 >= sounds);

    std::size_t frames = 0;
    for (auto const& chunk : recorded.bytes) {
        CHECK(((chunk[1] & 0x1fU) << 8 | chunk[2]) == 0x11);       // service description, then
        CHECK(((chunk[189] & 0x1fU) << 8 | chunk[190]) == 0);      // program association, then
        CHECK(((chunk[377] & 0x1fU) << 8 | chunk[378]) == 0x1000); // program map
        auto const alone = folder.file("alone.ts");
        write_file(alone, chunk);
        auto const part = demux(alone);
        CHECK(part.streams.at(AVMEDIA_TYPE_VIDEO).front().is_key);
        frames += part.streams.at(AVMEDIA_TYPE_VIDEO).size();
    }
    CHECK(frames == 175);
}

TEST_CASE("MP3 and ADTS come out as they are, and raw AAC gets its headers") {
    TemporaryFolder folder;
    struct Case {
        std::string options, input;
        Container container;
    };
    auto const sample = GENERATE(values<Case>(
        {{"-c:a libmp3lame -b:a 64k ", "in.mp3", Container::mp3},
         {"-c:a aac -b:a 64k ", "in.aac", Container::adts},
         {"-c:a aac -b:a 64k ", "in.m4a", Container::adts},
         {"-c:a aac -b:a 64k ", "in.ts", Container::adts}}
    ));
    auto const input = folder.file(sample.input);
    make_media(tone(5) + sample.options + input);

    Recorded recorded(fast(input, 1s));
    REQUIRE(recorded.run_to_end());
    REQUIRE_FALSE(recorded.failure);
    REQUIRE(recorded.epochs.size() == 1);
    CHECK(recorded.epochs[0].container == sample.container);
    CHECK(recorded.chunks.size() >= 5);
    for (auto const& chunk : recorded.chunks)
        CHECK(chunk.duration < 1050ms);
    CHECK(recorded.are_chunks_consistent());

    auto const all = recorded.all_bytes();
    auto const original = demux(input);
    if (sample.input == "in.m4a") {
        auto const out = folder.file("out.aac");
        write_file(out, all);
        auto const read_back = demux(out);
        auto const& units = read_back.streams.at(AVMEDIA_TYPE_AUDIO);
        auto const& originals = original.streams.at(AVMEDIA_TYPE_AUDIO);
        REQUIRE(units.size() == originals.size());
        for (std::size_t i = 0; i < units.size(); ++i) {
            auto const& framed = units[i].bytes;
            CHECK(Bytes(framed.begin() + 7, framed.end()) == originals[i].bytes);
        }
    } else {
        CHECK(all == original.payload(AVMEDIA_TYPE_AUDIO));
    }
}

TEST_CASE("A file runs in real time, and its bytes leave at least every quarter of a second") {
    TemporaryFolder folder;
    auto const input = folder.file("in.ts");
    make_media(picture(2) + tone(2) + h264 + "-c:a aac " + input);

    auto const start = MonotonicClock::now();
    auto last = start;
    MonotonicClock::duration longest{};
    Recorded recorded(live(input));
    std::size_t seen = 0;
    REQUIRE(recorded.run_until([&] {
        auto const now = MonotonicClock::now();
        if (recorded.pieces == seen) return recorded.has_ended;
        if (seen > 0) longest = std::max(longest, now - last);
        seen = recorded.pieces;
        last = now;
        return recorded.has_ended;
    }));
    auto const took = MonotonicClock::now() - start;
    CHECK(took > 1800ms);
    CHECK(longest < 250ms);
    CHECK(recorded.chunks.size() == 2);
}

TEST_CASE("Also when there is no hurry, pieces hold at most a quarter of a second of media") {
    TemporaryFolder folder;
    auto const input = folder.file("in.ts");
    make_media(picture(10) + tone(10) + h264 + "-c:a aac " + input);
    Recorded recorded(fast(input));
    REQUIRE(recorded.run_to_end());
    CHECK(recorded.pieces >= 40);
}

TEST_CASE("A decoder can start at each random access point inside a chunk") {
    TemporaryFolder folder;
    auto const input = folder.file("in.ts");
    make_media(picture(4) + tone(4) + h264 + "-c:a aac " + input);
    Recorded recorded(fast(input, 60s));
    REQUIRE(recorded.run_to_end());
    REQUIRE(recorded.chunks.size() == 1);
    REQUIRE(recorded.entries.size() == 4); // a keyframe each second
    for (auto const& [media_time, offset] : recorded.entries) {
        CHECK(media_time % 1s == 0s);
        auto const rest = folder.file("rest.ts");
        auto const tail = ByteView{recorded.bytes[0]}.subspan(offset);
        write_file(rest, Bytes(tail.begin(), tail.end()));
        auto const played = demux(rest).streams.at(AVMEDIA_TYPE_VIDEO);
        CHECK(played.front().is_key);
        CHECK(played.size() == static_cast<std::size_t>((4s - media_time) / 40ms));
    }
}

TEST_CASE("A looped file goes on without a discontinuity until it is stopped") {
    TemporaryFolder folder;
    auto const ending = GENERATE(as<std::string>(), "ts", "mp4");
    auto const input = folder.file("in." + ending);
    make_media(picture(3) + tone(3) + h264 + "-c:a aac " + input);
    auto options = fast(input, 1s);
    options.is_looped = true;
    Recorded recorded(options);
    REQUIRE(recorded.run_until([&] { return recorded.chunks.size() >= 10; }));
    recorded.recording->stop();
    recorded.recording->stop();
    REQUIRE(recorded.run_to_end());
    CHECK(recorded.has_ended);
    CHECK(recorded.in_progress.empty());
    CHECK(recorded.epochs.size() == 1);
    CHECK(recorded.are_chunks_consistent());
    auto const all = folder.file("all.ts");
    write_file(all, recorded.all_bytes());
    CHECK(continuity_errors(recorded.all_bytes()) == 0);
    CHECK(demux(all).is_monotonic());
    for (auto const& chunk : recorded.chunks)
        CHECK(chunk.duration < 1200ms);
}

TEST_CASE("The input thread waits while bytes are not consumed, and ends at once all the same") {
    TemporaryFolder folder;
    auto const input = folder.file("in.ts");
    make_media(picture(1) + "-c:v mpeg2video -qscale:v 1 -g 5 " + input);
    auto options = fast(input, 1s);
    options.is_looped = true;
    Recorded recorded(options, false);
    auto const received = [&] {
        auto sum = recorded.in_progress.size();
        for (auto const& chunk : recorded.bytes)
            sum += chunk.size();
        return sum;
    };
    REQUIRE(recorded.run_until([&] { return received() > limits::input_queue - 200'000; }));
    recorded.run_for(300ms);
    CHECK(received() <= limits::input_queue);
    CHECK_FALSE(recorded.has_ended);
    auto const start = MonotonicClock::now();
    recorded.recording.reset();
    CHECK(MonotonicClock::now() - start < 1s);
}

TEST_CASE("An RTMP encoder may leave and come back: a new epoch of the same event") {
    auto const port = free_port();
    auto const url = "rtmp://127.0.0.1:" + std::to_string(port) + "/live/key";
    auto const encoder =
        "-re " + picture(30) + tone(30) + h264 + "-tune zerolatency -c:a aac -f flv " + url;
    Recorded recorded(live(url));
    REQUIRE(recorded.run_until([&] { return !recorded.waiting.empty(); }));
    CHECK(has_word(recorded.waiting[0], "waiting for the encoder at rtmp://127.0.0.1"));

    // The listener opens just after it says so; an encoder that comes too early gives up.
    auto const send_until = [&](std::size_t chunks) {
        std::optional<Ffmpeg> ffmpeg;
        auto const before = recorded.epochs.size();
        for (int attempt = 0; attempt < 10 && recorded.epochs.size() == before; ++attempt) {
            ffmpeg.emplace(encoder);
            auto const deadline = MonotonicClock::now() + 3s;
            recorded.run_until([&] {
                return recorded.epochs.size() > before || MonotonicClock::now() > deadline;
            });
        }
        CHECK(recorded.run_until([&] { return recorded.chunks.size() >= chunks; }));
    };
    send_until(1);
    REQUIRE(recorded.run_until([&] { return recorded.waiting.size() == 2; }));
    auto const of_first = recorded.chunks.size();
    send_until(of_first + 1);
    recorded.recording->stop();
    REQUIRE(recorded.run_to_end());
    CHECK_FALSE(recorded.failure);
    REQUIRE(recorded.epochs.size() == 2);
    CHECK(recorded.epochs[1].number == recorded.epochs[0].number.next());
    CHECK(recorded.are_chunks_consistent());
    CHECK(recorded.in_progress.empty());
    TemporaryFolder folder;
    auto const all = folder.file("all.ts");
    write_file(all, recorded.all_bytes());
    CHECK(demux(all).is_monotonic());
}

TEST_CASE("A pipe is read until its writer leaves") {
    TemporaryFolder folder;
    auto const pipe = folder.file("pipe");
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    Recorded recorded(fast(pipe, 1s));
    make_media(picture(3) + h264 + "-f mpegts " + pipe);
    REQUIRE(recorded.run_to_end());
    CHECK_FALSE(recorded.failure);
    CHECK(recorded.chunks.size() == 3);
    CHECK(recorded.are_chunks_consistent());
}

TEST_CASE("A recording ends within a second, whatever it waits for") {
    TemporaryFolder folder;
    auto const pipe = folder.file("pipe");
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    auto const port = std::to_string(free_port());
    auto const [scheme, rest] = GENERATE(table<std::string, std::string>(
        {{"", ""},
         {"rtmp://127.0.0.1:", "/live/key"},
         {"srt://127.0.0.1:", "?mode=listener"},
         {"tcp://127.0.0.1:", "?listen"},
         {"udp://127.0.0.1:", ""}}
    ));
    auto const is_stopped = GENERATE(true, false);
    auto const url = scheme.empty() ? pipe : scheme + port + rest;
    INFO(url);
    Recorded recorded(live(url));
    recorded.run_for(100ms);
    auto const start = MonotonicClock::now();
    if (is_stopped) {
        recorded.recording->stop();
        REQUIRE(recorded.run_to_end());
        CHECK(recorded.has_ended);
    } else {
        recorded.recording.reset();
    }
    CHECK(MonotonicClock::now() - start < 1s);
}

TEST_CASE("New parameters within a source begin a new epoch") {
    TemporaryFolder folder;
    auto const first = folder.file("first.ts");
    auto const second = folder.file("second.ts");
    auto const input = folder.file("in.ts");
    make_media(picture(2) + h264 + first);
    make_media(picture(2) + "-vf scale=320:240 " + h264 + second);
    auto both = read_file(first);
    append(both, read_file(second));
    write_file(input, both);

    Recorded recorded(fast(input, 1s));
    REQUIRE(recorded.run_to_end());
    REQUIRE(recorded.epochs.size() == 2);
    CHECK(recorded.chunks.size() == 4);
    CHECK(recorded.are_chunks_consistent());
}

TEST_CASE("What cannot be published is refused in one line that says why") {
    TemporaryFolder folder;
    auto const empty = folder.file("empty.ts");
    write_file(empty, {});
    auto const text = folder.file("text.txt");
    write_file(text, to_bytes("no media in here, only words"));
    make_media(picture(1) + tone(1) + h264 + "-c:a flac " + folder.file("flac.mkv"));
    auto const subtitles = folder.file("words.srt");
    write_file(subtitles, to_bytes("1\n00:00:00,000 --> 00:00:01,000\nhello\n"));

    auto const [name, words] = GENERATE(table<std::string, std::string>(
        {{"missing.ts", "does not exist"},
         {"", "is a folder"},
         {"empty.ts", "is empty"},
         {"text.txt", "is not recognised as audio or video"},
         {"words.srt", "holds no video and no audio"},
         {"flac.mkv", "flac is not carried; re-encode"},
         {"nonsense://host/path", "unknown protocol"},
         {"http://127.0.0.1:1/live.ts", "Connection refused"}}
    ));
    auto const url = name.find("://") == std::string::npos ? folder.file(name) : name;
    Recorded recorded(fast(url));
    REQUIRE(recorded.run_to_end());
    REQUIRE(recorded.failure);
    INFO(*recorded.failure);
    CHECK(has_word(*recorded.failure, words));
    CHECK_FALSE(has_word(*recorded.failure, "\n"));
}

TEST_CASE("A taken port is a clear failure, not a wait") {
    auto const taken = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(taken, generic, size) == 0);
    REQUIRE(::listen(taken, 1) == 0);
    ::getsockname(taken, generic, &size);
    auto const port = std::to_string(ntohs(address.sin_port));
    Recorded recorded(live("rtmp://127.0.0.1:" + port + "/live/key"));
    REQUIRE(recorded.run_to_end());
    ::close(taken);
    REQUIRE(recorded.failure);
    CHECK(has_word(*recorded.failure, "cannot listen at"));
}

TEST_CASE("An event keeps the container it began with") {
    TemporaryFolder folder;
    auto const radio = folder.file("radio.mp3");
    make_media(tone(2) + "-c:a libmp3lame " + radio);
    auto options = fast(radio, 1s);

    options.container = Container::mpeg_ts; // which carries MP3, too
    Recorded in_ts(options);
    REQUIRE(in_ts.run_to_end());
    CHECK_FALSE(in_ts.failure);
    CHECK(in_ts.epochs.at(0).container == Container::mpeg_ts);
    CHECK(continuity_errors(in_ts.all_bytes()) == 0);

    options.container = Container::adts;
    Recorded in_adts(options);
    REQUIRE(in_adts.run_to_end());
    REQUIRE(in_adts.failure);
    CHECK(has_word(*in_adts.failure, "the event began with .aac"));
}

TEST_CASE("A resumed event goes on after its last chunk") {
    TemporaryFolder folder;
    auto const input = folder.file("in.ts");
    make_media(picture(1) + h264 + input);
    auto options = fast(input, 1s);
    options.first_media_time = 1234567us;
    options.first_epoch = EpochNumber{5};
    Recorded recorded(options);
    REQUIRE(recorded.run_to_end());
    CHECK(recorded.epochs.at(0).number == EpochNumber{5});
    CHECK(recorded.chunks.at(0).media_time >= 1234567us);
    CHECK(recorded.chunks.at(0).media_time < 1234600us);
}
