#pragma once

#include "base/bytes.hpp"
#include "base/expected.hpp"
#include "base/statements.hpp"
#include "input/libav.hpp"

#include <optional>
#include <string>

namespace minuteswarm {

/// The container for streams with these parameters, either of which may be null; the error names
/// the codec that fits none and what to do. A `required` container is taken if they fit it.
Expected<Container> container_for(
    AVCodecParameters const* video,
    AVCodecParameters const* audio,
    std::optional<Container> required
);

/// The part of a packet that changes only when decoders must start anew: sequence parameter sets,
/// audio frame header fields. Empty when the packet carries none.
Bytes parameter_bytes(AVCodecID codec, ByteView packet);

/// RFC 6381 name, such as avc1.64001f; empty when unknown. `parameters`: what `parameter_bytes`
/// gave.
std::string codec_name(AVCodecParameters const& stream, ByteView parameters);

/// "h264 1280x720 30 fps" or "aac 48 kHz stereo", for a status line.
std::string describe(AVCodecParameters const& stream, AVRational frame_rate);

/// Whether bytes begin with an Annex B start code (H.264 and HEVC as TS and raw files have it).
bool is_annex_b(ByteView bytes);

/// Length of the ADTS header that frames exactly these bytes; 0 when there is none.
std::size_t adts_header_size(ByteView packet);

} // namespace minuteswarm
