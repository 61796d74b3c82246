#include "archive/exporter.hpp"

#include "archive/chunk_sequence.hpp"
#include "archive/export_input.hpp"
#include "archive/export_output.hpp"
#include "archive/libav.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <system_error>
#include <utility>

namespace minuteswarm {

namespace {

/// Consecutive chunks of one muxer.
struct Epoch {
    RunId run;
    EpochNumber number;
    Container container = Container::mpeg_ts;
    std::vector<ChunkNumber> chunks;
};

struct Plan {
    std::vector<Epoch> epochs;
    std::uint64_t bytes = 0;
};

Error nothing_to_export(ExportOptions const& options, MediaTime begin, MediaTime end) {
    if (!options.from && !options.to) return Error{"the archive holds no chunk of this event"};
    return Error{concat(
        "the event has no chunk in that range: it runs from ",
        in_seconds(begin),
        " s to ",
        in_seconds(end),
        " s"
    )};
}

/// Which chunks the range needs, an epoch after the other.
Expected<Plan>
make_plan(EventFolder const& folder, RecordFile const& records, ExportOptions const& options) {
    Plan plan;
    auto begin = MediaTime::max();
    auto end = MediaTime::zero();
    for (auto const number : records.numbers(options.rendition)) {
        auto const signed_record = records.read(options.rendition, number);
        if (!signed_record) return signed_record.error();
        auto const& record = signed_record->value;
        auto const record_end = record.media_time + record.duration;
        std::error_code error;
        bool const is_there = std::filesystem::exists(folder.chunk(record), error);
        if (is_there) {
            begin = std::min(begin, record.media_time);
            end = std::max(end, record_end);
        }
        if (options.from && record_end <= *options.from) continue;
        if (options.to && record.media_time >= *options.to) continue;
        if (plan.epochs.empty() || plan.epochs.back().run != record.run ||
            plan.epochs.back().number != record.epoch) {
            plan.epochs.push_back({record.run, record.epoch, record.container, {}});
        }
        plan.epochs.back().chunks.push_back(number);
        plan.bytes += is_there ? record.size : 0;
    }
    if (plan.bytes == 0) return nothing_to_export(options, std::min(begin, end), end);
    return plan;
}

Completion check_space(std::filesystem::path const& output, std::uint64_t bytes) {
    auto const folder = output.has_parent_path() ? output.parent_path() : ".";
    std::error_code error;
    auto const space = std::filesystem::space(folder, error);
    if (error) return file_error("write to", folder, error.value());
    if (space.available >= bytes) return std::monostate{};
    return Error{concat(
        "not enough space in ",
        folder.string(),
        ": ",
        bytes >> 20,
        " MiB needed, ",
        space.available >> 20,
        " MiB free"
    )};
}

/// Writes epochs into one file after the other.
class Export {
public:
    Export(EventFolder const& folder, RecordFile const& records, ExportOptions const& options)
        : folder_(folder)
        , records_(records)
        , options_(options) {}

    Expected<ExportReport> run() {
        auto const plan = make_plan(folder_, records_, options_);
        if (!plan) return plan.error();
        if (auto space = check_space(options_.output, plan->bytes); !space) return space.error();
        progress_.total = plan->bytes;
        for (auto const& epoch : plan->epochs) {
            if (auto done = write_epoch(epoch); !done) return done.error();
        }
        if (auto done = finish_output(); !done) return done.error();
        if (report_.files.empty()) return Error{"every chunk of that range is damaged or missing"};
        return std::move(report_);
    }

private:
    Completion write_epoch(Epoch const& epoch) {
        ChunkSequence chunks(folder_, records_, options_.rendition, epoch.chunks);
        auto const bytes_before = progress_.bytes;
        auto const opened = ExportInput::open(chunks, epoch.container);
        if (!opened) return opened.error();
        auto* const input = opened->get();
        is_started_ = false;
        while (input != nullptr) {
            auto packet = input->next();
            if (!packet) return packet.error();
            if (!*packet) break;
            if (auto done = take(std::move(**packet), *input); !done) return done;
            if (auto done = report_progress(bytes_before + chunks.bytes_read()); !done) return done;
        }
        if (input != nullptr && !is_started_) {
            if (auto done = begin_epoch(*input); !done) return done;
        }
        auto const& skipped = chunks.skipped();
        report_.skipped.insert(report_.skipped.end(), skipped.begin(), skipped.end());
        return std::monostate{};
    }

