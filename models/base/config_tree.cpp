// SPDX-License-Identifier: Apache-2.0
#include "models/base/config_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <boost/locale/utf.hpp>
#include <cctype>
#include <sstream>
#include <unordered_map>

namespace bitline::base {

namespace {

constexpr std::size_t kDeepest = 16;
constexpr std::size_t kMostProblems = 50;

/// Ends a parse whose faults are already in the list.
struct StopParsing {};

/// Builds the tree from the parser's events. Works on events rather than YAML::Node so that aliases cannot
/// expand, duplicate keys are seen and deep nesting is refused before it costs memory.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string name, std::vector<Problem>& problems)
      : name_(std::move(name)), problems_(problems) {}

  [[nodiscard]] ConfigNode take_root() { return std::move(root_); }
  [[nodiscard]] bool has_root() const { return has_root_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fault(where(mark), "an alias", "plain values without anchors and aliases");
    scalar(mark, "");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    scalar(mark, "");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    scalar(mark, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, ConfigNode::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, ConfigNode::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  /// An unfinished list or map, and for a map the key whose value comes next.
  struct Open {
    ConfigNode node;
    ConfigNode::Member pending;
    bool has_key = false;
    std::unordered_map<std::string, std::size_t> index;  ///< of a map's members, by key
  };

  [[nodiscard]] std::string where(const YAML::Mark& mark) const {
    return name_ + ":" + std::to_string(mark.line + 1);
  }

  void fault(std::string at, std::string given, std::string allowed) {
    problems_.push_back({std::move(at), std::move(given), std::move(allowed), ""});
    if (problems_.size() >= kMostProblems) throw StopParsing{};
  }
  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor)
      fault(where(mark), "an anchor", "plain values without anchors and aliases");
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    fault(where(mark), "the tag '" + tag + "'", "plain values without tags");
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, ConfigNode::Kind kind) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (stack_.size() >= kDeepest) {
      fault(where(mark), "nested too deeply", "at most " + std::to_string(kDeepest) + " levels");
      throw StopParsing{};
    }
    if (expects_key()) fault(where(mark), "a list or map as a key", "a name");
    Open& level = stack_.emplace_back();
    level.node.kind = kind;
    level.node.where = where(mark);
  }

  void close() {
    ConfigNode node = std::move(stack_.back().node);
    stack_.pop_back();
    place(std::move(node));
  }

  [[nodiscard]] bool expects_key() const {
    return !stack_.empty() && stack_.back().node.kind == ConfigNode::Kind::map && !stack_.back().has_key;
  }

  void scalar(const YAML::Mark& mark, const std::string& value) {
    if (expects_key()) {
      stack_.back().pending = {value, where(mark), {}};
      stack_.back().has_key = true;
      return;
    }
    ConfigNode node;
    node.text = value;
    node.where = where(mark);
    place(std::move(node));
  }

  /// A finished node goes into the level above.
  void place(ConfigNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      has_root_ = true;
      return;
    }
    Open& level = stack_.back();
    if (level.node.kind == ConfigNode::Kind::list) {
      level.node.items.push_back(std::move(node));
      return;
    }
    if (!level.has_key) {  // a list or map stood where a key belongs (reported): its value follows
      level.pending = {"", node.where, {}};
      level.has_key = true;
      return;
    }
    level.has_key = false;
    auto& members = level.node.members;
    const auto [same, is_new] = level.index.emplace(level.pending.key, members.size());
    if (!is_new) {
      fault(level.pending.where, "key '" + level.pending.key + "' given twice",
            "once (first at " + members[same->second].where + ")");
      return;
    }
    level.pending.node = std::move(node);
    members.push_back(std::move(level.pending));
  }

  std::string name_;
  std::vector<Problem>& problems_;
  std::vector<Open> stack_;
  ConfigNode root_;
  bool has_root_ = false;
};

/// Finds bytes that do not belong in a text file; yaml-cpp would replace or choke on some of them.
bool is_text(std::string_view text, const std::string& name, std::vector<Problem>& problems) {
  namespace utf = boost::locale::utf;
  std::size_t line = 1;
  for (const char* at = text.data(); at != text.data() + text.size();) {
    const auto byte = static_cast<unsigned char>(*at);
    const utf::code_point c = utf::utf_traits<char>::decode(at, text.data() + text.size());
    if (c == '\n') ++line;
    const bool broken = !utf::is_valid_codepoint(c);
    const bool control = (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f;
    if (!broken && !control) continue;
    const std::string kind = broken ? "bytes that are not UTF-8 (from byte " : "a control character (byte ";
    problems.push_back({name + ":" + std::to_string(line), kind + std::to_string(byte) + ")",
                        "YAML text in UTF-8", "is this a binary file?"});
    return false;
  }
  return true;
}

}  // namespace

ConfigNode parse_yaml(std::string_view text, const std::string& name, std::vector<Problem>& problems) {
  ConfigNode empty;
  empty.kind = ConfigNode::Kind::map;
  empty.where = name + ":1";
  if (!is_text(text, name, problems)) return empty;
  TreeBuilder builder(name, problems);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder) || !builder.has_root()) return empty;
    ConfigNode root = builder.take_root();
    TreeBuilder rest(name, problems);
    if (parser.HandleNextDocument(rest)) {
      problems.push_back({name, "more than one YAML document", "one document", "remove what follows '---'"});
    }
    return root;
  } catch (const StopParsing&) {
    return empty;
  } catch (const YAML::Exception& error) {
    const std::string line = error.mark.is_null() ? "" : ":" + std::to_string(error.mark.line + 1);
    problems.push_back({name + line, "is not valid YAML (" + error.msg + ")", "", ""});
    return empty;
  }
}

std::string yaml_scalar(std::string_view text) {
  const std::string_view safe_punctuation = " ._/()+%-";
  const auto is_safe = [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           safe_punctuation.find(c) != std::string_view::npos;
  };
  const bool null = text == "null" || text == "Null" || text == "NULL";
  const bool plain = !null && !text.empty() && std::isalnum(static_cast<unsigned char>(text.front())) != 0 &&
                     text.back() != ' ' && std::all_of(text.begin(), text.end(), is_safe);
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace bitline::base
