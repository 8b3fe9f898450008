"""Binary data inside JSON: numbered chunks, compressed one by one so that a page can wait."""

from __future__ import annotations

import base64
import gzip

GZIP_LEVEL = 3


class Chunks:
    """Collects binary data, which is referred to by chunk number."""

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def add(self, data: bytes) -> int:
        """Compress and keep some bytes.

        Returns:
            The number of the chunk.

        >>> chunks = Chunks()
        >>> chunks.add(b"one"), chunks.add(b"two"), len(chunks.encoded)
        (0, 1, 2)
        """
        packed = gzip.compress(data, GZIP_LEVEL, mtime=0)  # the same bytes every time
        self.encoded.append(base64.b64encode(packed).decode("ascii"))
        return len(self.encoded) - 1
