"""The page of a run: inputs, outputs, proofs, curves and alerts, in Chinese and English."""

from reports.page import render_page
from reports.telling import choose_telling

__all__ = ["choose_telling", "render_page"]
