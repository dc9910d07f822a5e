"""The champion in service: the promoted model, or an earlier version where that does not load or fails on a row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from threading import RLock
from typing import NamedTuple, Protocol

from service_quality.errors import DeploymentError, ModelError, ServiceQualityError
from service_quality.features.vectors import Vector
from service_quality.scoring.scores import Score, Scorer

LOOK_AGAIN_SECONDS = 60
MOST_BEHIND = 4

#: Takes the name of an event and its fields, for log and metrics; no field holds a value of a row.
Observe = Callable[[str, dict[str, str]], None]


class Pointer(NamedTuple):
    """The registry's champion: a version, and the promotion's revision."""

    version: str
    revision: int


class Models(Protocol):
    """The registry's side that serving reads."""

    def read_pointer(self) -> Pointer: ...

    def versions_behind(self, revision: int, *, most: int) -> Sequence[str]:
        """The versions that rollbacks would return to from a promotion, the nearest first."""
        ...

    def load(self, version: str) -> Scorer:
        """The model of a version; ModelError where it must not score, DeploymentError where its file is missing."""
        ...


class _Loaded(NamedTuple):
    version: str
    scorer: Scorer


@dataclass(slots=True, eq=False, repr=False)
class Champion:
    """Implements `scores.Scorer` by the model in service; several threads may refresh and score at once.

    A version is refused when it does not load, or when it fails on a row that a version behind it scores. It is tried
    again once a promotion names it. `observe` gets "model_loaded", "model_refused" and "registry_unread".
    """

    models: Models
    observe: Observe
    now: Callable[[], float]
    _lock: RLock = field(default_factory=RLock)
    _looked_at: float = float("-inf")
    _settled: Pointer | None = None
    _revision: int = 0
    _behind: Sequence[str] | None = None
    _serving: _Loaded | None = None
    _held: dict[str, Scorer] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)

    @property
    def serves(self) -> bool:
        """Whether a model is in service."""
        return self._serving is not None

    def refresh(self) -> None:
        """Follow the pointer unless it was read within a minute.

        While no model is in service: ModelError or DeploymentError where neither the promoted version nor one behind
        it loads, DependencyError where the registry does not answer. Afterwards the one in service goes on.
        """
        if not self._is_due():
            return
        with self._lock:
            if not self._is_due():
                return
            self._looked_at = self.now()
            try:
                self._follow(self.models.read_pointer())
            except ServiceQualityError as error:
                if self._serving is None:
                    raise
                self.observe("registry_unread", {"error": str(error), "kept_version": self._serving.version})

    def score(self, vector: Vector) -> Score:
        """Score by the model in service; a row on which it fails is scored by one behind it.

        Raises what the model raised where none behind it scores the row: then the row may be at fault, and the model
        stays. DependencyError where one behind it cannot be fetched now.
        """
        serving = self._serving
        if serving is None:
            raise ModelError("found no model in service, expected a refresh before the first score")
        try:
            return serving.scorer.score(vector)
        except Exception as error:  # a model can raise any error on a row
            score = self._score_by_another(vector, serving, error)
            if score is None:
                raise
            return score

    def _is_due(self) -> bool:
        return self._serving is None or self.now() - self._looked_at >= LOOK_AGAIN_SECONDS

    def _follow(self, pointer: Pointer) -> None:
        if pointer == self._settled:
            return
        self._refused.discard(pointer.version)
        self._revision, self._behind = pointer.revision, None
        self._held = dict([self._serving]) if self._serving is not None else {}
        try:
            promoted = self._load(pointer.version)
        except (ModelError, DeploymentError) as error:
            self._refuse(pointer.version, str(error))
            if self._serving is None:
                self._serve_one_behind(error)
            if isinstance(error, DeploymentError):
                return  # a file or a permission may still come: the next look is in a minute
        else:
            self._serve(promoted)
        self._settled = pointer

    def _load(self, version: str) -> _Loaded:
        if version not in self._held:
            self._held[version] = self.models.load(version)
        return _Loaded(version, self._held[version])

    def _serve_one_behind(self, error: ServiceQualityError) -> None:
        other = next(self._usable_behind(), None)
        if other is None:
            raise error
        self._serve(other)

    def _usable_behind(self) -> Iterator[_Loaded]:
        """The versions behind the promoted one that load, the nearest first, each loaded when it is its turn."""
        if self._behind is None:
            self._behind = self._read_behind()
        for version in self._behind:
            if version in self._refused or (self._serving is not None and version == self._serving.version):
                continue
            try:
                yield self._load(version)
            except (ModelError, DeploymentError) as error:
                self._refuse(version, str(error))

    def _read_behind(self) -> Sequence[str]:
        """The versions behind; empty where the log is missing, forbidden or wrong: then the first error is raised."""
        try:
            return self.models.versions_behind(self._revision, most=MOST_BEHIND)
        except DeploymentError as error:
            kept = self._serving.version if self._serving is not None else ""
            self.observe("registry_unread", {"error": str(error), "kept_version": kept})
            return ()

    def _score_by_another(self, vector: Vector, failed: _Loaded, error: Exception) -> Score | None:
        """The score of the nearest version that gives one; that serves from then on, those before it are refused."""
        failures = {failed.version: error}
        with self._lock:
            moved = self._serving is not failed  # another thread was here first
            for other in chain([self._serving] if moved and self._serving else [], self._usable_behind()):
                try:
                    score = other.scorer.score(vector)
                except Exception as next_error:  # a model can raise any error on a row
                    failures[other.version] = next_error
                    continue
                self._serve(other)
                for version in failures.keys() - self._refused:
                    self._refuse(version, f"{type(failures[version]).__name__} on a row that {other.version} scores")
                return score
        return None

    def _serve(self, loaded: _Loaded) -> None:
        previous = self._serving.version if self._serving is not None else ""
        self._serving = loaded
        if loaded.version != previous:
            self.observe("model_loaded", {"version": loaded.version, "previous_version": previous})

    def _refuse(self, version: str, reason: str) -> None:
        self._refused.add(version)
        kept = self._serving.version if self._serving is not None else ""
        self.observe("model_refused", {"version": version, "reason": reason, "kept_version": kept})
