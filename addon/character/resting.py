"""Where shape keys rest: expressions at zero, what shapes the character itself where it stands."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np

from .atrest import curves_on

#: A value nearer to zero than this is zero, and a curve that varies by less does not move.
SMALLEST_VALUE = 1e-6

#: What expressions are called (ARKit, VRM, visemes, FACS, Daz, Reallusion, MetaHuman, MPFB),
#: without sides, digits and marks.
_EXPRESSIONS = re.compile(
    r"^(?:expressions?|exp|fcl|mth|eye|brw|all|key|e?ctrl|cc|vrc|v|facs|c?bs|phm|blendshapes?"
    r"|face|mf)*(?:"
    r"browdown|browinnerup|browouterup|browup|browlower(?:er)?|browcompress|browdrop|browlateral"
    r"|browraise(?:r|inner|outer|in|out)?|browsqueeze|browupdown"
    r"|cheekpuff|cheeksquint|cheekraise(?:r)?|cheeksuck"
    r"|eyeblink|eyes?clos(?:ed?|ure)|eyelook(?:down|in|out|up)|eyesquint|eyewide|eyelookdown|blink|wink"
    r"|look(?:up|down|left|right|in|out)?"
    r"|jaw(?:forward|open|drop|in|out|outin|left|right)?|mouthopen"
    r"|mouth(?:close|dimple|frown|funnel|lowerdown|press|pucker|rolllower|rollupper|shruglower"
    r"|shrugupper|smile|stretch|upperup|upupper|downlower|corner(?:pull|depress)|lipspart|left|right"
    r"|move|narrow|wide)"
    r"|nosesneer|nosewrinkle|tongue(?:out|up)?|lips?(?:funnel|pucker|suck|press|tightener|cornerpull"
    r"|towards|part)"
    r"|smile(?:fullface|open)?|frown|sneer|grin|pout|kiss|squint|happy|sad|angry|relaxed|surprised|neutral|joy|sorrow"
    r"|fun|fear|disgust|contempt|anger|sadness|happiness|surprise"
    r"|viseme[a-z]*|sil|aa|ih|ou|ee|oh|pp|ff|th|dd|kk|ch|ss|nn|rr|a|i|u|e|o|au"
    r")$"
)
#: The same of MikuMikuDance, with or without a side.
_JAPANESE = re.compile(
    r"^(?:まばたき|ウ[ィイ]ンク|笑い|にこり|にっこり|にやり|なごみ|はぅ|びっくり|じと目|怒り|困る|悲しい|真面目|照れ"
    r"|ぺろっ?|口角[上下]|[あいうえおんωワ上下])[2-9]?[左右]*$"
)
#: A side between other words.
_SIDE_WITHIN = re.compile(r"(?<=[-_ .])(?:left|right|[lr])(?=[-_ .])", re.IGNORECASE)
#: A step of a corrective series, at a name's end.
_STEP = re.compile(r"_div\d+$")
_SIDE = re.compile(r"(?:[ _.\-]?(?:[Ll]eft|[Rr]ight|LEFT|RIGHT)|[ _.\-][lrLR]|(?<=[a-z])[LR])$")


def is_expression(name: str) -> bool:
    """Return whether a shape key's name says that it is an expression, in any common spelling."""
    # What stands before two underscores is a mesh's or figure's name.
    _, _, name = unicodedata.normalize("NFKC", name).rpartition("__")
    bare = _SIDE.sub("", _SIDE_WITHIN.sub("", _STEP.sub("", name))).lower()
    return bool(_EXPRESSIONS.match(re.sub(r"[^a-z]", "", bare)) or _JAPANESE.match(name))


def resting_values(block: Any) -> dict[str, float]:
    """Return the value of every shape key of a `bpy.types.Key` in the character's neutral.

    Zero, or the nearest that the slider allows. But a key that stands elsewhere, is not animated
    and has no expression's name shapes the character itself (a wider nose, an age) and stays.
    """
    found = {}
    for key in block.key_blocks:
        low, high = float(key.slider_min), float(key.slider_max)
        zero = min(max(0.0, low), high)
        value = min(max(float(key.value), low), high)
        stays = (
            abs(value - zero) > SMALLEST_VALUE
            and key != block.reference_key
            and not is_expression(str(key.name))
            and not _moves(block, f"{key.path_from_id()}.value")
        )
        found[str(key.name)] = value if stays else zero
    return found


def _moves(block: Any, path: str) -> bool:
    for curve in curves_on(block, path):
        values = np.array([point.co[1] for point in curve.keyframe_points])
        if len(values) and float(np.ptp(values)) > SMALLEST_VALUE:
            return True
    return False
