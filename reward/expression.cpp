#include "reward/expression.hpp"

#include "reward/base/settings.hpp"

#include <bit>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

namespace atl {

namespace {

/// Arithmetic of evaluate_integer_expression: nullopt where the result does not exist.
struct IntegerArithmetic {
    using Value = std::int64_t;
    using Result = std::optional<Value>;

    static Result parse(std::string_view digits) {
        Value value = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        const bool whole = error == std::errc{} && end == digits.data() + digits.size();
        return whole ? Result(value) : std::nullopt;
    }
    static Result add(Value a, Value b) {
        Value c = 0;
        return __builtin_add_overflow(a, b, &c) ? std::nullopt : Result(c);
    }
    static Result subtract(Value a, Value b) {
        Value c = 0;
        return __builtin_sub_overflow(a, b, &c) ? std::nullopt : Result(c);
    }
    static Result multiply(Value a, Value b) {
        Value c = 0;
        return __builtin_mul_overflow(a, b, &c) ? std::nullopt : Result(c);
    }
    static bool undefined(Value a, Value b) {
        return b == 0 || (a == std::numeric_limits<Value>::min() && b == -1);
    }
    static Result floor_divide(Value a, Value b) {
        if (undefined(a, b)) {
            return std::nullopt;
        }
        const Value quotient = a / b;
        return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
    }
    static Result divide(Value a, Value b) { return floor_divide(a, b); }
    static Result modulo(Value a, Value b) {
        if (undefined(a, b)) {
            return std::nullopt;
        }
        const Value rest = a % b;
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    static Result ceil_div(Value a, Value b) {
        if (undefined(a, b)) {
            return std::nullopt;
        }
        const Value quotient = a / b;
        return a % b != 0 && (a < 0) == (b < 0) ? quotient + 1 : quotient;
    }
    static Result log2(Value a) {
        if (a <= 0) {
            return std::nullopt;
        }
        return static_cast<Value>(std::bit_width(static_cast<std::uint64_t>(a))) - 1;
    }
};

/// Arithmetic of evaluate_expression.
struct RealArithmetic {
    using Value = double;
    using Result = std::optional<Value>;

    static Result finite(double value) {
        return std::isfinite(value) ? Result(value) : std::nullopt;
    }
    static Result parse(std::string_view digits) {
        double value = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        const bool whole = error == std::errc{} && end == digits.data() + digits.size();
        return whole ? finite(value) : std::nullopt;
    }
    static Result add(Value a, Value b) { return finite(a + b); }
    static Result subtract(Value a, Value b) { return finite(a - b); }
    static Result multiply(Value a, Value b) { return finite(a * b); }
    static Result divide(Value a, Value b) { return finite(a / b); }
    static Result floor_divide(Value a, Value b) { return finite(std::floor(a / b)); }
    static Result modulo(Value a, Value b) { return finite(a - b * std::floor(a / b)); }
    static Result ceil_div(Value a, Value b) { return finite(std::ceil(a / b)); }
    static Result log2(Value a) { return a > 0 ? finite(std::log2(a)) : std::nullopt; }
};

/// Recursive descent; stops at the first error, whose column it keeps.
template <class Arithmetic>
class Parser {
  public:
    using Value = typename Arithmetic::Value;

    /// `axes` null: names stand for 1 and are only collected, and arithmetic cannot fail.
    Parser(const std::string& text, const std::map<std::string, std::int64_t>* axes)
        : m_text(text), m_axes(axes) {}

    Expected<Value> run() {
        if (m_text.size() > k_max_expression_bytes) {
            return failure(ErrorCode::limit,
                           "expression of " + std::to_string(m_text.size()) + " characters", {},
                           "at most " + std::to_string(k_max_expression_bytes) + " are allowed");
        }
        const Value value = sum();
        skip_space();
        if (!m_error && m_at < m_text.size()) {
            fail("unexpected '" + std::string(1, m_text[m_at]) + "'");
        }
        if (m_error) {
            return tl::unexpected<Error>(*m_error);
        }
        return value;
    }

    [[nodiscard]] const std::set<std::string>& names() const { return m_names; }

  private:
    void fail(const std::string& what, const std::string& hint = {}) {
        if (!m_error) {
            m_error = Error{
                ErrorCode::invalid_argument, what,
                "expression \"" + m_text.substr(0, 80) + "\", column " + std::to_string(m_at + 1),
                hint};
        }
    }

    Value checked(typename Arithmetic::Result result, const char* operation) {
        if (!result && m_axes != nullptr) {
            fail(std::string(operation) + " overflows or has no value here");
        }
        return result.value_or(Value{1});
    }

    void skip_space() {
        while (m_at < m_text.size() && (m_text[m_at] == ' ' || m_text[m_at] == '\t')) {
            ++m_at;
        }
    }

    bool take(std::string_view token) {
        skip_space();
        if (m_error || m_text.compare(m_at, token.size(), token) != 0) {
            return false;
        }
        m_at += token.size();
        return true;
    }

    Value sum() {
        Value value = product();
        while (!m_error) {
            if (take("+")) {
                value = checked(Arithmetic::add(value, product()), "+");
            } else if (take("-")) {
                value = checked(Arithmetic::subtract(value, product()), "-");
            } else {
                break;
            }
        }
        return value;
    }

