"""The page of a run: inputs, outputs, proofs, curves and alerts, in Chinese and English."""

from infra.local.report_page.page import render_page
from infra.local.report_page.telling import choose_telling

__all__ = ["choose_telling", "render_page"]
