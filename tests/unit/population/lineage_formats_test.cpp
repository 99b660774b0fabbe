#include "population/lineage/lineage_schema.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace atl::lineage {
namespace {

const char* type_name(FieldType type) {
    switch (type) {
        case FieldType::u32:
            return "u32";
        case FieldType::u64:
            return "u64";
        case FieldType::i32:
            return "i32";
        case FieldType::i64:
            return "i64";
        case FieldType::f64:
            return "f64";
        case FieldType::boolean:
            return "bool";
        case FieldType::digest:
            return "digest";
        case FieldType::name:
            return "name";
        case FieldType::outcome:
            return "outcome";
        case FieldType::role:
            return "role";
        case FieldType::event:
            return "event";
        case FieldType::state:
            return "state";
        case FieldType::name_kind:
            return "kind";
        case FieldType::same_by:
            return "same_by";
        case FieldType::turned_down_for:
            return "why";
    }
    return "";
}

/// "path" -> {"field type", ...}, from the lineage part of FORMATS.md.
std::map<std::string, std::vector<std::string>> documented() {
    std::ifstream file(std::string(ATOLL_SOURCE_DIR) + "/population/FORMATS.md");
    std::map<std::string, std::vector<std::string>> tables;
    std::string table;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("## ")) {
            inside = line.starts_with("## lineage.h5");
        } else if (inside && line.starts_with("### ")) {
            table = line.substr(4);
            tables[table];
        } else if (inside && line.starts_with("| `")) {
            const auto name_end = line.find('`', 3);
            const auto type = line.find("| ", name_end) + 2;
            tables[table].push_back(line.substr(3, name_end - 3) + " " +
                                    line.substr(type, line.find(' ', type) - type));
        }
    }
    return tables;
}

TEST(LineageFormats, EveryFieldIsDocumentedInOrderWithItsType) {
    const auto tables = documented();
    for (std::size_t i = 0; i < k_table_count; ++i) {
        const TableSpec& spec = table_spec(static_cast<TableId>(i));
        ASSERT_TRUE(tables.contains(spec.path)) << spec.path;
        std::vector<std::string> fields;
        for (const Field& field : spec.fields) {
            fields.push_back(std::string(field.name) + " " + type_name(field.type));
        }
        EXPECT_EQ(tables.at(spec.path), fields) << spec.path;
    }
    for (const char* path : {k_text_bytes_path, k_payload_path, k_samples_path}) {
        EXPECT_TRUE(tables.contains(path)) << path;
    }
    EXPECT_EQ(tables.size(), k_table_count + 3);
}

}  // namespace
}  // namespace atl::lineage
