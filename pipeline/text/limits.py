"""How much of anything an article carries. What a step cuts, no later step needs to cut again."""

from __future__ import annotations

from typing import Final

MAX_BODY_CHARACTERS: Final = 400_000
MAX_BODY_BYTES: Final = 600_000
MAX_HTML_CHARACTERS: Final = MAX_BODY_CHARACTERS
"""Markup is longer than the text it is made into, so a smaller limit would be the real limit of the body."""
MAX_TITLE_CHARACTERS: Final = 1_000
MAX_SUMMARY_CHARACTERS: Final = 10_000
MAX_GUID_CHARACTERS: Final = 1_000
MAX_WORD_CHARACTERS: Final = 500
"""Of a name or an id of ours. Elasticsearch refuses a keyword over 32,766 bytes."""
MAX_LIST_LENGTH: Final = 100
"""Authors, tags and the like: 100 of 200 characters of four bytes are 80 kB of a record's 900."""
MAX_ENTITIES: Final = 300
"""People, organisations and places of one article."""
MAX_LIST_CHARACTERS: Final = 200
"""Of one author or tag."""
MAX_LINK_CHARACTERS: Final = 4_096
"""Longer "links" are data in disguise; servers refuse them anyway (Apache 8,190 bytes, IIS 4,096 by default)."""
