"""Points that push each other apart, with a force that grows steeper."""

import math
import random

SEED = 1  # tune: 1, 2, 3, 4, 5, 6, 7, 8
STEPS = 200  # tune: 100, 200, 400, 800
STEP = 0.05  # tune: 0.02, 0.05, 0.1
POWER = 2  # tune: 1, 2, 3, 4, 6


def points():
    rng = random.Random(SEED)
    placed = [[rng.random(), rng.random()] for _ in range(10)]
    for step in range(STEPS):
        reach = STEP * (1 - step / STEPS)
        power = 1 + POWER * 4 * step / STEPS
        for i, p in enumerate(placed):
            fx = fy = 0.0
            for j, q in enumerate(placed):
                if i != j:
                    dx, dy = p[0] - q[0], p[1] - q[1]
                    d = math.hypot(dx, dy) + 1e-9
                    force = (0.42 / d) ** power
                    fx += force * dx / d
                    fy += force * dy / d
            length = math.hypot(fx, fy) + 1e-12
            p[0] = min(1.0, max(0.0, p[0] + reach * fx / length))
            p[1] = min(1.0, max(0.0, p[1] + reach * fy / length))
    return [tuple(p) for p in placed]
