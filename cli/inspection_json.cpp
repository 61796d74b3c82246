#include "inspection_json.hpp"

#include <nlohmann/json.hpp>

namespace minuteswarm {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(Json const& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

Json damage(Verification::Report const& report) {
    Json damaged = Json::array();
    for (auto const& chunk : report.damaged) {
        damaged.push_back({{"number", chunk.number.value}, {"pieces", chunk.pieces}});
    }
    Json missing = Json::array();
    for (auto const& [rendition, number] : report.missing)
        missing.push_back(number.value);
    return {
        {"complete", report.complete},
        {"bytes", report.complete_bytes},
        {"damaged", damaged},
        {"missing", missing},
        {"expired", report.expired.size()},
        {"parts", report.parts},
        {"foreign", report.foreign},
    };
}

} // namespace

std::string to_json(Inspection const& inspection) {
    Json json = {{"path", inspection.path.string()}, {"whole", inspection.is_whole()}};
    if (inspection.problem) {
        json["problem"] = *inspection.problem;
        return dump(json);
    }
    json["channel"] = inspection.channel.hex();
    json["event"] = inspection.event.value;
    json["title"] = inspection.descriptor ? Json(inspection.descriptor->title) : Json(nullptr);
    json["ended"] = inspection.end.has_value();
    json["feed"] = {
        {"records", inspection.feed.records},
        {"torn", inspection.feed.torn},
        {"damaged", inspection.feed.damaged},
        {"refused", inspection.feed.refused},
    };
    json["chunks"] = damage(inspection.chunks);
    Json renditions = Json::array();
    for (auto const& rendition : inspection.renditions) {
        Json gaps = Json::array();
        for (auto const& [first, last] : rendition.gaps)
            gaps.push_back({first.value, last.value});
        renditions.push_back({
            {"id", rendition.id.value},
            {"records", rendition.records},
            {"first", rendition.first.value},
            {"last", rendition.last.value},
            {"gaps", gaps},
            {"duration", in_seconds(rendition.duration)},
            {"bytes", rendition.bytes},
        });
    }
    json["renditions"] = renditions;
    auto const& torrent = inspection.event_torrent;
    json["event_torrent"] = torrent && torrent->hash ? Json(torrent->hash->hex()) : Json(nullptr);
    return dump(json);
}

std::string to_json(Link const& link) {
    return dump({
        {"channel", link.channel.hex()},
        {"title", link.title},
        {"peers", link.peers},
        {"trackers", link.trackers},
        {"web_seeds", link.web_seeds},
    });
}

} // namespace minuteswarm
