"""Seeds as people write them: ``0,1,2``, or ``3`` for three of them."""

from __future__ import annotations

from vitui.errors import UsageError

MOST = 100
"""Runs one launch may queue."""
LAST = 2**31 - 1


def parse_seeds(text: str, first: int = 0) -> tuple[int, ...]:
    """``0,1,2`` as they stand, ``3`` as three seeds from `first` on, ``7,`` as seed 7 alone; empty for no text.

    Raises UsageError with one sentence.
    """
    words = [word.strip() for word in text.split(",")]
    if words == [""]:
        return ()
    listed = len(words) > 1
    if listed and words[-1] == "":
        words.pop()
    bad = next((word for word in words if not (word.isascii() and word.isdigit() and len(word) < 11)), None)
    if bad is not None:
        raise UsageError(f'seeds = "{text}": "{bad}" is no whole number from 0; write 0,1,2, or 3 for three')
    numbers = [int(word) for word in words]
    if not listed:
        numbers = list(range(first, first + min(numbers[0], MOST + 1)))
    if not numbers:
        raise UsageError(f'seeds = "{text}" is no run at all; write for example 0,1,2, or 3 for three')
    if len(numbers) > MOST:
        raise UsageError(f'seeds = "{text}": one launch queues at most {MOST} runs; launch the others after them')
    if max(numbers) > LAST:
        raise UsageError(f'seeds = "{text}": {max(numbers)} is above {LAST}, the largest seed')
    if len(set(numbers)) < len(numbers):
        twice = next(number for number in numbers if numbers.count(number) > 1)
        raise UsageError(f'seeds = "{text}": {twice} is there twice; the second run would be the first once more')
    return tuple(numbers)
