// SPDX-License-Identifier: Apache-2.0
// How libFuzzer changes an ONNX file: three times of four by its fields (a number, a name, a node more or
// less), so that most files still parse and reach the operators; else by its bytes.
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "mapper/onnx/operators.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Random = std::minstd_rand;

std::size_t below(Random& random, std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}
bool once_in(Random& random, std::size_t n) {
  return below(random, n) == 0;
}

/// A field of a message somewhere in the model.
struct Place {
  Message* message;
  const FieldDescriptor* field;
};

/// All fields that are set, and those that could be.
void collect(Message& message, std::vector<Place>& set, std::vector<Place>& unset) {
  const Reflection& access = *message.GetReflection();
  for (int f = 0; f < message.GetDescriptor()->field_count(); ++f) {
    const FieldDescriptor* field = message.GetDescriptor()->field(f);
    const int count = field->is_repeated() ? access.FieldSize(message, field) : 0;
    const bool there = field->is_repeated() ? count > 0 : access.HasField(message, field);
    (there ? set : unset).push_back({&message, field});
    if (!there || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) collect(*access.MutableMessage(&message, field), set, unset);
    for (int i = 0; i < count; ++i) collect(*access.MutableRepeatedMessage(&message, field, i), set, unset);
  }
}

std::int64_t number(Random& random, std::int64_t old) {
  static constexpr std::int64_t kEdges[] = {0,         1,         2,   3,   4,         8,         13,
                                            17,        64,        255, 256, 65536,     INT32_MAX, INT32_MIN,
                                            INT64_MAX, INT64_MIN, -1,  -2,  1LL << 31, 1LL << 40, 1LL << 62};
  switch (below(random, 4)) {
    case 0:
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(old) + 1);
    case 1:
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(old) - 1);
    case 2:
      return static_cast<std::int64_t>(below(random, 8));
    default:
      return kEdges[below(random, std::size(kEdges))];
  }
}

double real(Random& random) {
  static constexpr double kEdges[] = {0,
                                      1,
                                      -1,
                                      0.5,
                                      1e-30,
                                      1e30,
                                      -1e30,
                                      std::numeric_limits<double>::infinity(),
                                      std::numeric_limits<double>::quiet_NaN(),
                                      3e38,
                                      2,
                                      16};
  return kEdges[below(random, std::size(kEdges))];
}

/// Another name of the model, so that nodes read other values; an operator; or changed bytes.
std::string text(Random& random, const std::string& old, const std::vector<std::string>& names) {
  if (!names.empty() && !once_in(random, 3)) return names[below(random, names.size())];
  if (once_in(random, 2)) {
    const auto operators = bitline::onnx::operator_names();
    return std::string(operators[below(random, operators.size())]);
  }
  std::string changed = old;
  changed.resize(old.size() + 8);
  changed.resize(
      LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(changed.data()), old.size(), changed.size()));
  return changed;
}

class ModelMutator {
 public:
  ModelMutator(Message& model, Random& random) : model_(model), random_(random) {
    collect(model_, set_, unset_);
    for (const Place& place : set_) note_names(place);
  }

  void mutate() {
    const std::vector<Place>& from = !unset_.empty() && once_in(random_, 8) ? unset_ : set_;
    if (from.empty()) return;
    const Place place = from[below(random_, from.size())];
    if (place.field->is_repeated())
      change_list(place);
    else
      change_one(place, -1);
  }

 private:
  void note_names(const Place& place) {
    if (place.field->type() != FieldDescriptor::TYPE_STRING) return;
    const Reflection& access = *place.message->GetReflection();
    if (!place.field->is_repeated()) return names_.push_back(access.GetString(*place.message, place.field));
    for (int i = 0; i < access.FieldSize(*place.message, place.field); ++i)
      names_.push_back(access.GetRepeatedString(*place.message, place.field, i));
  }

  void change_list(const Place& place) {
    const Reflection& access = *place.message->GetReflection();
    const int count = access.FieldSize(*place.message, place.field);
    if (count == 0 || once_in(random_, 4)) return append(place);
    const int i = static_cast<int>(below(random_, static_cast<std::size_t>(count)));
    const int last = count - 1;
    switch (below(random_, 4)) {
      case 0:
        access.SwapElements(place.message, place.field, i, last);
        return access.RemoveLast(place.message, place.field);
      case 1:
        return access.SwapElements(place.message, place.field, i, last);
      default:
        return change_one(place, i);
    }
  }

