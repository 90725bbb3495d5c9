"""The data sets' words for emotions, and the four classes that comparisons across sets use."""

from __future__ import annotations

import re

from ..records import Valence

#: As in the Micro-Expression Grand Challenge 2019 (See et al., IEEE FG 2019): repression counts as
#: negative there. What it leaves out (others, tense, confused) is `other`.
_VALENCE: dict[str, Valence] = {
    **dict.fromkeys(("positive", "happiness", "happy", "joy", "pos", "po"), "positive"),
    **dict.fromkeys(
        ("negative", "disgust", "disgusted", "repression", "repressed", "sadness", "sad", "fear",
         "fearful", "anger", "angry", "contempt", "neg", "ne"),
        "negative",
    ),
    **dict.fromkeys(("surprise", "surprised", "sur", "su"), "surprise"),
    **dict.fromkeys(
        ("other", "others", "tense", "tension", "confusion", "confused", "helpless", "pain"),
        "other",
    ),
}  # fmt: skip


def valence_of(emotion: str | None) -> tuple[Valence | None, str | None]:
    """Return the class of an emotion's name, and a note where it is unknown or has several."""
    if not emotion:
        return None, None
    words = [word for word in re.split(r"[^\w]+", emotion.lower()) if word not in ("", "and")]
    classes = {_VALENCE[word] for word in words if word in _VALENCE}
    if len(classes) == 1 and all(word in _VALENCE for word in words):
        return classes.pop(), None
    if len(classes) > 1:
        return None, f"the emotion {emotion!r} is of several classes"
    return None, f"the emotion {emotion!r} is not known; it has no class"
