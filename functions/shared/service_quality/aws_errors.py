"""Errors of AWS as errors of ours: a dependency that fails for now, or a deployment that cannot work."""

from service_quality.errors import DependencyError, DeploymentError, ServiceQualityError

_MISSING_OR_FORBIDDEN = frozenset(
    {
        "401", "403", "404", "AWS.SimpleQueueService.NonExistentQueue", "AccessDenied", "AccessDeniedException",
        "AuthorizationError", "AuthorizationErrorException", "InvalidClientTokenId", "InvalidParameter", "NoSuchBucket",
        "NoSuchKey", "NotFound", "NotFoundException", "ResourceNotFoundException", "UnrecognizedClientException",
        "NoCredentialsError", "NoRegionError", "PartialCredentialsError",
    }
)  # fmt: skip


def failure_code(error: Exception) -> str:
    """The service's own code for a failure, or the name of the error where no service answered."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code) if code else type(error).__name__


def failure_of(error: Exception, resource: str) -> ServiceQualityError:
    """The error to raise for a failed call: DeploymentError for a missing resource or permission, else DependencyError.

    `resource` names what was called, as in "table orders", so that the message says what to mend.
    """
    code = failure_code(error)
    if code in _MISSING_OR_FORBIDDEN:
        return DeploymentError(f"found {code} at {resource}, expected it to exist and this role to be allowed")
    return DependencyError(f"{resource}: {code}; a later attempt may succeed")
