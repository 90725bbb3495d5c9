"""The data sets that can be read, by the names that the command line gives them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ....errors import InputError
from .cas_me2 import read_cas_me2
from .cas_me3 import read_cas_me3
from .casme import read_casme
from .casme2 import read_casme2
from .dfme import read_dfme
from .fourdme import read_fourdme
from .mmew import read_mmew
from .reading import DataSet, Overrides
from .samm import read_samm
from .smic import read_smic_hs, read_smic_nir, read_smic_vis

READERS: dict[str, Callable[[Path, Overrides], DataSet]] = {
    "casme": read_casme,
    "casme2": read_casme2,
    "samm": read_samm,
    "smic-hs": read_smic_hs,
    "smic-vis": read_smic_vis,
    "smic-nir": read_smic_nir,
    "cas-me2": read_cas_me2,
    "cas-me3": read_cas_me3,
    "mmew": read_mmew,
    "4dme": read_fourdme,
    "dfme": read_dfme,
}

#: What the sets are called where they are published, and in a library.
PUBLISHED_AS: dict[str, str] = {
    "casme": "CASME",
    "casme2": "CASME II",
    "samm": "SAMM",
    "smic-hs": "SMIC HS",
    "smic-vis": "SMIC VIS",
    "smic-nir": "SMIC NIR",
    "cas-me2": "CAS(ME)^2",
    "cas-me3": "CAS(ME)^3",
    "mmew": "MMEW",
    "4dme": "4DME",
    "dfme": "DFME",
}


def published_name(name: str) -> str:
    """Return what a library calls a data set that is named as here; any other name as it is."""
    return PUBLISHED_AS.get(name.lower(), name)


def read_data_set(name: str, folder: Path, given: Overrides | None = None) -> DataSet:
    """Return the data set `name` from a user's copy in `folder`.

    Raises InputError for an unknown name, and as the reader does.
    """
    reader = READERS.get(name.lower())
    if reader is None:
        raise InputError(f"There is no data set {name!r}.", f"Choose from {', '.join(READERS)}.")
    return reader(folder, given or Overrides())
