// SPDX-License-Identifier: Apache-2.0
#include "sim/cycle/activity_trace.h"

#include <protozero/pbf_writer.hpp>

#include "models/base/errors.h"

namespace bitline::cycle {

namespace {

using protozero::pbf_writer;

/// Numbers of the fields that are written: protos/perfetto/trace of Perfetto (trace.proto,
/// trace_packet.proto, track_descriptor.proto, track_event.proto).
namespace field {
constexpr protozero::pbf_tag_type kTracePacket = 1;
constexpr protozero::pbf_tag_type kTimestamp = 8;
constexpr protozero::pbf_tag_type kSequenceId = 10;
constexpr protozero::pbf_tag_type kTrackEvent = 11;
constexpr protozero::pbf_tag_type kTrackDescriptor = 60;
constexpr protozero::pbf_tag_type kUuid = 1;
constexpr protozero::pbf_tag_type kName = 2;
constexpr protozero::pbf_tag_type kParentUuid = 5;
constexpr protozero::pbf_tag_type kEventType = 9;
constexpr protozero::pbf_tag_type kEventTrack = 11;
constexpr protozero::pbf_tag_type kEventName = 23;
}  // namespace field
enum EventType : std::int32_t { slice_begin = 1, slice_end = 2 };

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::int64_t kFsPerTick = 1000;

}  // namespace

ActivityTrace::ActivityTrace(const TraceOptions& options)
    : options_(options), file_(options.file, std::ios::binary | std::ios::trunc) {
  if (!file_)
    throw base::UsageError({"--trace " + options.file, "cannot be written", "", "choose another place"});
  pbf_writer root(message_);
  root.add_uint64(field::kUuid, kRoot);
  root.add_string(field::kName, "chip (1 ns here is 1 ps)");
  pbf_writer(packet_).add_message(field::kTrackDescriptor, message_);
  add_packet(packet_);
}

ActivityTrace::Track ActivityTrace::add_track(std::string_view name, Track parent) {
  message_.clear();
  packet_.clear();
  pbf_writer track(message_);
  track.add_uint64(field::kUuid, ++last_track_);
  track.add_string(field::kName, name.data(), name.size());
  track.add_uint64(field::kParentUuid, parent);
  pbf_writer(packet_).add_message(field::kTrackDescriptor, message_);
  add_packet(packet_);
  return last_track_;
}

void ActivityTrace::add_slice(Track track, std::string_view name, base::Time start, base::Time end) {
  add_event(track, name, start, true);
  add_event(track, {}, end, false);
}

void ActivityTrace::add_event(Track track, std::string_view name, base::Time time, bool begin) {
  message_.clear();
  packet_.clear();
  pbf_writer event(message_);
  event.add_enum(field::kEventType, begin ? slice_begin : slice_end);
  event.add_uint64(field::kEventTrack, track);
  if (begin) event.add_string(field::kEventName, name.data(), name.size());
  pbf_writer packet(packet_);
  packet.add_uint64(field::kTimestamp, static_cast<std::uint64_t>(time.fs() / kFsPerTick));
  packet.add_uint32(field::kSequenceId, 1);
  packet.add_message(field::kTrackEvent, message_);
  add_packet(packet_);
}

void ActivityTrace::add_packet(const std::string& packet) {
  pbf_writer(buffer_).add_message(field::kTracePacket, packet);
  if (buffer_.size() >= kBufferBytes) flush();
}

void ActivityTrace::flush() {
  file_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  buffer_.clear();
}

void ActivityTrace::finish() {
  flush();
  file_.close();
  if (!file_)
    throw base::UsageError({"--trace " + options_.file, "cannot be written to its end", "",
                            "make room, or give a smaller --trace-window"});
}

}  // namespace bitline::cycle
