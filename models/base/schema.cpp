// SPDX-License-Identifier: Apache-2.0
#include "models/base/schema.h"

#include <algorithm>

#include "models/base/errors.h"

namespace bitline::base {

namespace {

/// The text of a scalar; a list or section there is a fault.
const std::string& scalar_text(const ConfigNode& node) {
  if (node.kind == ConfigNode::Kind::list) throw ValueError("a list", "one value");
  if (node.kind == ConfigNode::Kind::map) throw ValueError("a section", "one value");
  if (node.text.empty()) throw ValueError("no value", "a value");
  return node.text;
}

/// A field with one value of type T between `min` and `max`.
template <class T>
Field ranged(std::string key, std::string type, Dimension dimension, T& member, T min, T max, std::string doc,
             std::function<T(const std::string&)> parse, std::function<std::string(T)> print) {
  Field field;
  field.key = std::move(key);
  field.dimension = dimension;
  field.type = std::move(type);
  field.allowed = print(min) + " ... " + print(max);
  field.doc = std::move(doc);
  field.get = [&member, print] { return print(member); };
  field.set = [&member, min, max, parse, allowed = field.allowed](const ConfigNode& node) {
    const std::string& text = scalar_text(node);
    const T value = parse(text);
    if (value < min || value > max) throw ValueError("'" + text + "' is out of range", allowed);
    member = value;
  };
  return field;
}

template <class Q>
Field ranged_quantity(std::string key, Dimension dimension, Q& member, Q min, Q max, std::string doc) {
  return ranged<Q>(
      std::move(key), to_string(dimension), dimension, member, min, max, std::move(doc),
      [dimension](const std::string& text) { return Q(parse_quantity(text, dimension)); },
      [dimension](Q value) { return print_quantity(value.value(), dimension); });
}

template <class Integer>
Field ranged_integer(std::string key, Integer& member, Integer min, Integer max, std::string doc) {
  return ranged<Integer>(
      std::move(key), "integer", Dimension::none, member, min, max, std::move(doc),
      [min, max](const std::string& text) {
        // Clamped to one beyond the range, so that narrowing cannot bring a value back into it.
        const std::int64_t value = parse_integer(text);
        const std::int64_t low = static_cast<std::int64_t>(min) - 1;
        const std::int64_t high = static_cast<std::int64_t>(max) + 1;
        return static_cast<Integer>(std::clamp(value, low, high));
      },
      [](Integer value) { return std::to_string(value); });
}

/// The texts of a list, of "1,3,3,3" or of a single value.
std::vector<std::string> list_texts(const ConfigNode& node) {
  std::vector<std::string> texts;
  if (node.kind == ConfigNode::Kind::list) {
    for (const ConfigNode& item : node.items) texts.push_back(scalar_text(item));
    return texts;
  }
  std::string_view rest = scalar_text(node);
  for (;;) {
    const std::size_t comma = rest.find(',');
    std::string_view text = rest.substr(0, comma);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    texts.emplace_back(text);
    if (comma == std::string_view::npos) return texts;
    rest.remove_prefix(comma + 1);
  }
}

std::string list_text(const std::vector<int>& values) {
  std::string text;
  for (const int value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "[" + text + "]";
}

}  // namespace

void Schema::text(std::string key, std::string& member, std::string doc) {
  Field field;
  field.key = std::move(key);
  field.type = "text";
  field.allowed = "any text";
  field.doc = std::move(doc);
  field.get = [&member] { return yaml_scalar(member); };
  field.set = [&member](const ConfigNode& node) { member = scalar_text(node); };
  add(std::move(field));
}

void Schema::flag(std::string key, bool& member, std::string doc) {
  choice<bool>(std::move(key), member, {{"false", false}, {"true", true}}, std::move(doc));
}

void Schema::integer(std::string key, int& member, int min, int max, std::string doc) {
  add(ranged_integer<int>(std::move(key), member, min, max, std::move(doc)));
}

void Schema::integer(std::string key, std::int64_t& member, std::int64_t min, std::int64_t max,
                     std::string doc) {
  add(ranged_integer<std::int64_t>(std::move(key), member, min, max, std::move(doc)));
}

void Schema::real(std::string key, double& member, double min, double max, std::string doc) {
  add(ranged<double>(
      std::move(key), "number", Dimension::none, member, min, max, std::move(doc),
      [](const std::string& text) { return parse_quantity(text, Dimension::none); },
      [](double value) { return print_quantity(value, Dimension::none); }));
}

void Schema::length(std::string key, double& nanometres, double min, double max, std::string doc) {
  add(ranged<double>(
      std::move(key), "length", Dimension::length, nanometres, min, max, std::move(doc),
      [](const std::string& text) { return parse_quantity(text, Dimension::length); },
      [](double value) { return print_quantity(value, Dimension::length); }));
}

void Schema::time(std::string key, Time& member, Time min, Time max, std::string doc) {
  add(ranged<Time>(
      std::move(key), "time", Dimension::time, member, min, max, std::move(doc),
      [](const std::string& text) { return parse_time(text); }, print_time));
}

void Schema::bytes(std::string key, std::int64_t& member, std::int64_t min, std::int64_t max,
                   std::string doc) {
  add(ranged<std::int64_t>(
      std::move(key), "size", Dimension::bytes, member, min, max, std::move(doc),
      [](const std::string& text) { return parse_bytes(text); }, print_bytes));
}

void Schema::frequency(std::string key, Frequency& member, Frequency min, Frequency max, std::string doc) {
  add(ranged_quantity(std::move(key), Dimension::frequency, member, min, max, std::move(doc)));
}

void Schema::byte_rate(std::string key, Frequency& member, Frequency min, Frequency max, std::string doc) {
  add(ranged_quantity(std::move(key), Dimension::byte_rate, member, min, max, std::move(doc)));
}

void Schema::power(std::string key, Power& member, std::string doc) {
  add(ranged_quantity(std::move(key), Dimension::power, member, Power(0.0), Power(1e6), std::move(doc)));
}

void Schema::area(std::string key, Area& member, std::string doc) {
  add(ranged_quantity(std::move(key), Dimension::area, member, Area(0.0), Area(1e6), std::move(doc)));
}

void Schema::voltage(std::string key, Voltage& member, Voltage min, Voltage max, std::string doc) {
  add(ranged_quantity(std::move(key), Dimension::voltage, member, min, max, std::move(doc)));
}

void Schema::resistance(std::string key, Resistance& member, Resistance min, Resistance max,
                        std::string doc) {
  add(ranged_quantity(std::move(key), Dimension::resistance, member, min, max, std::move(doc)));
}

void Schema::integers(std::string key, std::vector<int>& member, int min, int max, bool may_be_empty,
                      std::string doc) {
  Field field;
  field.key = std::move(key);
  field.type = "list of integers";
  field.allowed =
      std::to_string(min) + " ... " + std::to_string(max) + (may_be_empty ? " each, or []" : " each");
  field.doc = std::move(doc);
  field.get = [&member] { return list_text(member); };
  field.set = [&member, min, max, may_be_empty, allowed = field.allowed](const ConfigNode& node) {
    std::vector<int> values;
    for (const std::string& text : list_texts(node)) {
      const std::int64_t value = parse_integer(text);
      if (value < min || value > max) throw ValueError("'" + text + "' is out of range", allowed);
      values.push_back(static_cast<int>(value));
    }
    if (values.empty() && !may_be_empty) throw ValueError("an empty list", allowed);
    member = std::move(values);
  };
  add(std::move(field));
}

void Schema::cost(Cost& cost, const std::string& parts) {
  single_cost(cost, "all " + parts + " together");
  integer("cost_of", cost.parts, 0, std::int64_t{1} << 50,
          "number of " + parts +
              " that power, static_power and area are given for; they scale to the number that the " +
              "machine has. 0: they are for the machine as it is and do not scale");
}

void Schema::memory_cost(Cost& cost) {
  single_cost(cost, "the memory");
  integer("cost_of", cost.parts, 0, std::int64_t{1} << 50,
          "bytes that static_power and area are given for; they scale to the capacity, while `power` goes "
          "with the rate "
          "of accesses. 0: they are for the memory as it is and do not scale");
}

void Schema::single_cost(Cost& cost, const std::string& thing) {
  power("power", cost.power, "dynamic power of " + thing + " at full rate; gives the energy per action");
  power("static_power", cost.static_power, "power of " + thing + " burnt all the time, beside `power`");
  area("area", cost.area, "area of " + thing);
}

void Schema::add(Field field) {
  fields_.push_back(std::move(field));
}

void Schema::add(const std::string& prefix, Schema section) {
  for (Field& field : section.fields_) {
    field.key = prefix + "." + field.key;
    fields_.push_back(std::move(field));
  }
}

void Schema::add_choice(std::string key, std::vector<const char*> names, std::string doc,
                        std::function<std::size_t()> index, std::function<void(std::size_t)> choose) {
  Field field;
  field.key = std::move(key);
  field.type = "choice";
  for (const char* name : names) field.allowed += (field.allowed.empty() ? "" : ", ") + std::string(name);
  field.doc = std::move(doc);
  field.get = [names, index = std::move(index)] { return std::string(names[index()]); };
  field.set = [names, choose = std::move(choose), allowed = field.allowed](const ConfigNode& node) {
    const std::string& text = scalar_text(node);
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end()) throw ValueError("'" + text + "' is not a choice", allowed);
    choose(static_cast<std::size_t>(found - names.begin()));
  };
  add(std::move(field));
}

const Field* Schema::find(std::string_view key) const {
  const auto found =
      std::find_if(fields_.begin(), fields_.end(), [&](const Field& field) { return field.key == key; });
  return found == fields_.end() ? nullptr : &*found;
}

bool Schema::is_section(std::string_view key) const {
  const std::string prefix = std::string(key) + ".";
  return std::any_of(fields_.begin(), fields_.end(),
                     [&](const Field& field) { return field.key.starts_with(prefix); });
}

}  // namespace bitline::base
