"""What one check found. Not how it is found, nor how it is shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`message` says what is; `mend` says what to do, only where something is wrong."""

    name: str
    message: str
    mend: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing has to be done."""
        return self.mend is None
