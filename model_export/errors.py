"""Errors of the model export, each one line for the person who ran it, with the exit code of the command.

ModelExportError             1  anything else, such as AWS that does not answer
├── ArtefactError            3  an artefact or export that cannot be read as such
├── NotThereError            4  a file, version, bucket or table that does not exist
├── ModelRefusedError        5  a model that did not pass: the message says which check, found and expected
└── RegistryConflictError    6  another writer was first: other content or another promotion
"""

from service_quality.errors import ServiceQualityError


class ModelExportError(ServiceQualityError):
    """Root of the errors of this package."""

    exit_code = 1


class ArtefactError(ModelExportError):
    """A file of the artefact or of the export with wrong content."""

    exit_code = 3


class NotThereError(ModelExportError):
    """A named file, version or resource that does not exist."""

    exit_code = 4


class ModelRefusedError(ModelExportError):
    """A model that does not compute what it was trained to, or not the features that the functions serve."""

    exit_code = 5


class RegistryConflictError(ModelExportError):
    """The registry holds other content under this name, or has changed since it was read."""

    exit_code = 6
