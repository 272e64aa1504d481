"""The shape of one application identifier, as the GS1 Barcode Syntax Dictionary describes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a value: `shortest` to `longest` characters of a kind, and the `linters` that check what it says."""

    kind: str
    """N digits, X CSET 82, Y CSET 39, Z file-safe base64."""
    shortest: int
    longest: int
    linters: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ApplicationIdentifier:
    """What one number, such as 10 or 3103, demands of its value and of its neighbours."""

    code: str
    title: str
    components: tuple[Component, ...]
    predefined_length: bool = False
    """The value ends by its length, so no FNC1 is needed after it."""
    attribute: bool = False
    """It may stand in the query of a Digital Link."""
    requires: tuple[tuple[tuple[str, ...], ...], ...] = ()
    """Each entry is one demand: a choice of groups, of which one must be present whole. `n` in a code is any digit."""
    excludes: tuple[str, ...] = ()
    """Codes that may not stand beside it. `n` in a code is any digit."""
    sequences: tuple[tuple[str, ...], ...] | None = None
    """For a primary key, the permitted orders of its qualifiers, one of which is taken; otherwise None."""

    @property
    def length_min(self) -> int:
        """The fewest characters of a value."""
        return sum(component.shortest for component in self.components if not component.optional)

    @property
    def length_max(self) -> int:
        """The most characters of a value."""
        return sum(component.longest for component in self.components)
