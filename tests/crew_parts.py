"""What the processes of a crew work with in tests; in a module of its own, so that they can import it."""

from __future__ import annotations

import os
import signal

from pipeline.adapters.pages import FolderPages
from pipeline.enrich.tools import Tools
from pipeline.errors import TryLater


class TrickyPages(FolderPages):
    """A store with pages that kill who reads them, that are out of reach, or that show a bug of ours."""

    def get(self, key: str) -> bytes | None:
        match key:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "later":
                raise TryLater("the page store is away")
            case "bug":
                raise TypeError("our bug")
        return super().get(key)


def tools_of(folder: str) -> Tools:
    return Tools(pages=TrickyPages(folder), languages=None)  # type: ignore[arg-type] -- no stage here looks at them


def no_tools(folder: str) -> Tools:
    raise OSError(f"nothing in {folder}")