    /// Holds packets back until it is known from which random access point on they are wanted.
    Completion take(EpochPacket packet, ExportInput const& input) {
        if (options_.to && packet.decode_time >= *options_.to) return std::monostate{};
        if (is_started_) return output_->write(std::move(packet));
        bool const is_random_access =
            packet.is_reference && (packet.packet->flags & AV_PKT_FLAG_KEY) != 0;
        auto const time = packet.time;
        auto const is_early = [time](EpochPacket const& held) { return held.time < time; };
        bool const is_wanted = packet.is_reference && time >= options_.from.value_or(time);
        if (is_random_access && time <= options_.from.value_or(time))
            std::erase_if(held_, is_early);
        held_.push_back(std::move(packet));
        return is_wanted ? begin_epoch(input) : Completion(std::monostate{});
    }

    Completion begin_epoch(ExportInput const& input) {
        is_started_ = true;
        auto held = std::exchange(held_, {});
        auto const first = std::ranges::find_if(held, &EpochPacket::is_reference);
        if (first == held.end()) return std::monostate{};
        if (output_ && !output_->fits(input.streams())) {
            if (auto done = finish_output(); !done) return done;
        }
        if (!output_) {
            if (auto done = open_output(input.streams()); !done) return done;
        }
        output_->join(*first, input.streams());
        for (auto& packet : held) {
            if (auto done = output_->write(std::move(packet)); !done) return done;
        }
        return std::monostate{};
    }

    Completion open_output(std::vector<AVStream const*> const& streams) {
        auto path = options_.output;
        if (!report_.files.empty()) {
            auto const number = report_.files.size() + 1;
            path.replace_filename(concat(
                options_.output.stem().string(), '-', number, options_.output.extension().string()
            ));
        }
        std::error_code error;
        if (!options_.force && std::filesystem::exists(path, error)) {
            return Error{
                concat(path.string(), " exists: give another name, or --force to replace it")};
        }
        auto const* descriptor = records_.descriptor();
        auto output = ExportOutput::open(
            path, streams, descriptor != nullptr ? descriptor->value.title : std::string()
        );
        if (!output) return output.error();
        output_ = std::make_unique<ExportOutput>(std::move(*output));
        return std::monostate{};
    }

    Completion finish_output() {
        if (!output_) return std::monostate{};
        if (auto done = output_->finish(); !done) return done;
        report_.files.push_back({output_->path(), output_->duration()});
        output_.reset();
        return std::monostate{};
    }

    Completion report_progress(std::uint64_t bytes) {
        if (bytes == progress_.bytes) return std::monostate{};
        progress_.bytes = bytes;
        if (options_.on_progress && !options_.on_progress(progress_)) {
            return Error{"the export was stopped"};
        }
        return std::monostate{};
    }

    EventFolder const& folder_;
    RecordFile const& records_;
    ExportOptions const& options_;
    QuietLibav quiet_;
    std::unique_ptr<ExportOutput> output_;
    std::deque<EpochPacket>
        held_; // before the start: the packets since the last random access point
    bool is_started_ = false;
    ExportOptions::Progress progress_;
    ExportReport report_;
};

} // namespace

Expected<ExportReport>
export_event(EventFolder const& folder, RecordFile const& records, ExportOptions const& options) {
    if (options.from && options.to && *options.from >= *options.to) {
        return Error{"the range to export is empty: --from is not before --to"};
    }
    std::error_code error;
    if (!options.force && std::filesystem::exists(options.output, error)) {
        return Error{concat(
            options.output.string(), " exists: give another name, or --force to replace it"
        )};
    }
    return Export(folder, records, options).run();
}

} // namespace minuteswarm
