"""Points in staggered rows."""

ROWS = 3  # tune: 2, 3, 4, 5
FIRST = 4  # tune: 1, 2, 3, 4
SHIFT = 0.0  # tune: 0.0, 0.1, 0.2, 0.3, 0.5


def points():
    # Rows of FIRST and FIRST - 1 points in turn until ten are placed; the last row takes the rest.
    counts = []
    left = 10
    for row in range(ROWS):
        count = left if row == ROWS - 1 else min(left, max(1, FIRST - row % 2))
        counts.append(count)
        left -= count
    placed = []
    for row, count in enumerate(counts):
        y = row / (ROWS - 1)
        for i in range(count):
            x = (i + 0.5) / count if count == 1 or row % 2 else i / (count - 1)
            placed.append((min(1.0, x + SHIFT * (row % 2) / 10), y))
    return placed
