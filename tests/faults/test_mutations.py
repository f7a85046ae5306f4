"""Can the delivery tests fail? Each promise is broken on purpose in a copy of the package, and they must see it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

import pipeline

TESTS = Path(__file__).resolve().parent.parent
KILL_RUN = (str(TESTS / "faults" / "kill_run.py"), "--seed", "5", "--outside", "0")
TAKEOVER = (
    "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "believes",
    str(TESTS / "faults" / "test_settle_takeover.py"),
)  # fmt: skip


WRONG = "WRONG  "
"""What the ledger says before each thing that is not as it was served: an item lost, or its last edit."""


class Mutation(NamedTuple):
    """A patch by exact replacement, the run that must turn red over it, and what that run must say."""

    module: str
    replacements: Sequence[tuple[str, str]]
    run: Sequence[str]
    says: str


COMMITS_BEFORE_PUBLISHING = Mutation(
    "worker.py",
    [(
        "        handled = self._publish(handled)\n",
        "        self._next.update({result.record.place: result.record.offset + 1 for result in handled})\n"
        "        self._commit()\n"
        '        self._reach(f"{self.group}:committed")\n'
        "        handled = self._publish(handled)\n",
    )],
    [*KILL_RUN, "--kills", "4", "--points", "enrich:committed,settle:committed", "--broker-failures", "0"],
    WRONG,
)  # fmt: skip
DROPS_PUBLISH_FAILURES = Mutation(
    "worker.py",
    [('                raise TryLater(f"broker: {outcomes[soft]}")\n', "                waiting.clear()\n")],
    [*KILL_RUN, "--kills", "4", "--points", "alert:marked,index:marked", "--broker-failures", "0.7"],
    WRONG,
)
SAVES_POLL_BEFORE_PUBLISHING = Mutation(
    "poll/run.py",
    [(
        "    brought = publish_brought(poller.broker, brought)\n",
        "    poller.state.save_polls([one.result for one in brought], poller.holder)\n"
        "    poller.reach('poll:saved')\n"
        "    brought = publish_brought(poller.broker, brought)\n",
    )],
    [*KILL_RUN, "--kills", "6", "--points", "poll:saved", "--broker-failures", "0"],
    WRONG,
)  # fmt: skip
INDEX_IS_DURABLE_ONLY_WHEN_CLOSED = Mutation(
    "adapters/tantivy_index.py",
    [
        ("            yield self._writer\n            self._writer.commit()\n", "            yield self._writer\n"),
        (
            "        writer, self._writer = self._writer, None\n",
            "        writer, self._writer = self._writer, None\n"
            "        if writer is not None:\n            writer.commit()\n",
        ),
    ],
    [*KILL_RUN, "--kills", "3", "--points", "index:committed", "--broker-failures", "0"],
    WRONG,
)
SETTLES_WITHOUT_THE_EPOCH = Mutation(
    "adapters/sql_state/records.py",
    [("            check_lease(connection, lease)\n            decide(", "            decide(")],
    TAKEOVER,
    "test_a_writer_that_wakes_up_after_a_takeover_writes_nothing",
)
NOTHING = Mutation(
    "worker.py", [], [*KILL_RUN, "--kills", "6", "--points", "enrich:committed,poll:saved,index:committed"], "0 killed"
)


def copy_of_the_package(folder: Path, mutation: Mutation) -> None:
    """Copy what is installed into ``folder`` and apply the patch; a patch that no longer fits is an error."""
    source = Path(pipeline.__file__).parent
    shutil.copytree(source, folder / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "pipeline" / mutation.module
    text = path.read_text("utf-8")
    for old, new in mutation.replacements:
        assert text.count(old) == 1, (
            f"the patch no longer fits {mutation.module}: {old!r} stands there {text.count(old)} times"
        )
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def run_against(folder: Path, mutation: Mutation) -> subprocess.CompletedProcess[str]:
    copy_of_the_package(folder, mutation)
    return subprocess.run(
        [sys.executable, *mutation.run], check=False, capture_output=True, text=True, timeout=300,
        cwd=TESTS.parent, env=os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


@pytest.mark.parametrize(
    "mutation",
    [
        pytest.param(COMMITS_BEFORE_PUBLISHING, id="commits before publishing"),
        pytest.param(DROPS_PUBLISH_FAILURES, id="drops publish failures"),
        pytest.param(SAVES_POLL_BEFORE_PUBLISHING, id="saves a poll before publishing"),
        pytest.param(INDEX_IS_DURABLE_ONLY_WHEN_CLOSED, id="index durable only when closed"),
        pytest.param(SETTLES_WITHOUT_THE_EPOCH, id="settles without the epoch"),
    ],
)
def test_a_broken_promise_turns_the_delivery_tests_red(tmp_path: Path, mutation: Mutation) -> None:
    done = run_against(tmp_path, mutation)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert mutation.says in said
    assert "Traceback (most recent call last)" not in said, said


def test_an_unbroken_copy_stays_green(tmp_path: Path) -> None:
    done = run_against(tmp_path, NOTHING)
    assert done.returncode == 0, done.stdout + done.stderr
    assert NOTHING.says in done.stdout
