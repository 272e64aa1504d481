"""The form of a capture point: its fields from a definition, and a definition from its fields. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.capture_points_model import Definition, Parameter

PARAMETER_ROWS: Final = 5
"""Parameters that the form has room for; more come by file or by API."""
_TEXTS: Final = ("place", "work", "line", "equipment", "outside_limits")
# What the form has no field for stays as it was.
_KEPT: Final = ("read_point", "biz_step", "disposition", "parent_first", "takes_held_lots")


def form_of(definition: Definition | None) -> dict[str, Any]:
    """The fields of the form."""
    if definition is None:
        return {"work": "pack", "kinds": ["item"], "parent_kinds": ["case"], "min": 1, "max": 12, "active": "yes"}
    fields: dict[str, Any] = {name: getattr(definition, name) or "" for name in _TEXTS}
    fields |= {
        "id": definition.id,
        "name_en": definition.name.en,
        "name_zh": definition.name.zh,
        "kinds": list(definition.things.kinds),
        "min": definition.things.min,
        "max": definition.things.max,
        "uom": definition.things.uom or "",
        "parent_kinds": list(definition.parent.kinds) if definition.parent else [],
        "outputs": list(definition.outputs.kinds) if definition.outputs else [],
        "outputs_uom": (definition.outputs.uom if definition.outputs else None) or "",
        "destinations": "\n".join(definition.destinations),
        "users": "\n".join(definition.users),
        "active": "yes" if definition.active else "",
    }
    for row, parameter in enumerate(definition.parameters[:PARAMETER_ROWS]):
        fields |= _row_of(row, parameter)
    return fields


def told_by_form(
    fields: Mapping[str, str], kinds: Mapping[str, Sequence[str]], known: Definition | None
) -> dict[str, Any]:
    """The definition that the fields tell, as JSON; what the form cannot say is taken from the one on record."""
    work = fields.get("work", "")
    told: dict[str, Any] = {name: fields[name].strip() for name in _TEXTS if fields.get(name, "").strip()}
    told |= {
        "id": fields.get("id", "").strip(),
        "name": {"en": fields.get("name_en", ""), "zh": fields.get("name_zh", "")},
        "things": _reads(kinds["kinds"], fields, "min", "max", "uom"),
        "destinations": _lines(fields.get("destinations", "")) if work == "ship" else [],
        "users": _lines(fields.get("users", "")),
        "active": fields.get("active") == "yes",
        "parameters": [parameter for row in range(PARAMETER_ROWS) if (parameter := _parameter(fields, row))],
    }
    if work in ("pack", "unpack"):
        told["parent"] = {"kinds": list(kinds["parent_kinds"]), "max": 1}
    if work == "transform":
        told["outputs"] = _reads(kinds["outputs"], fields, "", "", "outputs_uom")
    if known is not None:
        old = known.model_dump(mode="json")
        told |= {name: old[name] for name in _KEPT}
        told["parameters"] += old["parameters"][PARAMETER_ROWS:]
        choices = {each["name"]: each for each in old["parameters"] if each["type"] == "choice"}
        told["parameters"] = [choices.get(each["name"], each) for each in told["parameters"]]
    return told


def _reads(kinds: Sequence[str], fields: Mapping[str, str], *names: str) -> dict[str, Any]:
    told: dict[str, Any] = {"kinds": list(kinds)}
    for key, name in zip(("min", "max", "uom"), names, strict=True):
        text = fields.get(name, "").strip()
        if text:
            told[key] = text
    return told


def _parameter(fields: Mapping[str, str], row: int) -> dict[str, Any] | None:
    """A row of the form; None when it has no name."""

    def of(key: str) -> str:
        return fields.get(f"p{row}_{key}", "").strip()

    if not of("name"):
        return None
    told: dict[str, Any] = {
        "name": of("name"),
        "label": {"en": of("en"), "zh": of("zh")},
        "type": of("type") or "number",
        "required": of("required") == "yes",
    }
    return told | {key: of(key) for key in ("uom", "measures", "min", "max") if of(key)}


def _row_of(row: int, parameter: Parameter) -> dict[str, Any]:
    values = {
        "name": parameter.name,
        "en": parameter.label.en,
        "zh": parameter.label.zh,
        "type": parameter.type,
        "uom": parameter.uom,
        "measures": parameter.measures,
        "min": parameter.min,
        "max": parameter.max,
        "required": "yes" if parameter.required else "",
    }
    return {f"p{row}_{key}": "" if value is None else value for key, value in values.items()}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
