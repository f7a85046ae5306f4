"""Write ``pipeline/enrich/given_names.txt`` and ``surnames.txt`` anew.

    pip download names==0.3.0 --no-deps, unpack, and: census_names.py FOLDER/names

The package carries the lists of the 1990 census of the United States (dist.male.first, dist.female.first,
dist.all.last), which as a work of the government are in the public domain.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from pipeline.enrich.name_words import ADJECTIVES, CALENDAR, TITLES, function_words

SURNAMES: Final = 5_000
"""The commonest; the rarer a surname, the likelier it is a name of something else."""
HEADER: Final = (
    "# Names of the 1990 census of the United States (public domain), from the package names 0.3.0 on PyPI;\n"
    "# see tests/enrich/census_names.py.\n"
)


def written(names: list[str], ordinary: frozenset[str] = frozenset()) -> str:
    """Return the file with those of these names that have three letters or more and are no ``ordinary`` words."""
    kept = sorted({name.lower() for name in names if len(name) > 2} - ordinary)
    return HEADER + "\n".join(kept) + "\n"


def main(folder: Path, target: Path) -> None:
    """Read the census's lists in ``folder``, write the two files in ``target``."""
    columns = {path.name: [line.split()[0] for line in path.read_text().splitlines()] for path in folder.glob("dist.*")}
    given = columns["dist.male.first"] + columns["dist.female.first"]
    (target / "given_names.txt").write_text(written(given, function_words("en") | CALENDAR | ADJECTIVES | TITLES))
    (target / "surnames.txt").write_text(written(columns["dist.all.last"][:SURNAMES]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parents[2] / "pipeline" / "enrich")
