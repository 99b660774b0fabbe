"""The programs that the policy can write: a tiled matrix product, told in up to four words.

    ikj i32 j128 k32        the order of the loops inside of a tile, and the tile's sizes

What is not said is `jki` and 8; of what is said twice the last word counts. 162 programs can be told;
their speeds differ by far more than what the server measures of one of them from time to time.
"""

import itertools

ORDERS = ["ijk", "ikj", "jik", "jki", "kij", "kji"]
TILES = ["8", "32", "128"]
WORDS = ORDERS + [loop + size for loop in "ijk" for size in TILES]
LENGTH = 4

SOURCE = """\
static long smaller(long x, long y) {{ return x < y ? x : y; }}

extern "C" void launch(const float* a, const float* b, float* c, int m, int n, int depth) {{
    for (long at = 0; at < (long)m * n; ++at) c[at] = 0;
    for (long i0 = 0; i0 < m; i0 += {tile_m})
        for (long k0 = 0; k0 < depth; k0 += {tile_k})
            for (long j0 = 0; j0 < n; j0 += {tile_n}) {{
                const long i1 = smaller(m, i0 + {tile_m});
                const long k1 = smaller(depth, k0 + {tile_k});
                const long j1 = smaller(n, j0 + {tile_n});
                for (long {0} = {0}0; {0} < {0}1; ++{0})
                    for (long {1} = {1}0; {1} < {1}1; ++{1})
                        for (long {2} = {2}0; {2} < {2}1; ++{2})
                            c[i * n + j] += a[i * depth + k] * b[k * n + j];
            }}
}}
"""


def reply_of(text):
    """What the server is sent for what the policy said: its program in a fence; words that tell none
    as they are, which the server judges like any reply without code."""
    words = text.split()
    if not words or any(word not in WORDS for word in words):
        return text
    told = {"order": "jki", "i": "8", "j": "8", "k": "8"}
    for word in words:
        if word in ORDERS:
            told["order"] = word
        else:
            told[word[0]] = word[1:]
    source = SOURCE.format(*told["order"], tile_m=told["i"], tile_n=told["j"], tile_k=told["k"])
    return f"```cpp\n{source}```\n"


def all_programs():
    return [f"{order} i{i} j{j} k{k}" for order, i, j, k in
            itertools.product(ORDERS, TILES, TILES, TILES)]
