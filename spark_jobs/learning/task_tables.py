"""Where the training rows of a task are in the lake, and which of their columns names the unit that is scored."""

from service_quality.facts.entities import ENTITIES
from service_quality.tasks.declared_tasks import CONVERSATION, DISSATISFACTION, Task
from spark_jobs.lake.tables import TRAINING_SET


def training_set_of(task: Task) -> str:
    """The table of a task's training set.

    >>> training_set_of(DISSATISFACTION).rpartition(".")[2]
    'training_set'
    """
    return TRAINING_SET if task.name == DISSATISFACTION.name else f"{TRAINING_SET}_{task.name}"


def unit_column(task: Task) -> str:
    """The column that names, in a shop, the unit of a row.

    >>> unit_column(DISSATISFACTION)
    'conversation_id'
    """
    return f"{CONVERSATION}_id" if task.unit == CONVERSATION else ENTITIES[task.unit].parts[0]
