"""The programs that the policy can write: the first starter of the task transpose with loop order,
tile and unrolling told in up to four words.

    along-cols r16 c64 u4     the inner loop runs along a column of x; tiles of 16 x 64; 4 lines at a time

What is not said stays as the starter has it; of what is said twice the last word counts. 96 programs
can be told; their mean is less than half as fast as the fastest.
"""

import itertools

CHOICES = {
    "READ_ALONG_ROWS": {"along-rows": 1, "along-cols": 0},
    "TILE_ROWS": {f"r{size}": size for size in (4, 16, 64, 256)},
    "TILE_COLS": {f"c{size}": size for size in (4, 16, 64, 256)},
    "TILE_UNROLL": {f"u{lines}": lines for lines in (1, 4, 16)},
}
WORDS = [word for words in CHOICES.values() for word in words]
LENGTH = len(CHOICES)


def reply_of(text, starter):
    """What the server is sent for what the policy said: its program in a fence; words that tell none
    as they are, which the server judges like any reply without code."""
    words = text.split()
    if not words or any(word not in WORDS for word in words):
        return text
    told = {macro: values[word] for word in words for macro, values in CHOICES.items()
            if word in values}
    defines = "".join(f"#define {macro} {value}\n" for macro, value in sorted(told.items()))
    return f"```cpp\n{defines}{starter}```\n"


def all_programs():
    return [" ".join(words) for words in itertools.product(*CHOICES.values())]
