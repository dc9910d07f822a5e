"""The findings that jobs report, with the values that rules read of them. Adding one is one entry here."""

from typing import NamedTuple

from service_quality.tasks.declared_tasks import CHURN


class DeclaredFinding(NamedTuple):
    """A finding's name, the kind of entity that it is about, and the names of the values that it alone tells."""

    name: str
    subject: str
    values: tuple[str, ...]


#: Of a task its score, as it is about those of whom no event comes.
FINDINGS = {one.name: one for one in (DeclaredFinding(CHURN.name, CHURN.unit, (CHURN.score,)),)}
