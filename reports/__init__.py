"""What people read of a run: a page and a summary with charts, alerts and proofs, in Chinese and English."""

from reports.alert_quality import judge_alerts
from reports.page import render_page
from reports.summary import render_summary

__all__ = ["judge_alerts", "render_page", "render_summary"]
