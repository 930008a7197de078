"""Chooses the inputs of a corpus: `choose.py LIST DIRECTORY`, where the list is what libFuzzer's
`-merge_control_file` says, and the directory gets the copies."""

import heapq
import re
import shutil
import sys
from pathlib import Path

INPUTS_MAX = 250
BYTES_MAX = 100_000
# What a file may cost beside its bytes. Which is best depends on whether there is too little room for files or for bytes.
FILE_BYTES = (0, 200, 1_000, 10_000)


def read(path):
    """Returns the inputs, each with the numbers of the branches that it takes."""
    lines = Path(path).read_text().splitlines()
    count = int(lines[0])
    names = [Path(line) for line in lines[2 : 2 + count]]
    taken = {name: frozenset() for name in names}
    for line in lines[2 + count :]:
        kind, number, *numbers = line.split()
        if kind == "FT":
            taken[names[int(number)]] = frozenset(map(int, numbers))
    return taken


def is_named(path):
    """Tells whether people named an input: machines number it, or call it by its hash."""
    return not re.fullmatch(r"found-[0-9]+|[0-9a-f]{40}", path.name)


def choose(taken, file_bytes):
    """Returns the inputs with names, and those with the most new branches for their cost while there is room; and how
    many branches they take."""
    chosen = sorted(path for path in taken if is_named(path))
    seen = set().union(*(taken[path] for path in chosen))
    size = sum(path.stat().st_size for path in chosen)

    def rank(path):
        return -len(taken[path] - seen) / (path.stat().st_size + file_bytes + 1)

    queue = [(rank(path), path) for path in taken if path not in chosen]
    heapq.heapify(queue)
    while queue and len(chosen) < INPUTS_MAX:
        _, path = heapq.heappop(queue)
        now = rank(path)
        if now == 0:
            continue
        # Others may have taken some of its branches since it was ranked.
        if queue and (now, path) > queue[0]:
            heapq.heappush(queue, (now, path))
            continue
        if size + path.stat().st_size > BYTES_MAX:
            continue
        chosen.append(path)
        seen |= taken[path]
        size += path.stat().st_size
    return len(seen), chosen


def main():
    listed, directory = sys.argv[1:]
    taken = read(listed)
    branches, chosen = max((choose(taken, cost) for cost in FILE_BYTES), key=lambda choice: choice[0])
    print(f"{branches} of {len(set().union(*taken.values()))} branches have room")
    number = 0
    for path in chosen:
        name = path.name
        if not is_named(path):
            name = f"found-{number:03}"
            number += 1
        shutil.copy(path, Path(directory) / name)


main()
