"""Run one step as a process that dies by SIGKILL on an article that says so, and start it again until it ends well.

    python deadly_worker.py FOLDER STEP

A supervisor in small: its last word is how often its worker was killed. Each worker is a fork, so that the imports are
done but once.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from pipeline import steps, wiring
from pipeline.article import Article, decode_article
from pipeline.enrich import run as enrich
from pipeline.enrich.tools import Tools
from pipeline.index import run as index
from pipeline.settings import load_settings
from pipeline.settle import run as settle

MARKER = "kill the worker"


def deadly_decode(value: bytes | None) -> Article:
    article = decode_article(value)
    if MARKER in article.title:
        os.kill(os.getpid(), signal.SIGKILL)
    return article


def work(folder: Path, step: str) -> None:
    settings = load_settings(folder=folder, data=str(folder / "data"), stages=("text", "clean"))
    wiring.open_tools = lambda settings, profiles: Tools(  # the stages that need the models are left out
        pages=wiring.open_pages(settings), languages=None, agencies=None, profiles=profiles
    )
    for module in (enrich, settle, index):
        module.decode_article = deadly_decode
    with wiring.open_ports(settings) as ports:
        steps.STEPS[step](ports, lambda _: False, once=True)


def main(folder: Path, step: str) -> int:
    """Return the exit code of the last worker; the number of killed ones goes to stdout."""
    for deaths in range(10):
        pid = os.fork()
        if not pid:
            work(folder, step)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code != -signal.SIGKILL:
            sys.stdout.write(f"{deaths}\n")
            return code
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
