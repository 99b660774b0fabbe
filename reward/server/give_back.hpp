#pragma once

#include <utility>

namespace atl {

/// Empties it, and gives its memory back: `text = {}` keeps a text's for what may come.
template <class T>
void give_back(T& value) {
    const T gone = std::move(value);
    value = T();
}

}  // namespace atl
