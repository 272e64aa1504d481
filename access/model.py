"""Values of the access room: an actor is whoever does it, a role is what kind of who, an act is what may be done."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final, Literal


class Act(enum.Enum):
    """What may be done. Reading is an act too: nothing is readable without a right."""

    VIEW = "view"
    CAPTURE = "capture"
    IMPORT = "import"
    ORDER_LABELS = "order_labels"
    COMMISSION = "commission"
    AUTHOR_RECALL = "author_recall"
    APPROVE_RECALL = "approve_recall"
    PUBLISH_RECALL = "publish_recall"
    MANAGE_LINKS = "manage_links"
    HANDLE_REPORTS = "handle_reports"
    ADMINISTER = "administer"


ROLES: Final[Mapping[str, frozenset[Act]]] = MappingProxyType(
    {
        "viewer": frozenset({Act.VIEW}),
        "printer": frozenset({Act.VIEW, Act.ORDER_LABELS, Act.COMMISSION}),
        "line_worker": frozenset({Act.VIEW, Act.CAPTURE}),
        "recall_author": frozenset(
            {Act.VIEW, Act.CAPTURE, Act.IMPORT, Act.AUTHOR_RECALL, Act.MANAGE_LINKS, Act.HANDLE_REPORTS}
        ),
        "recall_approver": frozenset({Act.VIEW, Act.APPROVE_RECALL, Act.PUBLISH_RECALL}),
        "admin": frozenset(Act),
    }
)
"""What each role may do. An admin may author and approve, but never approve a case that the same person opened."""

Via = Literal["session", "key", "operator"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it. ``name`` is what the records say: a person's name, or ``key:NAME`` for a key."""

    name: str
    role: str
    acts: frozenset[Act]
    via: Via

    def may(self, act: Act) -> bool:
        """Whether this actor has the right to ``act``."""
        return act in self.acts


def operator(name: str) -> Actor:
    """The operator of the machine, who may do everything: whoever can start the command can read the database."""
    return Actor(name=name, role="operator", acts=frozenset(Act), via="operator")


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in. The password's hash is not part of it."""

    account_id: int
    name: str
    display_name: str
    role: str
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of a machine, without its secret, which is shown once. ``prefix`` is enough to recognise it in a log."""

    key_id: int
    name: str
    prefix: str
    acts: frozenset[Act]
    created_by: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One thing that somebody did. ``hash`` covers the row and, through ``previous_hash``, every row before it."""

    audit_id: int
    at: datetime
    actor: str
    act: str
    subject: str
    details: Mapping[str, Any]
    previous_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """How a request was answered the first time. ``body`` is JSON."""

    status: int
    body: Any
