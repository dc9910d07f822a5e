"""How the linear model of a task reads its features, and what its score may do while one of them moves.

Training and export read it; serving does not.
"""

from dataclasses import replace

from service_quality.features.basis import Term, basis_of
from service_quality.features.declarations import Feature
from service_quality.features.expectations import Direction, Expectation, expectation_of
from service_quality.tasks.declared_tasks import Task


def terms_of(task: Task) -> tuple[Term, ...]:
    """The terms of every feature that the model of a task reads, in feature order."""
    return basis_of(task.features, beside=task.beside)


def expectation_for(task: Task, feature: Feature) -> Expectation:
    """The expectation of a task's score while this feature moves; its direction is FREE where none binds the task."""
    expected = expectation_of(feature)
    return expected if task.directed else replace(expected, direction=Direction.FREE)
