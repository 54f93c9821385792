"""How the Bot API describes a file and where it lets it be fetched. Keeps no file."""

from __future__ import annotations

from mimetypes import guess_type
from pathlib import PurePosixPath
from typing import Final

from .errors import ApiError, Json, bad_request

PHOTO_BYTES: Final = 10_000_000
DOCUMENT_BYTES: Final = 50_000_000
DOWNLOAD_BYTES: Final = 20 << 20


def describe(file_id: str, name: str, content: bytes, kind: str) -> Json:
    """Return the `document` or the one size of a `photo` that stands for a file."""
    description: Json = {
        "file_id": file_id,
        "file_unique_id": f"unique{file_id}",
        "file_size": len(content),
    }
    if kind == "photo":
        return description | {"width": 90, "height": 90}
    media_type = guess_type(name)[0]
    return description | {"file_name": name} | ({"mime_type": media_type} if media_type else {})


def path_of(file_id: str, name: str) -> str:
    """Return the `file_path` of getFile: the name is Telegram's own, only its suffix is kept."""
    return f"documents/{file_id.replace('file', 'file_')}{PurePosixPath(name).suffix}"


def check_upload(name: str, content: bytes, kind: str) -> None:
    """Refuse an upload that Telegram does not take.

    Raises:
        ApiError: it is empty (400), or bigger than 10 MB as a photo (400) or 50 MB as a document
            (413).

    """
    if not content:
        raise bad_request("file must be non-empty")
    if kind == "photo" and len(content) > PHOTO_BYTES:
        raise bad_request(f'file "{name}" of size {len(content)} bytes is too big for a photo')
    if len(content) > DOCUMENT_BYTES:
        raise ApiError(413, "Request Entity Too Large")
