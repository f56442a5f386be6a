// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "tools/bitline/help_result.h"

namespace bitline::cli {
namespace {

using Json = nlohmann::ordered_json;

class Keys {
 public:
  explicit Keys(const Json& schema) : root_(schema) {}

  void add(const std::string& path, const Json& given) {
    const Json& schema = resolved(given);
    const auto described = given.contains("description") ? given : schema;
    if (!path.empty()) keys.push_back({path, type_of(given), described.value("description", std::string())});
    if (schema.contains("properties"))
      for (const auto& [name, member] : schema["properties"].items())
        add(path.empty() ? name : path + "." + name, member);
    if (schema.contains("items")) members(path + "[]", schema["items"]);
  }

  std::vector<ResultKey> keys;

 private:
  /// Below a list: its items' keys, without a line of their own.
  void members(const std::string& path, const Json& given) {
    const Json& schema = resolved(given);
    if (!schema.contains("properties")) return;
    for (const auto& [name, member] : schema["properties"].items()) add(path + "." + name, member);
  }

  [[nodiscard]] const Json& resolved(const Json& schema) const {
    if (!schema.contains("$ref")) return schema;
    return root_[Json::json_pointer(schema["$ref"].get<std::string>().substr(1))];
  }

  [[nodiscard]] static std::string literal(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  }

  [[nodiscard]] std::string type_of(const Json& given) const {
    const Json& schema = resolved(given);
    if (schema.contains("const")) return literal(schema["const"]);
    std::string text;
    const auto append = [&](const std::string& type) {
      text += (text.empty() ? "" : " or ") + (type == "array" ? "list" : type == "string" ? "text" : type);
    };
    for (const char* alternatives : {"anyOf", "oneOf"})
      if (schema.contains(alternatives))
        for (const Json& alternative : schema[alternatives]) append(type_of(alternative));
    if (schema.contains("enum"))
      for (const Json& choice : schema["enum"]) append(literal(choice));
    if (!schema.contains("type")) return text;
    if (schema["type"].is_string())
      append(schema["type"].get<std::string>());
    else
      for (const Json& type : schema["type"]) append(type.get<std::string>());
    return text;
  }

  const Json& root_;
};

}  // namespace

std::vector<ResultKey> result_keys() {
  const Json schema = Json::parse(result_schema());
  Keys keys(schema);
  keys.add("", schema);
  return std::move(keys.keys);
}

}  // namespace bitline::cli
