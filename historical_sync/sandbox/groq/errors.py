"""Groq's errors in Groq's words. Sends nothing."""

from __future__ import annotations

from typing import Any

TOO_MANY_REQUESTS = 429


class Refusal(Exception):
    """A request that Groq refuses: its status and its error object."""

    def __init__(self, status: int, message: str, kind: str, code: str | None = None, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"message": message, "type": kind, **({"code": code} if code else {}), **more}

    @property
    def body(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"error": self.error}


def invalid_api_key() -> Refusal:
    """A key that Groq does not know."""
    return Refusal(401, "Invalid API Key", "invalid_request_error", "invalid_api_key")


def not_available_for_plan() -> Refusal:
    """Batches on a plan without them."""
    message = "This feature is not available for your current plan. Please upgrade to the Developer plan."
    return Refusal(403, message, "permissions_error", "not_available_for_plan")


def model_not_found(model: str) -> Refusal:
    """A model that does not exist, or that this key may not use."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return Refusal(404, message, "invalid_request_error", "model_not_found")


def model_decommissioned(model: str) -> Refusal:
    """A model that was retired."""
    message = (
        f"The model `{model}` has been decommissioned and is no longer supported. "
        "Please refer to https://console.groq.com/docs/deprecations for a recommendation on which model to use instead."
    )
    return Refusal(400, message, "invalid_request_error", "model_decommissioned")


def rate_limited(model: str) -> Refusal:
    """Beyond the limit of single calls."""
    message = f"Rate limit reached for model `{model}` on tokens per minute (TPM). Please try again in 1s."
    return Refusal(TOO_MANY_REQUESTS, message, "tokens", "rate_limit_exceeded")


def validate_failed(generated: str) -> Refusal:
    """The model did not hit the schema."""
    message = "Failed to validate JSON. Please adjust your prompt. See 'failed_generation' for more details."
    return Refusal(400, message, "invalid_request_error", "json_validate_failed", failed_generation=generated)


def invalid(message: str, param: str | None = None) -> Refusal:
    """A request that is wrong in itself."""
    return Refusal(400, message, "invalid_request_error", None, **({"param": param} if param else {}))


def not_found(what: str, name: str) -> Refusal:
    """A file or a batch that is not there."""
    return Refusal(404, f"{what} `{name}` not found", "invalid_request_error", "not_found")


def server_error(status: int) -> Refusal:
    """Groq's own trouble."""
    words = {500: "Internal Server Error", 503: "Service Unavailable"}
    return Refusal(status, words.get(status, "Internal Server Error"), "internal_server_error")
