#pragma once

#include <list>
#include <map>
#include <utility>

namespace atl {

/// Lines whose heads take turns: whoever has just been served goes behind the others. A line is
/// there while something waits in it, so this takes no more memory than what waits. `Line` has
/// empty() and pop(); a Turns is such a line itself. Not thread-safe.
template <class Key, class Line>
class Turns {
  public:
    [[nodiscard]] bool empty() const { return m_places.empty(); }

    /// Something is to be put into the line at once: one that is new is behind all others.
    [[nodiscard]] Line& open(const Key& key) {
        const auto [place, is_new] = m_places.try_emplace(key);
        if (is_new) {
            place->second.turn = m_turns.insert(m_turns.end(), key);
        }
        return place->second.line;
    }
    /// nullptr when nothing waits there.
    [[nodiscard]] Line* find(const Key& key) {
        const auto place = m_places.find(key);
        return place == m_places.end() ? nullptr : &place->second.line;
    }
    /// After something was taken out of the line: gone when it is empty.
    void close_if_empty(const Key& key) {
        const auto place = m_places.find(key);
        if (place != m_places.end() && place->second.line.empty()) {
            m_turns.erase(place->second.turn);
            m_places.erase(place);
        }
    }
    /// REQUIRES that it is not empty.
    auto pop() {
        const auto place = m_places.find(m_turns.front());
        auto item = place->second.line.pop();
        if (place->second.line.empty()) {
            m_turns.pop_front();
            m_places.erase(place);
        } else {
            m_turns.splice(m_turns.end(), m_turns, m_turns.begin());
        }
        return item;
    }

  private:
    struct Place {
        Line line;
        typename std::list<Key>::iterator turn;
    };
    std::map<Key, Place> m_places;
    std::list<Key> m_turns;  // whose turn it is, first
};

}  // namespace atl
