#include "tools/atoll/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <optional>
#include <sstream>

namespace atl {

namespace {

std::size_t size_of(const YamlTree& tree) {
    std::size_t size = 1;
    for (const YamlTree& item : tree.items) {
        size += size_of(item);
    }
    for (const auto& [key, value] : tree.fields) {
        size += size_of(value);
    }
    return size;
}

/// Thrown through yaml-cpp, which has no other way to be stopped.
struct Refused {
    std::size_t line = 0;
    std::string what;
};

/// Builds a tree from yaml-cpp's events: its own nodes share what an alias repeats, so that a small
/// file could stand for an endless one.
class Builder final : public YAML::EventHandler {
  public:
    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        begin(mark, anchor, YamlTree::Kind::none);
        end();
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        begin(mark, anchor, YamlTree::Kind::scalar);
        m_open.back().tree.scalar = value;
        m_open.back().tree.quoted = tag == "!";
        end();
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        begin(mark, anchor, YamlTree::Kind::list);
    }
    void OnSequenceEnd() override { end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        begin(mark, anchor, YamlTree::Kind::map);
    }
    void OnMapEnd() override { end(); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto known = m_anchors.find(anchor);
        if (known == m_anchors.end()) {
            throw Refused{line_of(mark), "an alias of what is not complete yet"};
        }
        count(size_of(known->second), line_of(mark));
        begin(mark, 0, known->second.kind);
        m_open.back().tree = known->second;
        end();
    }

    [[nodiscard]] YamlTree take() { return std::move(m_root); }

  private:
    struct Open {
        YamlTree tree;
        YAML::anchor_t anchor = 0;
        std::optional<std::string> key;  ///< of a map: the one whose value comes next
    };

    static std::size_t line_of(const YAML::Mark& mark) {
        return static_cast<std::size_t>(mark.line) + 1;
    }

    void count(std::size_t values, std::size_t line) {
        m_values += values;
        if (m_values > k_max_yaml_values) {
            throw Refused{line, "more than " + std::to_string(k_max_yaml_values) + " values"};
        }
    }

    void begin(const YAML::Mark& mark, YAML::anchor_t anchor, YamlTree::Kind kind) {
        count(1, line_of(mark));
        if (m_open.size() == k_max_yaml_depth) {
            throw Refused{line_of(mark), "nested deeper than " + std::to_string(k_max_yaml_depth)};
        }
        Open open;
        open.tree.kind = kind;
        open.tree.line = line_of(mark);
        open.anchor = anchor;
        m_open.push_back(std::move(open));
    }

    void end() {
        Open done = std::move(m_open.back());
        m_open.pop_back();
        if (done.anchor != 0) {
            m_anchors[done.anchor] = done.tree;
        }
        if (m_open.empty()) {
            m_root = std::move(done.tree);
        } else if (m_open.back().tree.kind == YamlTree::Kind::list) {
            m_open.back().tree.items.push_back(std::move(done.tree));
        } else {
            add_to_map(m_open.back(), std::move(done.tree));
        }
    }

    static void add_to_map(Open& map, YamlTree value) {
        if (map.key) {
            map.tree.fields.emplace_back(*std::move(map.key), std::move(value));
            map.key.reset();
            return;
        }
        if (value.kind != YamlTree::Kind::scalar) {
            throw Refused{value.line,
                          std::string("a key must be a plain value, not ") + value.words()};
        }
        if (map.tree.find(value.scalar) != nullptr) {
            throw Refused{value.line, "the key '" + value.scalar.substr(0, 80) + "' comes twice"};
        }
        map.key = std::move(value.scalar);
    }

    YamlTree m_root;
    std::vector<Open> m_open;
    std::map<YAML::anchor_t, YamlTree> m_anchors;
    std::size_t m_values = 0;
};

tl::unexpected<Error> refused(const std::string& file_name, std::size_t line,
                              const std::string& what) {
    return failure(ErrorCode::invalid_argument, what, file_name + ":" + std::to_string(line));
}

}  // namespace

const YamlTree* YamlTree::find(const std::string& key) const {
    for (const auto& [name, value] : fields) {
        if (name == key) {
            return &value;
        }
    }
    return nullptr;
}

const char* YamlTree::words() const {
    switch (kind) {
        case Kind::map:
            return "a map";
        case Kind::list:
            return "a list";
        case Kind::scalar:
            return "a value";
        default:
            return "nothing";
    }
}

Expected<YamlTree> read_yaml(const std::string& text, const std::string& file_name) {
    if (text.size() > k_max_yaml_bytes) {
        return failure(ErrorCode::limit,
                       "longer than " + std::to_string(k_max_yaml_bytes) + " bytes", file_name);
    }
    try {
        std::istringstream in(text);
        YAML::Parser parser(in);
        Builder builder;
        if (!parser.HandleNextDocument(builder)) {
            return YamlTree{};
        }
        Builder second;
        if (parser.HandleNextDocument(second)) {
            return failure(ErrorCode::invalid_argument, "has more than one document", file_name);
        }
        return builder.take();
    } catch (const Refused& reason) {
        return refused(file_name, reason.line, reason.what);
    } catch (const YAML::Exception& error) {
        return refused(file_name, static_cast<std::size_t>(error.mark.line) + 1,
                       "not valid YAML: " + error.msg);
    }
}

}  // namespace atl
