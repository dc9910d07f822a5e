"""Atomic writes: files that appear whole or not at all, alone or together, whenever their writer is killed."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".unfinished"


@contextmanager
def atomic_file(target: Path) -> Iterator[Path]:
    """A path to write one file to, which replaces `target` once it is written; a failure leaves the old one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}{UNFINISHED}")
    try:
        yield unfinished
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: Path, *, marker: str) -> Iterator[Path]:
    """A folder to write into; what it holds replaces the files of the same names in `target` once all are written.

    `marker` names the file without which readers take the target for empty: it leaves first and comes last. A kill
    at any time leaves what was there, or nothing to read, or all that is new. A further run starts empty.
    """
    unfinished = target / UNFINISHED
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        names = sorted(os.listdir(unfinished))
        others = [name for name in names if name != marker]
        if others == names:
            raise FileNotFoundError(f"found {', '.join(names)}, expected {marker} beside them")
        (target / marker).unlink(missing_ok=True)
        for name in (*others, marker):
            os.replace(unfinished / name, target / name)
    finally:
        shutil.rmtree(unfinished)


def write_json(target: Path, document: object) -> None:
    """Write a document as indented JSON, whole or not at all."""
    with atomic_file(target) as unfinished:
        unfinished.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