  void append(const Place& place) {
    const Reflection& access = *place.message->GetReflection();
    switch (place.field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        const std::string bytes = copy_of(place.field);
        access.AddMessage(place.message, place.field)->ParsePartialFromString(bytes);
        return;
      }
      case FieldDescriptor::CPPTYPE_STRING:
        return access.AddString(place.message, place.field, text(random_, "", names_));
      case FieldDescriptor::CPPTYPE_INT64:
        return access.AddInt64(place.message, place.field, number(random_, 0));
      case FieldDescriptor::CPPTYPE_INT32:
        return access.AddInt32(place.message, place.field, static_cast<std::int32_t>(number(random_, 0)));
      case FieldDescriptor::CPPTYPE_FLOAT:
        return access.AddFloat(place.message, place.field, static_cast<float>(real(random_)));
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return access.AddDouble(place.message, place.field, real(random_));
      default:
        return;
    }
  }

  /// The bytes of some message of that kind (by its bytes: it may contain, or be destroyed by setting, the
  /// one that becomes like it).
  std::string copy_of(const FieldDescriptor* field) {
    std::vector<const Message*> same;
    for (const Place& place : set_)
      if (place.message->GetDescriptor() == field->message_type()) same.push_back(place.message);
    return same.empty() ? "" : same[below(random_, same.size())]->SerializePartialAsString();
  }

  /// Element `i` of a list, or (-1) the only value.
  void change_one(const Place& place, int i) {
    Message* message = place.message;
    const FieldDescriptor* field = place.field;
    const Reflection& access = *message->GetReflection();
    if (i < 0 && access.HasField(*message, field) && once_in(random_, 10))
      return access.ClearField(message, field);
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        const std::string bytes = copy_of(field);
        Message* target =
            i < 0 ? access.MutableMessage(message, field) : access.MutableRepeatedMessage(message, field, i);
        target->ParsePartialFromString(bytes);
        return;
      }
      case FieldDescriptor::CPPTYPE_STRING:
        return change_text(place, i);
      case FieldDescriptor::CPPTYPE_INT64:
        return i < 0 ? access.SetInt64(message, field, number(random_, access.GetInt64(*message, field)))
                     : access.SetRepeatedInt64(message, field, i,
                                               number(random_, access.GetRepeatedInt64(*message, field, i)));
      case FieldDescriptor::CPPTYPE_INT32: {
        const auto value = static_cast<std::int32_t>(number(random_, 1));
        return i < 0 ? access.SetInt32(message, field, value)
                     : access.SetRepeatedInt32(message, field, i, value);
      }
      case FieldDescriptor::CPPTYPE_FLOAT: {
        const auto value = static_cast<float>(real(random_));
        return i < 0 ? access.SetFloat(message, field, value)
                     : access.SetRepeatedFloat(message, field, i, value);
      }
      case FieldDescriptor::CPPTYPE_ENUM:
        if (i < 0) access.SetEnumValue(message, field, static_cast<int>(below(random_, 24)));
        return;
      default:
        return;
    }
  }

  void change_text(const Place& place, int i) {
    const Reflection& access = *place.message->GetReflection();
    static const std::vector<std::string> kNoNames;
    const bool bytes = place.field->type() == FieldDescriptor::TYPE_BYTES;
    const std::string old = i < 0 ? access.GetString(*place.message, place.field)
                                  : access.GetRepeatedString(*place.message, place.field, i);
    std::string changed = text(random_, old, bytes ? kNoNames : names_);
    if (i < 0)
      access.SetString(place.message, place.field, std::move(changed));
    else
      access.SetRepeatedString(place.message, place.field, i, std::move(changed));
  }

  Message& model_;
  Random& random_;
  std::vector<Place> set_, unset_;
  std::vector<std::string> names_;
};

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  Random random(seed);
  const google::protobuf::LogSilencer quiet;
  onnx::ModelProto model;
  if (once_in(random, 4) || !model.ParsePartialFromArray(data, static_cast<int>(size)))
    return LLVMFuzzerMutate(data, size, max_size);
  for (std::size_t i = 0, changes = 1 + below(random, 3); i < changes; ++i)
    ModelMutator(model, random).mutate();
  std::string bytes;
  if (!model.SerializePartialToString(&bytes) || bytes.size() > max_size || bytes.empty())
    return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}
