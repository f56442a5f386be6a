// SPDX-License-Identifier: Apache-2.0
// Setting the members of a schema from a parsed file and from overrides, and finding the key that was meant.
#include <algorithm>
#include <set>

#include "models/base/edit_distance.h"
#include "models/base/errors.h"
#include "models/base/schema.h"

namespace bitline::base {

namespace {

std::string parent_of(std::string_view key) {
  const std::size_t dot = key.rfind('.');
  return std::string(dot == std::string_view::npos ? "" : key.substr(0, dot));
}

std::string_view last_of(std::string_view key) {
  return key.substr(key.rfind('.') + 1);
}

/// Every key and every section.
std::set<std::string> known_paths(const Schema& schema) {
  std::set<std::string> paths;
  for (const Field& field : schema.fields()) {
    for (std::string path = field.key; !path.empty(); path = parent_of(path)) paths.insert(path);
  }
  return paths;
}

/// The candidate with the smallest distance(candidate, limit) of at most `limit`; empty if there is none.
template <class Distance>
std::string closest(const std::set<std::string>& candidates, std::size_t limit, Distance distance) {
  std::string best;
  std::size_t best_distance = limit + 1;
  for (const std::string& candidate : candidates) {
    if (best_distance == 0) break;
    const std::size_t d = distance(candidate, best_distance - 1);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

/// Applies one file or one set of overrides.
class Applier {
 public:
  Applier(const Schema& schema, std::vector<Problem>& problems) : schema_(schema), problems_(problems) {}

  void section(const ConfigNode& node, const std::string& prefix, std::string source) {
    for (const ConfigNode::Member& member : node.members) {
      if (member.key == "source")
        source = source_text(member, prefix.empty() ? "source" : prefix + ".source");
    }
    for (const ConfigNode::Member& member : node.members) {
      if (member.key == "source") continue;
      const std::string key = prefix.empty() ? member.key : prefix + "." + member.key;
      if (const Field* field = schema_.find(key)) {
        leaf(*field, member, source);
      } else if (schema_.is_section(key)) {
        subsection(member, key, source);
      } else {
        unknown(member.where, key);
      }
    }
  }

  void set(const Field& field, const ConfigNode& value, const std::string& where, const std::string& source) {
    try {
      field.set(value);
      assigned_.push_back({field.key, where, source});
    } catch (const ValueError& error) {
      problems_.push_back({where + ": " + field.key, error.what(), error.allowed(), ""});
    }
  }

  void unknown(const std::string& where, const std::string& key) {
    // A search through all keys: for the first of a file that has nothing but unknown ones.
    constexpr int kMostSearches = 50;
    const std::string nearest = ++searches_ <= kMostSearches ? schema_.nearest(key) : "";
    problems_.push_back(
        {where + ": " + key, "unknown key", "",
         nearest.empty() ? "see configs/REFERENCE.md for all keys" : "did you mean '" + nearest + "'?"});
  }

  [[nodiscard]] std::vector<Assignment> take() { return std::move(assigned_); }

 private:
  std::string source_text(const ConfigNode::Member& member, const std::string& key) {
    if (member.node.kind == ConfigNode::Kind::scalar && !member.node.text.empty()) return member.node.text;
    problems_.push_back({member.where + ": " + key, "a source that is not text",
                         "text that says where values come from", ""});
    return "";
  }

  void subsection(const ConfigNode::Member& member, const std::string& key, const std::string& source) {
    if (member.node.kind == ConfigNode::Kind::map) {
      section(member.node, key, source);
      return;
    }
    const bool empty = member.node.kind == ConfigNode::Kind::scalar && member.node.text.empty();
    problems_.push_back({member.where + ": " + key,
                         empty ? "an empty section" : "a value where a section belongs",
                         "keys of this section, indented below it", ""});
  }

  void leaf(const Field& field, const ConfigNode::Member& member, std::string source) {
    if (member.node.kind != ConfigNode::Kind::map) {
      set(field, member.node, member.where, source);
      return;
    }
    const ConfigNode* value = nullptr;
    for (const ConfigNode::Member& inner : member.node.members) {
      if (inner.key == "value") {
        value = &inner.node;
      } else if (inner.key == "source") {
        source = source_text(inner, field.key + ".source");
      } else {
        problems_.push_back({inner.where + ": " + field.key, "unknown key '" + inner.key + "' in a value",
                             "value, source", ""});
      }
    }
    if (value == nullptr) {
      problems_.push_back(
          {member.where + ": " + field.key, "no `value` in it", "a value, or {value: ..., source: ...}", ""});
      return;
    }
    set(field, *value, member.where, source);
  }

  const Schema& schema_;
  std::vector<Problem>& problems_;
  std::vector<Assignment> assigned_;
  int searches_ = 0;
};

}  // namespace

std::string Schema::nearest(std::string_view unknown) const {
  const std::set<std::string> paths = known_paths(*this);
  constexpr std::size_t kFar = 1000;
  constexpr std::size_t kLongest = 100;  // nobody mistypes that much
  if (unknown.size() > kLongest) return "";
  const std::string parent = parent_of(unknown);
  const std::string_view last = last_of(unknown);
  const std::size_t limit = std::max<std::size_t>(2, last.size() / 3);
  std::string found =
      closest(paths, std::min(limit, last.size() - std::min<std::size_t>(1, last.size())),
              [&](const std::string& path, std::size_t most) {
                return parent_of(path) == parent ? edit_distance(last, last_of(path), most) : kFar;
              });
  if (!found.empty()) return found;
  found = closest(paths, limit, [&](const std::string& path, std::size_t most) {
    return edit_distance(unknown, path, most);
  });
  if (!found.empty()) return found;
  // The right word in the wrong section.
  return closest(paths, kFar - 1, [&](const std::string& path, std::size_t most) {
    return last_of(path) == last ? edit_distance(unknown, path, most) : kFar;
  });
}

std::vector<Assignment> apply_tree(const Schema& schema, const ConfigNode& root,
                                   std::vector<Problem>& problems) {
  if (root.kind != ConfigNode::Kind::map) {
    problems.push_back({root.where, "not a list of keys and values", "key: value lines", ""});
    return {};
  }
  Applier applier(schema, problems);
  applier.section(root, "", "");
  return applier.take();
}

std::vector<Assignment> apply_overrides(const Schema& schema, const std::vector<std::string>& overrides,
                                        std::vector<Problem>& problems) {
  Applier applier(schema, problems);
  std::set<std::string> seen;
  for (const std::string& text : overrides) {
    const std::string where = "--set " + text;
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      problems.push_back({where, "no key and value", "key.path=value", ""});
      continue;
    }
    const std::string key = text.substr(0, equals);
    const Field* field = schema.find(key);
    if (field == nullptr) {
      if (schema.is_section(key)) {
        problems.push_back({where, "'" + key + "' is a section", "one of its keys", ""});
      } else {
        applier.unknown("--set", key);
      }
      continue;
    }
    if (!seen.insert(key).second) {
      problems.push_back({where, "'" + key + "' is set twice", "once", ""});
      continue;
    }
    ConfigNode value;
    value.text = text.substr(equals + 1);
    value.where = where;
    if (value.text.starts_with('[')) {
      const std::size_t before = problems.size();
      value = parse_yaml(value.text, where, problems);
      if (problems.size() > before) continue;
    }
    applier.set(*field, value, "--set", "--set");
  }
  return applier.take();
}

}  // namespace bitline::base
