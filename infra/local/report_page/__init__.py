"""One page to look at after a run: what went in, what came out, the proofs, the curves, the alerts, in zh and en."""

from infra.local.report_page.page import render_page
from infra.local.report_page.telling import choose_telling

__all__ = ["choose_telling", "render_page"]
