"""Errors of the model export, each one line for the person who ran it, with the exit code of the command.

ModelExportError             1  anything else, such as AWS that does not answer
├── ArtefactError            3  what training or export left cannot be read as such
├── NotThereError            4  a file, version, bucket or table that does not exist
├── ModelRefusedError        5  a model that did not pass: the message says which check, found and expected
└── RegistryConflictError    6  somebody else was there first: other content or another promotion
"""

from service_quality.errors import ServiceQualityError


class ModelExportError(ServiceQualityError):
    """Root of the errors of this package."""

    exit_code = 1


class ArtefactError(ModelExportError):
    """A file of the artefact or of the export has other content than agreed."""

    exit_code = 3


class NotThereError(ModelExportError):
    """Something that was named does not exist."""

    exit_code = 4


class ModelRefusedError(ModelExportError):
    """The model does not do what it was trained to do, or not what the functions serve."""

    exit_code = 5


class RegistryConflictError(ModelExportError):
    """The registry already holds something else under this name, or has moved on since it was read."""

    exit_code = 6
