"""Searching in lists as one types: every word must occur; the letters in their order are enough where no word does."""

from __future__ import annotations

import re
from collections.abc import Sequence


def fold(text: str) -> str:
    """A text as it is searched."""
    return text.casefold()


def find(query: str, folded: Sequence[str], *, loose: bool = True) -> list[int]:
    """Indices of the texts (made by `fold`) that `query` finds, the best first, equals in their order.

    Every word of the query must occur; best is where the text begins with it, then where a word does. Where no text
    holds them all, those whose letters contain the query's in their order (if `loose`). All of them for an empty query.
    """
    words = fold(query).split()
    if not words:
        return list(range(len(folded)))
    ranked: dict[int, list[int]] = {}
    for index, text in enumerate(folded):
        rank = 0
        for word in words:
            at = text.find(word)
            if at < 0:
                break
            rank += 0 if at == 0 else 1 if _begins_word(text, word, at) else 2
        else:
            ranked.setdefault(rank, []).append(index)
    found = [index for rank in sorted(ranked) for index in ranked[rank]]
    return found or (_by_letters("".join(words), folded) if loose else [])


def _begins_word(text: str, word: str, at: int) -> bool:
    """Whether a word of `text` begins with `word`, which is first found `at`."""
    return not text[at - 1].isalnum() or f" {word}" in text


def _by_letters(letters: str, folded: Sequence[str]) -> list[int]:
    if len(letters) < 2:
        return []
    pattern = re.compile(".*?".join(map(re.escape, letters)), re.DOTALL)
    found = [
        (match.end() - match.start(), index) for index, text in enumerate(folded) if (match := pattern.search(text))
    ]
    return [index for _, index in sorted(found)]
