"""Who becomes a parent, by the peers' own code and by ours, on the same populations."""

import importlib.metadata
import importlib.util
import json
import os
import random
import sqlite3
import subprocess
import types
import unittest
from unittest import mock

import numpy

# Best first, as our archives are: fitness and number of children.
POPULATIONS = [
    [(3.0, 0), (2.5, 2), (1.1, 0), (1.0, 5), (0.4, 1)],
    [(1.0, 0)],
    [(2.0, 1), (2.0, 0), (2.0, 3)],
    [(100.0, 4), (1.03, 0), (1.02, 0), (1.01, 9), (1.0, 0), (0.2, 0), (0.1, 0)],
]


def ours(keys, population):
    asked = {"keys": keys, "entries": [{"fitness": f, "children": c} for f, c in population]}
    done = subprocess.run([os.environ["ATOLL_SELECTION"]], input=json.dumps(asked), text=True,
                          capture_output=True, check=True)
    return json.loads(done.stdout)


def shinka_parents():
    """shinka/database/parents.py alone: the package around it wants model clients."""
    path = next(f.locate() for f in importlib.metadata.files("shinka-evolve")
                if str(f) == "shinka/database/parents.py")
    spec = importlib.util.spec_from_file_location("shinka_parents", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Shinka(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.parents = shinka_parents()

    def probabilities(self, strategy, population, **config):
        """What its strategy hands to numpy to draw by."""
        connection = sqlite3.connect(":memory:")
        connection.row_factory = sqlite3.Row
        cursor = connection.cursor()
        columns = ["id", "combined_score", "children_count", "correct", "island_idx", "generation"]
        empty = ["public_metrics", "private_metrics", "metadata", "archive_inspiration_ids",
                 "top_k_inspiration_ids", "embedding", "embedding_pca_2d", "embedding_pca_3d",
                 "migration_history"]
        cursor.execute(f"CREATE TABLE programs ({', '.join(columns + empty)})")
        cursor.execute("CREATE TABLE archive (program_id)")
        for i, (fitness, children) in enumerate(population):
            cursor.execute(f"INSERT INTO programs ({', '.join(columns)}) VALUES (?, ?, ?, 1, 0, 1)",
                           (str(i), fitness, children))
            cursor.execute("INSERT INTO archive VALUES (?)", (str(i),))

        def program(name):
            row = cursor.connection.execute("SELECT * FROM programs WHERE id = ?", (name,)).fetchone()
            return types.SimpleNamespace(**dict(row))

        drawn = []

        def choice(items, p=None):
            drawn.append(list(p))
            return items[0] if isinstance(items, list) else 0

        with mock.patch.object(numpy.random, "choice", choice):
            strategy(cursor, connection, types.SimpleNamespace(**config), program, "0", 0).sample_parent()
        return drawn[-1]

    def test_weighted_parents_have_the_same_probabilities(self):
        for population in POPULATIONS:
            theirs = self.probabilities(self.parents.WeightedSamplingStrategy, population,
                                        parent_selection_lambda=10.0)
            numpy.testing.assert_allclose(
                ours(["selector.name=weighted", "selector.lambda=10"], population), theirs,
                rtol=1e-6, atol=1e-9)

    def test_power_law_parents_have_the_same_probabilities(self):
        for population in POPULATIONS:
            for alpha in (0.0, 1.0, 2.5):
                drawn = []
                with mock.patch.object(numpy.random, "choice", lambda n, p: drawn.append(list(p)) or 0):
                    self.parents.sample_with_powerlaw(list(population), alpha)
                numpy.testing.assert_allclose(
                    ours(["selector.name=power_law", f"selector.alpha={alpha}"], population), drawn[0],
                    rtol=1e-6)


class OpenEvolve(unittest.TestCase):
    DRAWS = 20000

    def database(self, population, **ratios):
        from openevolve.config import DatabaseConfig
        from openevolve.database import Program, ProgramDatabase
        database = ProgramDatabase(DatabaseConfig(num_islands=1, random_seed=1, log_prompts=False,
                                                  feature_dimensions=["complexity"], **ratios))
        for i, (fitness, _) in enumerate(population):
            # Lengths far apart, so that each has a cell of its own.
            database.add(Program(id=str(i), code="x" * (100 + 300 * i),
                                 metrics={"combined_score": fitness}), iteration=i)
        return database

    def frequencies(self, database, population):
        random.seed(7)
        count = [0] * len(population)
        for _ in range(self.DRAWS):
            count[int(database._sample_parent().id)] += 1
        return [c / self.DRAWS for c in count]

    def test_exploration_draws_as_our_uniform_selector_does(self):
        for population in POPULATIONS:
            database = self.database(population, exploration_ratio=1.0, exploitation_ratio=0.0)
            alive = sorted(int(i) for i in database.islands[0])
            expected = ours(["selector.name=uniform"], [population[i] for i in alive])
            seen = self.frequencies(database, population)
            for i, p in zip(alive, expected):
                # Five standard deviations of a frequency.
                self.assertAlmostEqual(seen[i], p, delta=5 * (p * (1 - p) / self.DRAWS) ** 0.5 + 1e-9)

    def distance(self, population, **config):
        """Total variation between its default mixture and the recipe's selector."""
        seen = self.frequencies(self.database(population, **config), population)
        expected = ours(["selector.name=uniform"], population)
        return sum(abs(a - b) for a, b in zip(seen, expected)) / 2

    def test_its_default_mixture_is_uniform_while_its_archive_holds_everybody(self):
        self.assertLess(self.distance(POPULATIONS[3]), 0.02)

    def test_what_the_recipe_approximates_is_told(self):
        distance = self.distance(POPULATIONS[3], archive_size=2)
        print(f"\nopenevolve: with an archive of 2 of 7, total variation to the recipe: {distance:.3f}")
        self.assertGreater(distance, 0.2)


if __name__ == "__main__":
    unittest.main()
