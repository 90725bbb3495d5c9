"""What a shape key's name tells beforehand: its side, what it does, and how seldom that is.

Names are read in any of the usual spellings (ARKit, VRM, VRoid, MikuMikuDance, MPFB, Faceit, ICT,
Daz, Reallusion, MetaHuman, FACS), any case, any separators. An unknown name costs nothing and tells
nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: What keys do, by what their names hold, in lower case without sides, separators and prefixes;
#: the first that fits counts. With it, how much more evidence than usual it takes to believe it,
#: in natural units of log probability: micro-expressions are seldom made of it.
_KINDS: tuple[tuple[str, str, float], ...] = (
    ("viseme", r"viseme|phoneme|^vrc|ctrlv|^v(open|explosive|dental|tight|wide|affricate|lip)"
               r"|^(aa|ih|ou|ee|oh|a|i|u|e|o|[あいうえおんワ]\d?)$|mth(a|i|u|e|o)$"
               r"|(^|speech)(ch|dd|ff|kk|nn|pp|rr|ss|th)$",
     4.0),
    ("tongue", r"tongue|舌|ぺろ|べー", 4.0),
    ("gaze", r"eye(s|ball)?look|look(up|down|in|out)|gaze|pupil|irishide|瞳", 3.0),
    ("hidden", r"nasolabial|teeth|nostrildilate|liddroop|skinfung|highlight|照れ|青ざめ|涙", 3.0),
    # VRoid names the part of the face and a mood.
    ("browDown", r"^brw.*angry", 0.0),
    ("browInnerUp", r"^brw.*sorrow", 0.0),
    ("browOuterUp", r"^brw.*surprise", 0.0),
    ("eyeWide", r"^eye.*(spread|surprise)", 0.0),
    ("mouthSmile", r"^mth.*(joy|fun)", 0.0),
    ("mouthFrown", r"^mth.*(angry|sorrow)", 0.0),
    ("mood", r"joy|sorrow|happy|sad$|^angry|surprised|relaxed|fun$|fear|disgust", 1.5),
    ("browInnerUp", r"brow(s)?(raise)?in(ner)?(up|raise|$)|innerbrow|raiseinner"
                    r"|inner(up|raise)|^au0?1$|困る", 0.0),
    ("browOuterUp", r"brow(s)?(raise)?out(er)?(up|raise|$)|outerbrow|raiseouter"
                    r"|outer(up|raise)|^au0?2$|^眉?上$|眉上", 0.0),
    ("browDown", r"brow.*(down|lower|drop|squeeze|frown|angry|compress|lateral)|corrugator|^au0?4$"
                 r"|怒り|真面目|^眉?下$|眉下", 0.0),
    ("eyeWide", r"eye.*(wide|widen)|upperlidrais|lidup|^au0?5$|びっくり", 0.0),
    ("cheekSquint", r"cheek.*(squint|rais)|^au0?6$", 0.0),
    ("eyeSquint", r"eye.*squint|lidtight|^au0?7$", 0.0),
    ("eyeBlink", r"blink|eye.*clos|lidclos|wink|^au4[35]$"
                 r"|まばたき|ウ[ィイ]ンク|^笑い$|なごみ|じと目", 0.5),
    ("noseSneer", r"sneer|nose.*wrinkl|nosewrinkl|nose.*crease|^au0?9$", 0.0),
    ("mouthUpperUp", r"upper.*up|upupper|upperliprais|^au10$", 0.0),
    ("mouthSmile", r"smile|cornerpull|cornerup|^au12$|口角上|にやり|にっこり", 0.0),
    ("mouthDimple", r"dimpl|^au14$", 0.0),
    ("mouthFrown", r"mouth.*frown|^frown|corners?depress|corners?down|^au15$|口角下", 0.0),
    ("mouthLowerDown", r"lower.*(down|depress)|downlower|^au16$", 0.2),
    ("mouthShrugLower", r"shruglower|lowershrug|chin.*(rais|up$)|^au17$", 0.0),
    ("mouthShrugUpper", r"shrugupper|uppershrug", 0.7),
    ("mouthStretch", r"stretch|^au20$", 0.3),
    ("mouthPress", r"press|^au2[34]$", 0.3),
    ("mouthOpen", r"jaw.*(open|drop)|mouth.*open|^au2[567]$", 0.5),
    ("mouthPucker", r"pucker|kiss|^au18$", 0.5),
    ("mouthFunnel", r"funnel|^au22$", 1.0),
    ("mouthRoll", r"roll|suck|^au28$", 1.0),
    ("jaw", r"jaw(forward|left|right|f$|back|side)|^jaw$|^au(29|30)$", 1.5),
    ("mouthShift", r"mouth(left|right|shift|side)|^mouth$", 1.5),
    # Undoes an open jaw: alone it would push the lips through each other.
    ("mouthClose", r"mouth.*close", 4.0),
    ("lipsPart", r"lips?part", 0.0),
    ("lipTight", r"lips?tight", 0.0),
    ("lipPull", r"lips?pull", 0.0),
    ("browPinch", r"brow.*pinch", 0.0),
    ("neck", r"neck.*(tight|stretch)|platysma", 0.0),
    ("cheekPuff", r"puff|cheek.*blow|^au3[34]$", 1.0),
)  # fmt: skip

#: Kinds of the action units that often come together in a micro-expression (CASME II).
_OFTEN_TOGETHER = (
    ("browDown", "eyeSquint"),  # AU4 + AU7
    ("browInnerUp", "browOuterUp"),  # AU1 + AU2
    ("cheekSquint", "mouthSmile"),  # AU6 + AU12
    ("browDown", "noseSneer"),  # AU4 + AU9
    ("mouthFrown", "mouthShrugLower"),  # AU15 + AU17
    ("mouthSmile", "mouthFrown"),  # AU12 + AU15
)
#: What often comes together in a micro-expression: such kinds, and what one unit moves beside its
#: chief key.
COMPANIONS: frozenset[frozenset[str]] = frozenset(
    frozenset(pair)
    for pair in (
        *_OFTEN_TOGETHER,
        ("cheekSquint", "eyeSquint"),  # AU6 narrows the eye
        ("mouthShrugLower", "mouthShrugUpper"),  # AU17 pushes the upper lip
        ("noseSneer", "mouthUpperUp"),  # one muscle, levator labii, in two parts
        ("mouthLowerDown", "mouthUpperUp"),  # AU25 parts both lips
    )
)

#: How many of CASME II's 255 clips have the action unit of a kind, for those that may be told apart
#: by nothing else.
OCCURRENCES: Mapping[str, int] = MappingProxyType({
    "browDown": 130, "eyeSquint": 39, "mouthSmile": 34, "mouthDimple": 27, "browInnerUp": 26,
    "mouthShrugLower": 25, "browOuterUp": 22, "mouthUpperUp": 16, "mouthFrown": 16,
    "noseSneer": 13, "cheekSquint": 13, "eyeWide": 2,
})  # fmt: skip

#: The action units that keys of a kind make. Blinks, gaze and speech are not in it, which come in
#: any clip, nor are moods, which are made of several units.
UNITS: Mapping[str, frozenset[int]] = MappingProxyType({
    kind: frozenset(units)
    for kind, units in (
        ("browInnerUp", (1,)), ("browOuterUp", (2,)), ("browDown", (4,)), ("browPinch", (4,)),
        ("eyeWide", (5,)), ("cheekSquint", (6,)), ("eyeSquint", (7,)), ("noseSneer", (9,)),
        ("mouthUpperUp", (10, 25)), ("mouthSmile", (12,)), ("mouthDimple", (14,)),
        ("mouthFrown", (15,)), ("mouthLowerDown", (16, 25)), ("mouthShrugLower", (17,)),
        ("mouthPucker", (18,)), ("tongue", (19,)),
        ("mouthStretch", (20,)), ("neck", (21,)), ("mouthFunnel", (22,)),
        ("mouthPress", (23, 24)), ("lipPull", (13,)), ("lipTight", (23,)),
        ("lipsPart", (25,)), ("mouthOpen", (26, 27)), ("mouthRoll", (28,)), ("jaw", (29, 30)),
        ("mouthShift", (30,)), ("cheekPuff", (33, 34)), ("hidden", (11, 38, 39)),
    )
})  # fmt: skip
#: The action units that often come together.
OFTEN_TOGETHER = frozenset(UNITS[one] | UNITS[other] for one, other in _OFTEN_TOGETHER)
#: Units in which keys of a kind may move as well, and which they make where nothing else does.
ALONG: Mapping[str, frozenset[int]] = MappingProxyType({
    kind: frozenset(units)
    for kind, units in (
        ("eyeSquint", (6,)), ("noseSneer", (10,)), ("mouthUpperUp", (9,)), ("mouthOpen", (25,)),
        ("mouthShrugUpper", (17,)),
    )
})  # fmt: skip
#: Units for which keys of a kind may stand in. Lips pressed, lips sucked in and dimples are hardly
#: told apart: what one head does for the one, another does for the other.
STAND_IN: Mapping[str, frozenset[int]] = MappingProxyType({
    kind: frozenset(units)
    for kind, units in (
        ("mouthDimple", (24,)), ("mouthPress", (14, 28)), ("mouthRoll", (24,)),
    )
})  # fmt: skip

_PREFIX = re.compile(
    r"^(fcl|facs|bs|ctrl|ectrl|expressions?|blendshapes?|shapes?|face|head|morph|phm|pctrl|jcm|arkit"
    r"|all|key|cc|genesis\d*)$"
)
_SIDES = {"left": 1, "l": 1, "lf": 1, "lft": 1, "right": -1, "r": -1, "rt": -1, "rgt": -1}
_SIDES |= {"links": 1, "gauche": 1, "izquierda": 1, "rechts": -1, "droite": -1, "derecha": -1}
#: Keys that move to a side rather than lie on one.
_MOVES_ASIDE = re.compile(r"^(mouth|jaw|tongue|jawmove|lips|chin|head)$|look")


@dataclass(frozen=True)
class Known:
    """What a name says: `stem` without its side, `side` 1 left, -1 right, 0 none, `kind` of
    motion or "" where unknown, `cost` in natural units of log probability."""

    stem: str
    side: int
    kind: str
    cost: float


def known(name: str) -> Known:
    """Return what a shape key's name says."""
    written = unicodedata.normalize("NFKC", name).replace("左", " left ").replace("右", " right ")
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", written)
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", spaced)
    tokens = [t for t in re.split(r"[\W_]+", spaced.lower()) if t]
    tokens = [t for t in tokens if not re.fullmatch(r"div\d|\d*facs", t)]
    while len(tokens) > 1 and _PREFIX.match(tokens[0]):
        tokens = tokens[1:]
    side, rest = 0, tokens
    for index in (len(tokens) - 1, 0, *range(1, len(tokens) - 1)):
        if len(tokens) > 1 and tokens[index] in _SIDES:
            rest = tokens[:index] + tokens[index + 1 :]
            side = _SIDES[tokens[index]]
            break
    plain = "".join(rest)
    if not side:
        found = re.fullmatch(r"(.{3,}?)(left|right)", plain) or re.fullmatch(
            r"(left|right)(.{3,})", plain
        )
        if found:
            one, other = found.groups()
            word, stem = (one, other) if one in _SIDES else (other, one)
            side, plain = _SIDES[word], stem
    if side and _MOVES_ASIDE.search(plain) and not plain.startswith("eye"):
        plain, side = plain + ("left" if side > 0 else "right"), 0
    whole = plain if plain else "".join(tokens)
    for kind, pattern, cost in _KINDS:
        if re.search(pattern, whole):
            return Known(whole, side, kind, cost)
    return Known(whole, side, "", 0.0)
