"""From the disposition of goods and the place where they are to the state that people ask for. Pure."""

from __future__ import annotations

from typing import Final, Literal, get_args

State = Literal[
    "in_plant", "in_stock", "in_transit", "at_channel", "sold", "returned", "destroyed", "sampled", "unknown"
]
STATES: Final[tuple[State, ...]] = get_args(State)

# Dispositions that say what became of the goods, wherever they are (CBV 2.0, 7.2; ``sampled`` is a word of ours).
# A stolen thing is nowhere that we know; an inactive one was taken out of service without a word of what became of it.
DECIDED: Final[dict[str, State]] = {
    "in_transit": "in_transit",
    "retail_sold": "sold",
    "dispensed": "sold",
    "partially_dispensed": "sold",
    "returned": "returned",
    "destroyed": "destroyed",
    "disposed": "destroyed",
    "sampled": "sampled",
    "stolen": "unknown",
    "inactive": "unknown",
    "unknown": "unknown",
}
_CHANNEL_ROLES: Final = frozenset({"distributor", "retailer", "food_service"})


def state_of(disposition: str, place_kind: str, party_role: str = "other") -> State:
    """The state of goods with this ``disposition`` at a place of this kind.

    ``party_role`` is the role of the party whose place it is, or of the goods' owner when the place is nobody's that we
    know. What the disposition says of the goods counts first; then where they are: with a consumer they are sold, in a
    shop or with a trading partner at the channel, in a plant or a warehouse of ours in plant or in stock. Nothing known
    is ``unknown``, never a guess.
    """
    decided = DECIDED.get(disposition)
    if decided is not None:
        return decided
    if place_kind == "home" or party_role == "consumer":
        return "sold"
    if place_kind == "store" or party_role in _CHANNEL_ROLES:
        return "at_channel"
    if place_kind == "vehicle":
        return "in_transit"
    if place_kind == "plant":
        return "in_plant"
    return "in_stock" if place_kind == "warehouse" else "unknown"
