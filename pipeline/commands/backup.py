"""wirewatch backup: everything that cannot be made again, in one folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from pipeline import wiring
from pipeline.commands.context import Context
from pipeline.errors import UsageError, WirewatchError
from pipeline.settings import FILE_NAME

app = typer.Typer()


@app.command()
def backup(ctx: typer.Context, folder: Annotated[Path, typer.Argument(help="A new or empty folder.")]) -> None:
    """Copy state, broker log, pages and configuration while everything goes on running.

    The configuration is the config folder and wirewatch.toml; what the environment says is not copied.

    The search index is not copied. To go back: give the folder as --data and its config folder as --config, and run
    `wirewatch index --rebuild`.
    """
    context: Context = ctx.obj
    settings = context.settings
    part = folder.with_name(folder.name + ".part")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is there already and not empty; name a new folder.")
        if folder.resolve().is_relative_to(settings.data_folder):
            raise UsageError(f"{folder} is in the data folder, and would go with it; name a folder elsewhere.")
        with context.open() as ports:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            # State before broker: an older state settles again what a newer log still has; the other way loses it.
            ports.state.backup(str(part / "state.db"))
            wiring.backup_broker(settings, part / "broker.db")
        if not settings.pages and (pages := settings.data_folder / "pages").is_dir():
            shutil.copytree(
                pages, part / "pages", ignore=shutil.ignore_patterns("*.tmp*"), copy_function=_copy_if_still_there
            )
        shutil.copytree(settings.config_folder, part / "config")
        if (settings.folder / FILE_NAME).is_file():
            shutil.copy2(settings.folder / FILE_NAME, part / FILE_NAME)
        part.rename(folder)  # a folder of this name is a whole backup
    except OSError as error:  # shutil.Error among them
        raise WirewatchError(f"The backup to {folder} failed: {error}. Nothing was changed; try again.") from None
    typer.echo(f"backed up to {folder}", err=True)
    if settings.pages:
        typer.echo("The pages are where the setting “pages” says; they were not copied.", err=True)


def _copy_if_still_there(source: str, target: str) -> None:
    """A page may go by retention while the others are copied."""
    try:
        shutil.copy2(source, target)
    except FileNotFoundError:
        Path(target).unlink(missing_ok=True)
