"""Did you mean: the known words nearest to one that is not known."""

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

WORD_LIMIT = 64
_LEAST_ALIKE = 0.65
_LEAST_PREFIX = 0.85


def nearest(word: str, known: Iterable[str], *, limit: int = 3) -> list[str]:
    """Return the known words that `word` may stand for, the likeliest first.

    Shape:  at most `limit`, each once; none when nothing is alike. A slip of the
            fingers (a letter too many, too few, wrong or swapped) or a start of the
            word makes two words alike. Longer words than any name match nothing.
    """
    if not word or len(word) > WORD_LIMIT:
        return []
    asked = word.casefold()
    choices = list(dict.fromkeys(known))
    scores: dict[str, float] = {}
    for scorer, least in (
        (OSA.normalized_similarity, _LEAST_ALIKE),
        (JaroWinkler.normalized_similarity, _LEAST_PREFIX),
    ):
        found = process.extract(
            asked, choices, scorer=scorer, score_cutoff=least, limit=None
        )
        for choice, score, _ in found:
            scores[choice] = scores.get(choice, 0.0) + score
    return sorted(scores, key=lambda each: (-scores[each], each))[:limit]
