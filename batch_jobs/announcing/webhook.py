"""Telling a chat, or whatever takes JSON at a URL. The URL is a secret: nothing that is raised or returned holds it."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

SECONDS = 10
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class _StayingHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would take what is said, and the token, to somebody else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post(url: str, message: Mapping[str, Any]) -> tuple[bool, str]:
    """Post a message. Returns whether it was taken, and what was answered, or happened instead of an answer.

    Args:
        url: where.
        message: in JSON values. Its `text` is what a chat shows: signs that chats read as links or as calls to
            everybody are written as Slack wants it.
    """
    body = json.dumps({**message, "text": str(message["text"]).translate(_MARKUP)}).encode()
    request = urllib.request.Request(  # noqa: S310 (settings admit http and https alone)
        url,
        data=body,
        headers={
            "Content-Type": "application/json",
            "User-Agent": "batch_jobs",
            # Who reads it knows a copy; others lose nothing.
            "Idempotency-Key": str(message["id"]),
        },
        method="POST",
    )
    opener = urllib.request.build_opener(_StayingHere)
    try:
        with opener.open(request, timeout=SECONDS) as response:
            return True, f"answered {response.status}"
    except urllib.error.HTTPError as error:
        error.close()
        more = "; a redirect is not followed: set the URL that it leads to" if error.code // 100 == 3 else ""
        return False, f"answered {error.code}{more}"
    except urllib.error.URLError as error:
        return False, _said(error.reason)
    except (OSError, http.client.HTTPException, ValueError, OverflowError) as error:
        # A host or port that there can not be is found when it is looked for.
        return False, _said(error)


def _said(error: object) -> str:
    """What went wrong on the way, without words of the other side, which may repeat what it was told."""
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS} seconds"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__
