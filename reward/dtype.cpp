#include "reward/task.hpp"

#include <array>

namespace atl {

namespace {

struct DTypeRow {
    DType dtype;
    const char* schema_name;
    const char* c_type;
    std::size_t bytes;
};

// In the order of the enumerators. bfloat16 and float8 travel as their bits: g++ 12 has no such
// types.
constexpr std::array<DTypeRow, 10> k_rows = {{
    {DType::f64, "float64", "double", 8},
    {DType::f32, "float32", "float", 4},
    {DType::f16, "float16", "_Float16", 2},
    {DType::bf16, "bfloat16", "unsigned short", 2},
    {DType::i64, "int64", "long long", 8},
    {DType::i32, "int32", "int", 4},
    {DType::i16, "int16", "short", 2},
    {DType::i8, "int8", "signed char", 1},
    {DType::u8, "uint8", "unsigned char", 1},
    {DType::f8e4m3, "float8_e4m3fn", "unsigned char", 1},
}};

const DTypeRow& row(DType dtype) {
    return k_rows[static_cast<std::size_t>(dtype)];
}

}  // namespace

const char* to_string(DType dtype) {
    return row(dtype).schema_name;
}

const char* c_type(DType dtype) {
    return row(dtype).c_type;
}

std::size_t size_of(DType dtype) {
    return row(dtype).bytes;
}

std::optional<DType> dtype_from(const std::string& schema_name) {
    for (const DTypeRow& candidate : k_rows) {
        if (schema_name == candidate.schema_name) {
            return candidate.dtype;
        }
    }
    return std::nullopt;
}

}  // namespace atl
