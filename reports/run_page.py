"""The card of a run as a page: both languages, nothing that it loads; it reloads itself while the run goes on."""

from reports.environment import LANGUAGE_TAGS, environment, said
from reports.figures import flat
from reports.import_labels import IMPORT_LABELS, REASONS
from reports.import_report import import_parts
from reports.proofs import Figures
from reports.run_labels import RUN_LABELS, STATES, STEPS
from service_quality.message import LANGUAGES

#: A part of a summary that has sections of its own.
CLEANING = "cleaning"


def render_run(card: Figures, *, lang: str = "en") -> str:
    """The page as HTML; `card` as in card.json (spark_jobs/cards/card.py), `lang` is shown first."""
    panes = [
        {
            "language": language,
            "tag": LANGUAGE_TAGS[language],
            "other": next(other for other in LANGUAGES if other != language),
            "run": said(RUN_LABELS, language),
            "states": said(STATES, language),
            "steps": said(STEPS, language),
            "labels": said(IMPORT_LABELS, language),
            "reasons": said(REASONS, language),
        }
        for language in sorted(LANGUAGES, key=lambda one: one == lang)
    ]
    counts = {name: value for name, value in card["counts"].items() if name != CLEANING}
    cleaning = card["counts"].get(CLEANING)
    parts = {} if cleaning is None else import_parts(cleaning, card["counts"])
    page = environment().get_template("run.html")
    return page.render(
        lang=lang, kinds=(), panes=panes, card=card, counts=list(flat(counts)), import_=cleaning, **parts
    )