    Value product() {
        Value value = factor();
        while (!m_error) {
            if (take("*")) {
                value = checked(Arithmetic::multiply(value, factor()), "*");
            } else if (take("//")) {
                value = checked(Arithmetic::floor_divide(value, factor()), "//");
            } else if (take("/")) {
                value = checked(Arithmetic::divide(value, factor()), "/");
            } else if (take("%")) {
                value = checked(Arithmetic::modulo(value, factor()), "%");
            } else {
                break;
            }
        }
        return value;
    }

    Value factor() {
        if (++m_depth > k_max_expression_depth) {
            fail("nested deeper than " + std::to_string(k_max_expression_depth) + " levels");
            return Value{1};
        }
        const Value value = primary();
        --m_depth;
        return value;
    }

    Value primary() {
        if (take("-")) {
            return checked(Arithmetic::subtract(Value{0}, factor()), "-");
        }
        if (take("(")) {
            const Value value = sum();
            if (!take(")")) {
                fail("')' expected");
            }
            return value;
        }
        skip_space();
        const char c = m_at < m_text.size() ? m_text[m_at] : '\0';
        if (is_digit(c) || c == '.') {
            return number();
        }
        if (is_letter(c)) {
            return name();
        }
        fail(c == '\0' ? "a number or a name is missing at the end"
                       : "unexpected '" + std::string(1, c) + "'");
        return Value{1};
    }

    Value number() {
        const std::size_t begin = m_at;
        const auto more = [&](char c) {
            const bool exponent_sign = (c == '+' || c == '-') && m_at > begin &&
                                       (m_text[m_at - 1] == 'e' || m_text[m_at - 1] == 'E');
            return is_digit(c) || is_letter(c) || c == '.' || exponent_sign;
        };
        while (m_at < m_text.size() && more(m_text[m_at])) {
            ++m_at;
        }
        const std::string digits = m_text.substr(begin, m_at - begin);
        const auto value = Arithmetic::parse(digits);
        if (!value) {
            m_at = begin;
            fail("'" + digits + "' is not a number that can be used here");
        }
        return value.value_or(Value{1});
    }

    Value name() {
        const std::size_t begin = m_at;
        while (m_at < m_text.size() && (is_letter(m_text[m_at]) || is_digit(m_text[m_at]))) {
            ++m_at;
        }
        const std::string word = m_text.substr(begin, m_at - begin);
        if (take("(")) {
            return call(word);
        }
        m_names.insert(word);
        if (m_axes == nullptr) {
            return Value{1};
        }
        const auto axis = m_axes->find(word);
        if (axis == m_axes->end()) {
            m_at = begin;
            fail("unknown name '" + word + "'", known_names(word));
            return Value{1};
        }
        return static_cast<Value>(axis->second);
    }

    Value call(const std::string& function) {
        std::vector<Value> arguments;
        do {
            arguments.push_back(sum());
        } while (!m_error && take(","));
        if (!take(")")) {
            fail("',' or ')' expected");
            return Value{1};
        }
        return apply(function, arguments);
    }

    Value apply(const std::string& function, const std::vector<Value>& arguments) {
        if (function == "min" || function == "max") {
            Value best = arguments.front();
            for (const Value value : arguments) {
                best = function == "min" ? std::min(best, value) : std::max(best, value);
            }
            return best;
        }
        if (function == "ceil_div" && arguments.size() == 2) {
            return checked(Arithmetic::ceil_div(arguments[0], arguments[1]), "ceil_div");
        }
        if (function == "log2" && arguments.size() == 1) {
            return checked(Arithmetic::log2(arguments[0]), "log2");
        }
        fail("no function " + function + " with " + std::to_string(arguments.size()) +
                 " argument(s)",
             "known: min(a, b), max(a, b), ceil_div(a, b), log2(a)");
        return Value{1};
    }

    std::string known_names(const std::string& word) const {
        std::vector<std::string> known;
        for (const auto& [axis, value] : *m_axes) {
            known.push_back(axis);
        }
        const std::string nearest = nearest_word(word, known);
        if (!nearest.empty()) {
            return "did you mean '" + nearest + "'?";
        }
        std::string text = "axes:";
        for (const std::string& axis : known) {
            text += " " + axis;
        }
        return text;
    }

    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    static bool is_letter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    }

    const std::string& m_text;
    const std::map<std::string, std::int64_t>* m_axes;
    std::size_t m_at = 0;
    int m_depth = 0;
    std::optional<Error> m_error;
    std::set<std::string> m_names;
};

}  // namespace

Expected<double> evaluate_expression(const std::string& expression,
                                     const std::map<std::string, std::int64_t>& axes) {
    return Parser<RealArithmetic>(expression, &axes).run();
}

Expected<std::int64_t> evaluate_integer_expression(
    const std::string& expression, const std::map<std::string, std::int64_t>& axes) {
    return Parser<IntegerArithmetic>(expression, &axes).run();
}

Expected<std::set<std::string>> expression_names(const std::string& expression) {
    Parser<RealArithmetic> parser(expression, nullptr);
    ATOLL_TRY(parser.run());
    return parser.names();
}

}  // namespace atl
