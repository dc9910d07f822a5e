"""The unit of a task, which is scored: the column that names it in rows of training sets."""

from service_quality.facts.entities import ENTITIES
from service_quality.tasks.declared_tasks import CONVERSATION, Task


def unit_column(task: Task) -> str:
    """The column that names, in a shop, the unit of a row: conversation_id, or an entity's own attribute."""
    return f"{CONVERSATION}_id" if task.unit == CONVERSATION else ENTITIES[task.unit].parts[0]
