#include "archive/record_file.hpp"

#include "base/text.hpp"
#include "feed/statement_codec.hpp"

#include <algorithm>
#include <utility>

namespace minuteswarm {

namespace {

bool is_before(ChunkNumber a, ChunkNumber b) {
    return a < b;
}

template <class T>
T const* pointer(std::optional<T> const& value) {
    return value ? &*value : nullptr;
}

} // namespace

Expected<RecordFile> RecordFile::open(EventFolder const& folder, Access access) {
    auto const is_write = access == Access::write;
    auto file = is_write ? File::open_or_create(folder.feed())
                         : File::open(folder.feed(), File::Access::read);
    if (!file) return file.error();
    RecordFile records(folder, std::move(*file));
    auto const scan = records.scan();
    if (!scan) return scan.error();
    if (!is_write) return records;
    if (scan->torn > 0) {
        if (auto cut = records.file_.truncate(scan->end); !cut) return cut.error();
        if (auto synced = records.file_.sync(); !synced) return synced.error();
    }
    if (auto synced = sync_folder(folder.path()); !synced) return synced.error();
    return records;
}

Expected<FrameScan> RecordFile::scan() {
    auto const from = end_offset_;
    auto const scan =
        scan_frames(file_, from, [this](Statement const& statement, FramePlace const& place) {
            auto candidate = judge(statement);
            if (candidate.verdict == Verdict::forged) return false;
            if (candidate.verdict == Verdict::refused) ++findings_.refused;
            if (candidate.verdict == Verdict::fresh) enter(std::move(candidate), place);
            return true;
        });
    if (!scan) return scan;
    end_offset_ = scan->end;
    findings_.torn = scan->torn;
    findings_.damaged += scan->damaged;
    return scan;
}

Completion RecordFile::refresh() {
    auto const scanned = scan();
    if (!scanned) return scanned.error();
    return std::monostate{};
}

Completion RecordFile::append(std::span<Statement const> statements) {
    Bytes frames;
    std::vector<std::pair<Candidate, FramePlace>> entered;
    for (auto const& statement : statements) {
        auto candidate = judge(statement);
        if (candidate.verdict == Verdict::known) continue;
        if (candidate.verdict == Verdict::forged)
            return Error{"a statement without the channel's signature"};
        if (candidate.verdict == Verdict::refused) {
            return Error{"a statement that contradicts what the archive's feed states already"};
        }
        auto const begin = frames.size();
        append_frame(frames, statement);
        entered.emplace_back(
            std::move(candidate), FramePlace{end_offset_ + begin, frames.size() - begin}
        );
    }
    if (frames.empty()) return std::monostate{};
    // A failed attempt leaves bytes behind end_offset_; the next one writes over them.
    if (auto written = file_.write_at(end_offset_, frames); !written) return written;
    if (auto synced = file_.sync(); !synced) return synced;
    end_offset_ += frames.size();
    for (auto& [candidate, place] : entered)
        enter(std::move(candidate), place);
    return std::monostate{};
}

RecordFile::Candidate RecordFile::judge(Statement const& statement) const {
    switch (statement.kind) {
    case StatementKind::record:
        return judge_record(statement);
    case StatementKind::descriptor:
        return judge_descriptor(statement);
    case StatementKind::end:
        return judge_end(statement);
    }
    return {};
}

RecordFile::Candidate RecordFile::judge_record(Statement const& statement) const {
    Candidate candidate;
    auto record = open_record(statement.wire, channel_);
    if (!record) return candidate;
    candidate.verdict = record->value.event == event_ ? Verdict::fresh : Verdict::refused;
    auto const* entry = find(record->value.rendition, record->value.number);
    if (candidate.verdict == Verdict::fresh && entry != nullptr) {
        auto const known = read_statement(*entry);
        candidate.verdict = known && *known == statement ? Verdict::known : Verdict::refused;
    }
    candidate.record = std::move(*record);
    return candidate;
}

RecordFile::Candidate RecordFile::judge_descriptor(Statement const& statement) const {
    Candidate candidate;
    auto descriptor = open_descriptor(statement.wire, channel_);
    if (!descriptor) return candidate;
    candidate.verdict = descriptor->value.event == event_ ? Verdict::fresh : Verdict::refused;
    if (candidate.verdict == Verdict::fresh && descriptor_ &&
        descriptor->value.revision <= descriptor_->value.revision) {
        candidate.verdict = Verdict::known;
    }
    candidate.descriptor = std::move(*descriptor);
    return candidate;
}

RecordFile::Candidate RecordFile::judge_end(Statement const& statement) const {
    Candidate candidate;
    auto end = open_end(statement.wire, channel_);
    if (!end) return candidate;
    candidate.verdict = end->value.event == event_ ? Verdict::fresh : Verdict::refused;
    if (candidate.verdict == Verdict::fresh && end_) {
        candidate.verdict = end_->wire == statement.wire ? Verdict::known : Verdict::refused;
    }
    candidate.end = std::move(*end);
    return candidate;
}

void RecordFile::enter(Candidate candidate, FramePlace const& place) {
    if (candidate.descriptor) descriptor_ = std::move(candidate.descriptor);
    if (candidate.end) end_ = std::move(candidate.end);
    if (!candidate.record) return;
    auto& entries = records_[candidate.record->value.rendition];
    auto const number = candidate.record->value.number;
    auto const position = std::ranges::lower_bound(entries, number, is_before, &Entry::number);
    // A batch may name the same record twice; the first stands.
    if (position != entries.end() && position->number == number) return;
    entries.insert(position, {number, place.offset, static_cast<std::uint32_t>(place.size)});
}

Signed<Descriptor> const* RecordFile::descriptor() const {
    return pointer(descriptor_);
}

Signed<EndRecord> const* RecordFile::end() const {
    return pointer(end_);
}

std::vector<RenditionId> RecordFile::renditions() const {
    std::vector<RenditionId> result;
    for (auto const& [rendition, entries] : records_)
        result.push_back(rendition);
    return result;
}

std::vector<ChunkNumber> RecordFile::numbers(RenditionId rendition) const {
    std::vector<ChunkNumber> result;
    auto const found = records_.find(rendition);
    if (found == records_.end()) return result;
    result.reserve(found->second.size());
    for (auto const& entry : found->second)
        result.push_back(entry.number);
    return result;
}

std::size_t RecordFile::count(RenditionId rendition) const {
    auto const found = records_.find(rendition);
    return found == records_.end() ? 0 : found->second.size();
}

std::optional<ChunkNumber> RecordFile::newest(RenditionId rendition) const {
    auto const found = records_.find(rendition);
    if (found == records_.end()) return std::nullopt;
    return found->second.back().number;
}

bool RecordFile::has(RenditionId rendition, ChunkNumber number) const {
    return find(rendition, number) != nullptr;
}

RecordFile::Entry const* RecordFile::find(RenditionId rendition, ChunkNumber number) const {
    auto const found = records_.find(rendition);
    if (found == records_.end()) return nullptr;
    auto const& entries = found->second;
    auto const position = std::ranges::lower_bound(entries, number, is_before, &Entry::number);
    return position != entries.end() && position->number == number ? &*position : nullptr;
}

std::optional<Statement> RecordFile::read_statement(Entry const& entry) const {
    Bytes bytes(entry.size);
    auto const got = file_.read_at(entry.offset, bytes);
    if (!got || *got != bytes.size()) return std::nullopt;
    auto frames = read_frames(bytes, 1);
    if (!frames || frames->statements.empty()) return std::nullopt;
    return std::move(frames->statements.front());
}

Expected<Signed<Record>> RecordFile::read(RenditionId rendition, ChunkNumber number) const {
    auto const* entry = find(rendition, number);
    if (entry == nullptr) return Error{concat("the feed has no record of chunk ", number.value)};
    auto const statement = read_statement(*entry);
    if (!statement) return Error{concat("cannot read the record of chunk ", number.value)};
    return open_record(statement->wire, channel_);
}

std::vector<Statement> RecordFile::read_range(
    RenditionId rendition, ChunkNumber first, std::size_t most, std::size_t bytes
) const {
    std::vector<Statement> result;
    std::size_t total = 0;
    for (auto number = first; result.size() < most; ++number) {
        auto const* entry = find(rendition, number);
        if (entry == nullptr) break;
        auto statement = read_statement(*entry);
        if (!statement || total + statement->wire.size() > bytes) break;
        total += statement->wire.size();
        result.push_back(std::move(*statement));
    }
    return result;
}

} // namespace minuteswarm
